"""The rows of one property's card, now or as of a day, read once for all panels of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Model, QuerySet

from assessment.office.registries import PageScope
from assessment.property.models import (
    Building,
    Code,
    Feature,
    LandLine,
    Ownership,
    Permit,
    Property,
    PropertyAlias,
    Section,
)
from assessment.region.errors import NotFound

Row = Mapping[str, Any]


@dataclass(frozen=True)
class CardRecord:
    """One property with everything that stands on its card, as plain rows."""

    property: Row
    aliases: Sequence[Row]
    land_lines: Sequence[Row]
    buildings: Sequence[Row]
    sections: Sequence[Row]
    features: Sequence[Row]
    ownerships: Sequence[Row]
    permits: Sequence[Row]
    codes: Mapping[tuple[str, str], Row]

    def label(self, table: str, code: Any) -> str:
        """Return what the town's code table says the code means; empty when it does not."""
        row = self.codes.get((table, str(code)))
        return str(row["label"]) if row else ""

    def attributes(self, table: str, code: Any) -> Mapping[str, Any]:
        """Return the factors that the town's code table keeps with the code."""
        row = self.codes.get((table, str(code)))
        return row["attributes"] if row else {}


def read_card(property_id: UUID, scope: PageScope) -> CardRecord:
    """Return the card's rows; raise `NotFound` when the town has no such property."""
    key = ("card", property_id)
    if key not in scope.memo:
        scope.memo[key] = _read(property_id, scope)
    card: CardRecord = scope.memo[key]
    return card


def _read(property_id: UUID, scope: PageScope) -> CardRecord:
    found = Property.objects.filter(id=property_id, town_id=scope.town.code).values().first()
    if found is None:
        raise NotFound
    account = dict(found)
    ownerships = (
        _rows(Ownership, property_id)
        .order_by("-valid_from")
        .values(
            "share_percent",
            "valid_from",
            "valid_to",
            "book_page",
            "is_confidential",
            name=F("owner__name"),
            mailing_address=F("owner__mailing_address"),
            mailing_city=F("owner__mailing_city"),
            mailing_state=F("owner__mailing_state"),
            mailing_zip=F("owner__mailing_zip"),
        )
    )
    buildings = list(_rows(Building, property_id).order_by("building_number").values())
    sections = list(_rows(Section, property_id).order_by("storey", "label").values())
    land_lines = list(_rows(LandLine, property_id).order_by("line_number").values())
    features = list(_rows(Feature, property_id).order_by("line_number").values())
    return CardRecord(
        property=account,
        aliases=list(_rows(PropertyAlias, property_id).order_by("id_type", "-valid_from").values()),
        land_lines=land_lines,
        buildings=buildings,
        sections=sections,
        features=features,
        ownerships=list(ownerships),
        permits=list(_rows(Permit, property_id).order_by("-issued_on").values()),
        codes=_read_codes([account, *buildings, *sections, *land_lines, *features], scope.town.code),
    )


def _rows(model: type[Model], property_id: UUID) -> QuerySet[Any]:
    return model._default_manager.filter(property_id=property_id)


def _read_codes(rows: Sequence[Row], town_code: int) -> dict[tuple[str, str], Row]:
    """Read the meanings of every short text on the card in one query; most of them are codes."""
    texts = {
        value for row in rows for value in row.values() if isinstance(value, str) and 0 < len(value) <= 40
    }
    found = Code.objects.filter(town_id=town_code, code__in=texts).values(
        "table", "code", "label", "attributes"
    )
    return {(row["table"], row["code"]): dict(row) for row in found}
