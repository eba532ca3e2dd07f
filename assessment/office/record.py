"""The rows of one property's card, now or as of a day, read once for all panels of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assessment.office.registries import PageScope
from assessment.property.models import Code
from assessment.property.selectors import RecordCard, get_record_card, record_on
from assessment.region.errors import NotFound

Row = Mapping[str, Any]


@dataclass(frozen=True)
class CardRecord:
    """One property's card with the meanings of the codes that stand on it."""

    card: RecordCard
    codes: Mapping[tuple[str, str], Row]

    @property
    def property(self) -> Row:
        """The account's own row."""
        return self.card.account

    def label(self, table: str, code: Any) -> str:
        """Return what the town's code table says the code means; empty when it does not."""
        row = self.codes.get((table, str(code)))
        return str(row["label"]) if row else ""

    def attributes(self, table: str, code: Any) -> Mapping[str, Any]:
        """Return the factors that the town's code table keeps with the code."""
        row = self.codes.get((table, str(code)))
        return row["attributes"] if row else {}


def read_card(property_id: UUID, scope: PageScope) -> CardRecord:
    """Return the card, as it is or as it stood on the scope's day.

    Raises
    ------
    NotFound
        The town has no such property, or it was not on record on that day.
    """
    key = ("card", property_id)
    if key not in scope.memo:
        scope.memo[key] = _read(property_id, scope)
    card: CardRecord = scope.memo[key]
    return card


def _read(property_id: UUID, scope: PageScope) -> CardRecord:
    if scope.as_of is None:
        card = get_record_card(property_id, actor=scope.actor)
    else:
        card = record_on(property_id, scope.as_of, actor=scope.actor)
    if card.account["town_id"] != scope.town.code:
        raise NotFound
    rows = [
        card.account,
        *card.buildings,
        *card.sections,
        *card.land_lines,
        *card.features,
        *card.inspections,
    ]
    return CardRecord(card, _read_codes(rows, scope.town.code))


def _read_codes(rows: Sequence[Row], town_code: int) -> dict[tuple[str, str], Row]:
    """Read the meanings of every short text on the card in one query; most of them are codes."""
    texts = {
        value for row in rows for value in row.values() if isinstance(value, str) and 0 < len(value) <= 40
    }
    found = Code.objects.filter(town_id=town_code, code__in=texts).values(
        "table", "code", "label", "attributes"
    )
    return {(row["table"], row["code"]): dict(row) for row in found}
