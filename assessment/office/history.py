"""The journal of a property, told as changes a person can read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assessment.office.registries import PageScope
from assessment.office.tags import words
from assessment.property import selectors

PAGE_SIZE = 40
ON_CARD = 12
# Bookkeeping of the database: says nothing to a reader.
_SILENT = frozenset(
    {
        "id",
        "town_id",
        "property_id",
        "building_id",
        "owner_id",
        "updated_at",
        "created_at",
        "version",
        "received_at",
    }
)
# What an observation saw is told also where it is 0, no or nothing: that is what was seen.
_ALWAYS = {"observation": frozenset({"value"})}
_OPERATIONS = {"I": "added", "U": "changed", "D": "deleted"}
_NOUNS = {"landline": "land line", "propertyalias": "identifier"}


@dataclass(frozen=True)
class Change:
    """One field before and after."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class ToldEntry:
    """One journaled row in words."""

    at: dt.datetime
    effective_on: dt.date
    who: str
    device: bool
    what: str
    why: str
    changes: Sequence[Change]
    is_added: bool


def list_told_history(
    property_id: UUID, scope: PageScope, *, before: int | None = None, size: int = PAGE_SIZE
) -> tuple[list[ToldEntry], int | None]:
    """Return a page of the journal, latest first, and the id from which an older page goes on (None: no more).

    Entries that only touch bookkeeping are left out.
    """
    page = selectors.list_history(property_id, actor=scope.actor, before=before, limit=size)
    told = [_tell(entry) for entry in page.entries]
    return [entry for entry in told if entry.changes or entry.what.endswith("deleted")], page.next_before


def _tell(entry: selectors.HistoryEntry) -> ToldEntry:
    noun = _NOUNS.get(entry.table, words(entry.table).lower())
    return ToldEntry(
        at=entry.at,
        effective_on=entry.effective_on,
        who=entry.actor_name,
        device=entry.device_id is not None,
        what=f"{noun} {_OPERATIONS[entry.operation]}",
        why=entry.reason,
        changes=list_changes(entry.changes, always=_ALWAYS.get(entry.table, frozenset())),
        is_added=entry.operation == "I",
    )


def list_changes(
    changes: Mapping[str, tuple[Any, Any]], *, always: Collection[str] = frozenset()
) -> list[Change]:
    """Return the fields that differ, without bookkeeping; of an added row those that hold something.

    ``always`` are fields that are told whatever they hold.
    """
    return [
        Change(words(name), before, after)
        for name, (before, after) in changes.items()
        if name in always or (name not in _SILENT and before != after and (before or after))
    ]
