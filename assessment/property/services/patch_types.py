"""What a change from the field says, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CardPatch:
    """What one change from the field says of one row of a card.

    Attributes
    ----------
    changes
        By field: ``base`` (what the device's card said), ``new`` (what was seen), and optionally ``unit``
        and ``is_estimated``. The field ``*`` stands for a whole row: ``new`` holds the fields of a row that
        is not on the card yet, or is null for one that no longer stands.
    patch_id
        The client's id of the change; kept on its observations.
    captured_at
        When the device saw it, its clock's error taken off.
    may_wait
        Whether something that the device did before is still missing: what would clash is held then, since
        the missing change may be what it starts from.
    is_check
        Seen a second time to be compared, by somebody whose card hid what the first had entered: it starts from
        whatever is on record, and waits for a person.
    """

    property_id: UUID
    target_kind: str
    target_id: UUID
    changes: Mapping[str, Mapping[str, Any]]
    observed_on: dt.date
    list_year: int
    patch_id: UUID | None = None
    inspection_id: UUID | None = None
    source: str = ""
    captured_at: dt.datetime | None = None
    base_version: int | None = None
    may_wait: bool = False
    is_check: bool = False


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field that waits for a person, with all three values."""

    field: str
    base: Any
    new: Any
    server: Any
    reason: str
    observation_id: UUID


@dataclass(slots=True)
class PatchResult:
    """What became of a patch.

    Attributes
    ----------
    status
        ``applied``, ``merged`` (the card had changed meanwhile, nothing clashed), ``conflict`` (at least one
        field waits for a person), ``noop``, ``held`` (something that it builds on is not here yet) or
        ``quarantined`` (nothing was done; ``code`` and ``detail`` say why).
    held_for
        The id of what must come first: a visit, a row of the card, or the card itself, when an earlier change
        to it by the same device is missing.
    is_soft
        Somebody else changed the card since the device saw it, and nothing clashed: a supervisor may look.
    fields
        By field: an outcome of the merge, or ``pending`` when it waits to be accepted.
    """

    patch_id: UUID | None
    status: str = "noop"
    code: str = ""
    detail: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    conflicts: list[FieldConflict] = field(default_factory=list)
    observation_ids: list[UUID] = field(default_factory=list)
    version: int | None = None
    is_soft: bool = False
    held_for: UUID | None = None
