"""A record card as tablets get it: plain JSON without floats, the same bytes for the same record.

PostgreSQL writes the JSON of each row: built in Python, 10,000 cards took longer than a pull may in all.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
    TextField,
    UUIDField,
)

from assessment.property.models import (
    Building,
    Feature,
    LandLine,
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
_OF_PHOTOS = {"role", "is_primary", "state", "sha256", "web_sha256", "thumbnail_sha256"}
# Of these PostgreSQL's JSON is what `canonical_json` makes, too.
_PLAIN = (CharField, TextField, IntegerField, BooleanField, UUIDField, DateField, ForeignKey)


@dataclass(frozen=True, slots=True)
class CardTable:
    """One table of the card and its columns, in the order of canonical JSON.

    Columns that hold JSON themselves are spelled in Python, so the others are selected in pieces around them.
    """

    name: str
    key: str
    columns: tuple[str, ...]
    json_columns: tuple[str, ...]
    select: str

    @classmethod
    def of(cls, model: type[Model], *, key: str = "property_id", only: Collection[str] = ()) -> CardTable:
        fields: dict[str, Field[Any, Any]] = {
            field.attname: field
            for field in model._meta.concrete_fields
            if field.attname not in _NOT_ON_TABLETS and (not only or field.attname in only)
        }
        # A tablet may change a row, so it needs the row's id; the property's own stands on the record.
        if key == "id":
            del fields["version"]
        else:
            fields["id"] = model._meta.get_field("id")  # type: ignore[assignment]
        names = sorted(fields)
        json_columns = tuple(name for name in names if isinstance(fields[name], JSONField))
        return cls(
            name=model._meta.db_table,
            key=key,
            columns=tuple(names),
            json_columns=json_columns,
            select=", ".join(_pieces(names, fields)),
        )

    def read(self, property_ids: str) -> list[tuple[str, str]]:
        """Return the property and the canonical JSON of each row, in the order of the rows' ids.

        ``property_ids`` is an array as PostgreSQL spells it, made once for all tables.
        """
        sql = (
            f"SELECT t.{self.key}::text, {self.select} FROM {self.name} t "  # noqa: S608  our own models' names
            f"WHERE t.{self.key} = ANY(%s::uuid[]) ORDER BY t.id"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [property_ids])
            rows: list[Any] = cursor.fetchall()
        if not self.json_columns:
            return rows
        heads = [f'"{name}":' for name in self.json_columns]
        return [(row[0], _join(row, heads)) for row in rows]


def _join(row: tuple[str | None, ...], heads: list[str]) -> str:
    """Return one object of a row's pieces: plain columns and JSON columns in turn, behind the key."""
    parts = [row[1][1:-1]] if row[1] else []
    for place, head in enumerate(heads):
        value, rest = row[2 + 2 * place], row[3 + 2 * place]
        parts.append(head + _canonical(value))
        if rest:
            parts.append(rest[1:-1])
    return "{" + ",".join(parts) + "}"


def _pieces(names: list[str], fields: dict[str, Field[Any, Any]]) -> Iterator[str]:
    """Yield expressions: an object of the plain columns before each JSON column, that column, and the rest."""
    run: list[str] = []
    for name in names:
        if isinstance(fields[name], JSONField):
            yield _object(run)
            yield f't."{fields[name].column}"::text'
            run = []
        else:
            run.append(f'{_expression(fields[name])} AS "{name}"')
    yield _object(run)


def _object(columns: list[str]) -> str:
    return (
        f"(SELECT row_to_json(r) FROM (SELECT {', '.join(columns)}) r)::text" if columns else "NULL"  # noqa: S608
    )


def _expression(field: Field[Any, Any]) -> str:
    column = f't."{field.column}"'
    if isinstance(field, DecimalField):
        return f"{column}::text"  # a decimal is text on the wire: languages spell floats differently
    if isinstance(field, DateTimeField) or not isinstance(field, _PLAIN):
        raise TypeError(f"a card cannot hold {type(field).__name__} {field.name}")
    return column


def _canonical(text: str | None) -> str:
    """Return stored JSON in canonical spelling."""
    if text is None:
        return "null"
    # Lists of whole numbers, as nearly every sketch is, need their blanks taken out and nothing else.
    return text.replace(" ", "") if _WHOLE_NUMBERS(text) else _canonical_slowly(text)


_WHOLE_NUMBERS = re.compile(r"[][0-9, -]*").fullmatch


@lru_cache(maxsize=4096)
def _canonical_slowly(text: str) -> str:
    return _dump(spell(json.loads(text)))


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


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_PROPERTY = CardTable.of(Property, key="id")
_ROWS = {kind: CardTable.of(model) for kind, model in CHILD_MODELS.items()} | {
    "photo": CardTable.of(Photo, only=_OF_PHOTOS)
}
# By table: where the journal says that a column changed, and on the card it is this field.
CARD_TABLES: dict[str, tuple[str, CardTable]] = {
    table.name: (kind, table) for kind, table in [("property", _PROPERTY), *_ROWS.items()]
}


def render_texts(property_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the cards of those properties that a town in scope has, in canonical JSON.

    It is both what is sent and what is hashed. One query for each table.
    """
    keys = {str(key): key for key in property_ids}
    if not keys:
        return {}
    wanted = "{" + ",".join(keys) + "}"
    rows = {kind: _grouped(table.read(wanted)) for kind, table in _ROWS.items()}
    building, feature, land_line, photo, section = (rows[kind].get for kind in sorted(_ROWS))
    owners = {key: _dump(names) for key, names in _current_owners(wanted).items()}
    versions = _versions(wanted)
    return {
        keys[key]: (
            f'{{"building":[{building(key, "")}],"feature":[{feature(key, "")}],'
            f'"land_line":[{land_line(key, "")}],"owner":{owners.get(key, "[]")},"photo":[{photo(key, "")}],'
            f'"property":{text},"section":[{section(key, "")}],"version":{versions[key]}}}'
        )
        for key, text in _PROPERTY.read(wanted)
    }


def _grouped(rows: list[tuple[str, str]]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, text in rows:
        texts[key] = f"{texts[key]},{text}" if key in texts else text
    return texts


def render_cards(property_ids: Collection[UUID]) -> dict[UUID, Card]:
    """Return the cards as values."""
    return {key: json.loads(text) for key, text in render_texts(property_ids).items()}


# Names only, and none that is confidential: a tablet is carried from door to door (CGS 1-217).
_OWNERS_SQL = """
SELECT h.property_id::text, o.name FROM assessment_ownership h JOIN assessment_owner o ON o.id = h.owner_id
WHERE h.property_id = ANY(%s::uuid[]) AND h.valid_to IS NULL AND NOT h.is_confidential ORDER BY h.id
"""


def _current_owners(property_ids: str) -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS_SQL, [property_ids])
        for property_id, name in cursor.fetchall():
            names[property_id].append(name)
    return names


def _versions(property_ids: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id::text, version FROM assessment_property WHERE id = ANY(%s::uuid[])", [property_ids]
        )
        return dict(cursor.fetchall())
