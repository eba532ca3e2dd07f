"""Reading a batch item by item: what each one is, or why it cannot be applied as it stands."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import ValidationError

from fieldsync.push.rules import Unstorable, body_sha256, escaped_json, storable_json
from fieldsync.push.schemas import FieldChangeIn, InspectionIn, MutationIn, PatchIn, PhotoIn, ReviewIn
from fieldsync.push.versions import SchemaTooNew, SchemaUnknown, UnitUnknown, up_convert

if TYPE_CHECKING:
    from fieldsync.push.models import Mutation

Payload = InspectionIn | PatchIn | PhotoIn | ReviewIn
_DATA: dict[str, type[InspectionIn] | type[PatchIn] | type[PhotoIn] | type[ReviewIn]] = {
    "inspection.create": InspectionIn,
    "card.patch": PatchIn,
    "photo.declare": PhotoIn,
    "review.answer": ReviewIn,
}
CHILD_KINDS = ("building", "section", "land_line", "feature")


@dataclass(slots=True)
class Item:
    """One element of a batch.

    Attributes
    ----------
    index, device_id
        Its place in the batch, and who sent it.
    mutation_id
        The device's; for an item without a usable one, derived from its content.
    text, sha256
        What the ledger keeps, and the hash by which it is known again.
    envelope, payload
        What it means, when it could be read.
    code, detail
        Why it cannot be applied, else empty.
    clock_offset_ms
        How far the device's clock was ahead of the server's when it sent this.
    was_parked
        It was held or in quarantine before: what it did halfway then is not the whole of it.
    may_wait
        An earlier number of the device has not arrived: what would clash may start from that.
    flags
        What was noted of it before, while it waited.
    """

    index: int
    device_id: UUID
    mutation_id: UUID
    device_seq: int
    text: str
    sha256: str
    schema_version: int
    has_id: bool = True
    envelope: MutationIn | None = None
    payload: Payload | None = None
    code: str = ""
    detail: str = ""
    clock_offset_ms: int | None = None
    was_parked: bool = False
    may_wait: bool = False
    held_since: dt.datetime | None = None
    flags: list[str] = field(default_factory=list)

    def captured_at(self) -> dt.datetime | None:
        """Return when it was captured, the error of the device's clock taken off."""
        if self.envelope is None:
            return None
        offset = dt.timedelta(milliseconds=self.clock_offset_ms or 0)
        try:
            return self.envelope.captured_at - offset
        except OverflowError:
            return self.envelope.captured_at

    def brings(self) -> set[UUID]:
        """Return what others may wait for: the visit, the card, the rows of it that are named whole."""
        if self.envelope is None:
            return set()
        rows = {row_id for path in self.envelope.changes or () if (row_id := row_of(path)) is not None}
        return {self.envelope.entity_id, *rows}

    @property
    def is_rejected(self) -> bool:
        """Whether it is so broken that the device cannot be told about it by its id."""
        return not self.has_id


def read_item(raw: Any, *, index: int, device_id: UUID, schema_version: int) -> Item:
    """Return what one element of a batch is; nothing about it raises."""
    sha256 = body_sha256(raw)
    mutation_id = _uuid(raw.get("mutation_id")) if isinstance(raw, dict) else None
    stated = raw if isinstance(raw, dict) else {}
    version = _count(stated.get("schema_version"), 32767, schema_version)
    item = Item(
        index=index,
        device_id=device_id,
        mutation_id=mutation_id or uuid5(NAMESPACE_URL, f"{device_id}/{sha256}"),
        device_seq=_count(stated.get("device_seq"), 2**53, 0),
        text="",
        sha256=sha256,
        schema_version=version,
        has_id=mutation_id is not None,
    )
    try:
        item.text = storable_json(raw)
    except Unstorable as error:
        item.text, item.code, item.detail = escaped_json(raw), "unstorable", str(error)
        return item
    _understand(item, raw, version)
    return item


def read_again(row: Mutation) -> Item:
    """Return a mutation that was held or in quarantine, as the ledger keeps it."""
    item = read_item(row.body, index=0, device_id=row.device_id, schema_version=row.schema_version)
    item.mutation_id, item.sha256 = row.mutation_id, row.sha256
    item.clock_offset_ms, item.was_parked, item.held_since = row.clock_offset_ms, True, row.received_at
    item.flags = list((row.result or {}).get("flags", ()))
    return item


def _understand(item: Item, raw: Any, version: int) -> None:
    try:
        if not isinstance(raw, dict):
            raise TypeError("a mutation is an object")
        envelope = MutationIn.model_validate(up_convert(raw, version))
        item.envelope = envelope
        shape = _DATA.get(envelope.kind)
        if shape is None:
            item.code, item.detail = "kind-unknown", f"{envelope.kind!r} is not a kind of mutation."
            return
        item.payload = shape.model_validate(envelope.data or {})
        if envelope.kind == "card.patch" and not envelope.changes:
            item.code, item.detail = "invalid", "A card.patch needs changes."
    except SchemaTooNew as error:
        item.code, item.detail = "schema-too-new", str(error)
    except SchemaUnknown as error:
        item.code, item.detail = "schema-unknown", str(error)
    except ValidationError as error:
        item.code, item.detail = "invalid", _sentence(error)
    except (TypeError, UnitUnknown) as error:
        item.code, item.detail = "invalid", str(error)


def _sentence(error: ValidationError) -> str:
    found = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()[:3]]
    return "; ".join(found)[:400]


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _count(value: Any, most: int, otherwise: int) -> int:
    """Return ``value`` if it is a whole number from 0 to ``most``."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    return otherwise


def row_of(path: str) -> UUID | None:
    """Return the id of the row that a path names whole (``kind/id/*``), or None."""
    kind, _, rest = path.partition("/")
    row_id, _, name = rest.partition("/")
    return _uuid(row_id) if kind in CHILD_KINDS and name == "*" else None


class BadPath(ValueError):
    """A change names no field of a card."""


def split_changes(
    property_id: UUID, changes: Mapping[str, FieldChangeIn]
) -> dict[tuple[str, UUID], dict[str, dict[str, Any]]]:
    """Return changes by the row they are of: ``(kind, id) -> field -> change``.

    A path is the bare name of a field of the property, or ``kind/id/field``; the field ``*`` is a row.

    Raises
    ------
    BadPath
        The path names neither.
    """
    rows: dict[tuple[str, UUID], dict[str, dict[str, Any]]] = defaultdict(dict)
    for path, change in changes.items():
        kind, row_id, name = _split_path(property_id, path)
        said = change.model_dump(exclude_unset=True)
        if (kind, name) == ("section", "points_ft"):
            said = {**said, **{k: _numbers(said[k]) for k in ("base", "new") if k in said}}
        rows[kind, row_id][name] = said
    return rows


def join_path(kind: str, row_id: UUID, name: str) -> str:
    """Return the path of a field on the card, as tablets write it."""
    return name if kind == "property" else f"{kind}/{row_id}/{name}"


def _split_path(property_id: UUID, path: str) -> tuple[str, UUID, str]:
    parts = path.split("/")
    if len(parts) == 1 and parts[0]:
        return "property", property_id, parts[0]
    row_id = _uuid(parts[1]) if len(parts) == 3 else None
    if row_id is None or parts[0] not in CHILD_KINDS or not parts[2]:
        raise BadPath(f"{path!r} is no field of a card")
    return parts[0], row_id, parts[2]


def _numbers(value: Any) -> Any:
    """Return corners whose feet are written as text, as cards have them, as numbers."""
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def list_year_of(day: dt.date) -> int:
    """Return the grand list that a day bears on: the next 1 October, itself included (CGS 12-62a)."""
    return day.year if (day.month, day.day) <= (10, 1) else day.year + 1
