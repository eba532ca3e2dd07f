"""What a person can find at the office: read through the selectors that its pages show.

The judge asks here whether a value is to be seen, and not only whether a row of the database has it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assessment.office.history import list_told_history
from assessment.office.observations import WaitingObservation, list_waiting
from assessment.office.record import read_card
from assessment.office.registries import PageScope
from assessment.office.tags import amount, words
from assessment.region.models import Town
from assessment.region.scope import scope
from fieldsync.conflicts.models import Conflict
from fieldsync.conflicts.selectors import Filter, list_conflicts
from fieldsync.push.models import Quarantine
from fieldsync.quarantine.rules import describe
from fieldsync.quarantine.selectors import list_held, list_quarantine
from tests.cast import TOWN_A

if TYPE_CHECKING:
    from tests.faults.entered import Value
    from tests.faults.world import World

_TOKEN = re.compile(r"[to]\d*\.\d+|visit \d+|\d[\d,]*")
_EVERYTHING = 1_000_000
_PARTS = {"building": "buildings", "feature": "features", "inspection": "inspections"}


class Desk:
    """The pages of the office, as they are at one moment.

    Attributes
    ----------
    conflicts
        By mutation and name of the field, whatever their state.
    waiting
        By the observation's id: what the page "Inspections to accept" lists.
    """

    def __init__(self, world: World) -> None:
        self._cards: dict[tuple[str, str], dict[str, Any]] = {}
        self._told: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.waiting: dict[UUID, WaitingObservation] = {}
        self.conflicts: dict[tuple[str, str], Conflict] = {}
        self._quarantine: dict[str, list[str]] = defaultdict(list)
        self._held: dict[str, str] = {}
        with scope(world.office, towns=[TOWN_A]):
            page = PageScope(world.office, Town.objects.get(code=TOWN_A))
            for house in world.houses:
                self._read_card(house.property_id, page)
                self._read_history(house.property_id, page)
            self._read_lists(page)

    def is_on_card(self, value: Value) -> bool:
        """Whether the record card shows a value."""
        row = self._cards.get((value.kind, value.row_id))
        return row is not None and holds(row[value.name], value.value)

    def is_told(self, value: Value) -> bool:
        """Whether the history of the card tells that somebody entered or saw a value, in that field."""
        return str(value.value) in self._told[value.property_id, words(value.name)]

    def is_in_quarantine(self, mutation_id: str, value: Value) -> bool:
        """Whether the quarantine lists a mutation, and its page shows the value."""
        return any(_shows(text, value.value) for text in self._quarantine.get(mutation_id, ()))

    def is_held(self, mutation_id: str, value: Value) -> bool:
        """Whether the list of what is held has a mutation and shows the value."""
        return _shows(self._held.get(mutation_id, ""), value.value)

    def _read_card(self, property_id: str, page: PageScope) -> None:
        card = read_card(UUID(property_id), page).card
        self._cards["property", property_id] = card.account
        for kind, part in _PARTS.items():
            self._cards |= {(kind, str(row["id"])): row for row in getattr(card, part)}

    def _read_history(self, property_id: str, page: PageScope) -> None:
        before: int | None = None
        while True:
            entries, before = list_told_history(UUID(property_id), page, before=before, size=_EVERYTHING)
            for entry in entries:
                told = {change.field: change for change in entry.changes}
                # An observation names its field in one line and has the value in another.
                seen = told.get("Field") if entry.what == "observation added" else None
                for name, change in told.items():
                    field = words(seen.after) if seen is not None and name == "Value" else name
                    self._told[property_id, field] |= _tokens(change.before) | _tokens(change.after)
            if before is None:
                return

    def _read_lists(self, page: PageScope) -> None:
        town = page.town.code
        self.waiting = {row.id: row for row in list_waiting(page, size=_EVERYTHING)}
        for conflict in list_conflicts(town, chosen=Filter(state="")).select_related("mutation"):
            self.conflicts[str(conflict.mutation.mutation_id), conflict.field_name()] = conflict
        for state in (Quarantine.State.WAITING, Quarantine.State.DISCARDED):
            for row in list_quarantine(town, state=state):
                body = row.other_body if row.other_body is not None else row.mutation.body
                self._quarantine[str(row.mutation.mutation_id)].append(_as_read(body))
        for mutation in list_held(town):
            self._held[str(mutation.mutation_id)] = _as_read(mutation.body)


def holds(held: Any, value: Any) -> bool:
    """Whether a field's content is a value, or has it among its items or lines."""
    if isinstance(held, list):
        return value in held
    if isinstance(held, str) and isinstance(value, str):
        return held == value or any(line.endswith(value) for line in held.split("\n\n"))
    return bool(held == value)


def shows(text: str, value: Any) -> bool:
    """Whether a line of a list shows a value."""
    return _shows(text, value)


def _as_read(body: Any) -> str:
    """Return what the pages say of a mutation in words; not what stands there word for word."""
    said = describe(body)
    facts: Iterable[str] = (text for _, text in said.facts)
    return "\n".join([*facts, *(amount(line.new) for line in said.changes)])


def _tokens(value: Any) -> set[str]:
    return {found.replace(",", "") for found in _TOKEN.findall(amount(value))}


def _shows(text: str, value: Any) -> bool:
    spelled = json.dumps(value)[1:-1] if isinstance(value, str) else amount(value)
    return re.search(re.escape(spelled) + r"(?!\d)", text) is not None
