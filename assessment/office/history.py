"""The journal of a property, told as changes a person can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assessment.office.registries import PageScope
from assessment.office.tags import words
from assessment.property.models import JournalEntry

PAGE_SIZE = 40
ON_CARD = 12
# Bookkeeping of the database: says nothing to a reader.
_SILENT = frozenset({"id", "town_id", "property_id", "updated_at", "created_at", "version", "received_at"})
_OPERATIONS = {"I": "added", "U": "changed", "D": "deleted"}


@dataclass(frozen=True)
class Change:
    """One field before and after."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class HistoryEntry:
    """One journaled row in words."""

    at: Any
    effective_on: Any
    who: str
    device: bool
    what: str
    why: str
    changes: Sequence[Change]
    is_added: bool


def list_history(
    property_id: UUID, scope: PageScope, *, before: int | None = None, size: int = PAGE_SIZE
) -> tuple[list[HistoryEntry], int | None]:
    """Return a page of the journal, latest first, and the id from which an older page goes on (None: no more)."""
    rows = JournalEntry.objects.filter(town_id=scope.town.code, property_id=property_id).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows[: size + 1])
    more = found[size - 1].id if len(found) > size else None
    may_see = scope.may("view_confidential")
    return [_entry(row, may_see=may_see) for row in found[:size]], more


def _entry(row: JournalEntry, *, may_see: bool) -> HistoryEntry:
    noun = words(row.table_name.removeprefix("assessment_")).lower()
    return HistoryEntry(
        at=row.at,
        effective_on=row.effective_on,
        who=row.actor_name,
        device=row.device_id is not None,
        what=f"{noun} {_OPERATIONS[row.operation]}",
        why=row.reason,
        changes=list_changes(row.before, row.after) if may_see or not _is_protected(row) else [],
        is_added=row.operation == "I",
    )


def _is_protected(row: JournalEntry) -> bool:
    return any((side or {}).get("is_confidential") for side in (row.before, row.after))


def list_changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """Return the fields that differ, without bookkeeping; of an added row those that hold something."""
    before, after = before or {}, after or {}
    names = [name for name in {**before, **after} if name not in _SILENT]
    changes = [Change(words(name), before.get(name), after.get(name)) for name in names]
    return [change for change in changes if change.before != change.after and (change.before or change.after)]
