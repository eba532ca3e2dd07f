"""What people entered, remembered by nobody but the judge."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fieldsync.client.overlay import changes_of


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one field of a row, as somebody entered it; every value is entered once in a world."""

    property_id: str
    kind: str
    row_id: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One mutation as a tablet took it down."""

    mutation_id: str
    device: int
    device_seq: int
    kind: str
    body: dict[str, Any]
    values: tuple[Value, ...]


@dataclass
class Entered:
    """Everything entered in a world.

    Attributes
    ----------
    changes
        By mutation id.
    photos
        Hash by photo id, with the bytes' length.
    office
        What the office entered. A restore takes back what it entered since the backup; tablets' work it
        does not.
    """

    changes: dict[str, Change] = field(default_factory=dict)
    photos: dict[str, tuple[str, int]] = field(default_factory=dict)
    office: list[Value] = field(default_factory=list)

    def note(self, device: int, body: dict[str, Any]) -> None:
        """Remember a mutation that a tablet has taken down."""
        body = json.loads(json.dumps(body))
        self.changes[body["mutation_id"]] = Change(
            body["mutation_id"], device, body["device_seq"], body["kind"], body, _values_of(body)
        )
        if body["kind"] == "photo.declare":
            self.photos[body["entity_id"]] = (body["data"]["sha256"], body["data"]["bytes"])

    def copy_of_office(self) -> list[Value]:
        """Return what a backup taken now holds of the office's work."""
        return copy.copy(self.office)


def _values_of(body: dict[str, Any]) -> tuple[Value, ...]:
    property_id = str((body.get("data") or {}).get("property_id") or body["entity_id"])
    found = []
    note = (body.get("data") or {}).get("note") if body["kind"] == "inspection.create" else None
    if note:
        found.append(Value(property_id, "inspection", body["entity_id"], "note", note))
    for path, change in changes_of(body).items():
        kind, row_id, name = path.split("/") if "/" in path else ("property", property_id, path)
        new = change["new"]
        if isinstance(new, list):
            new = new[-1]
        elif name == "comment":
            new = new.rpartition("\n\n")[2]
        found.append(Value(property_id, kind, str(UUID(row_id)), name, new))
    return tuple(found)
