"""A record card as tablets get it: plain JSON without floats, the same bytes for the same record."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, CharField, IntegerField, Model, TextField

from assessment.property.models import (
    Building,
    Feature,
    LandLine,
    Ownership,
    Photo,
    Property,
    Section,
)

Card = dict[str, Any]

# Target kinds as an observation names them; a field of a row is at the path kind/id/field.
CHILD_MODELS: dict[str, type[Model]] = {
    "building": Building,
    "section": Section,
    "land_line": LandLine,
    "feature": Feature,
}
_NOT_ON_TABLETS = {
    "id", "town_id", "property_id", "updated_at", "location_x_ft", "location_y_ft", "complex_id", "is_synthetic",
}  # fmt: skip


# Columns of these types are plain JSON as they come from the database; all others have to be spelled.
_PLAIN = (CharField, TextField, IntegerField, BooleanField)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table that go to tablets, and which of them are not plain JSON."""

    names: tuple[str, ...]
    spelled: tuple[str, ...]

    @classmethod
    def of(cls, model: type[Model], without: Collection[str] = (), only: Collection[str] = ()) -> _Columns:
        fields = [
            field
            for field in model._meta.concrete_fields
            if field.attname not in _NOT_ON_TABLETS
            and field.attname not in without
            and (not only or field.attname in only)
        ]
        spelled = [field.attname for field in fields if not isinstance(field, _PLAIN)]
        return cls(tuple(field.attname for field in fields), tuple(spelled))

    def read(self, values: Sequence[Any]) -> Card:
        row = dict(zip(self.names, values, strict=True))
        for name in self.spelled:
            row[name] = spell(row[name])
        return row


_PROPERTY = _Columns.of(Property, without={"version"})
_CHILDREN = {kind: _Columns.of(model) for kind, model in CHILD_MODELS.items()}
_PHOTO = _Columns.of(Photo, only={"role", "is_primary", "state", "sha256", "web_sha256", "thumbnail_sha256"})


def spell(value: Any) -> Any:
    """Return a value of the record as the wire has it: decimals and days as text, never a float."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dict):
        return {str(key): spell(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [spell(inner) for inner in value]
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"a card cannot hold {type(value).__name__}")


def render_cards(property_ids: Collection[UUID]) -> dict[UUID, Card]:
    """Return the cards of those properties that a town in scope has, in one query for each table."""
    cards: dict[UUID, Card] = {}
    rows = Property.objects.filter(id__in=property_ids).values_list("id", "version", *_PROPERTY.names)
    for property_id, version, *values in rows:
        cards[property_id] = {
            "version": version,
            "property": _PROPERTY.read(values),
            "owner": [],
            "photo": [],
        }
        cards[property_id].update({kind: [] for kind in CHILD_MODELS})
    for kind, model in CHILD_MODELS.items():
        for property_id, row in _child_rows(model, _CHILDREN[kind], property_ids):
            if property_id in cards:
                cards[property_id][kind].append(row)
    for property_id, row in _child_rows(Photo, _PHOTO, property_ids):
        if property_id in cards:
            cards[property_id]["photo"].append(row)
    for property_id, names in _current_owners(property_ids).items():
        if property_id in cards:
            cards[property_id]["owner"] = names
    return cards


def render_texts(property_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the cards in canonical JSON, which is both what is sent and what is hashed."""
    return {
        key: json.dumps(card, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        for key, card in render_cards(property_ids).items()
    }


def _child_rows(
    model: type[Model], columns: _Columns, property_ids: Collection[UUID]
) -> Iterable[tuple[UUID, Card]]:
    rows = (
        model._default_manager.filter(property_id__in=property_ids)
        .order_by("id")
        .values_list("property_id", "id", *columns.names)
    )
    for property_id, row_id, *values in rows:
        yield property_id, {"id": str(row_id), **columns.read(values)}


def _current_owners(property_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Names only, and none that is confidential: a tablet is carried from door to door (CGS 1-217)."""
    names: dict[UUID, list[str]] = defaultdict(list)
    rows = (
        Ownership.objects.filter(property_id__in=property_ids, valid_to__isnull=True, is_confidential=False)
        .order_by("id")
        .values_list("property_id", "owner__name")
    )
    for property_id, name in rows:
        names[property_id].append(name)
    return names
