"""What the property API takes and gives."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import Field

Row = dict[str, Any]


class PropertyLine(Schema):
    """One property of a list or of a search."""

    property_id: UUID
    account_number: str
    address: str
    owner: str
    use_description: str
    matched: str = Field(
        "", description="account, identifier, address, street or owner; blank in a plain list"
    )


class CardOut(Schema):
    """A record card: rows as the record holds them."""

    account: Row
    aliases: list[Row]
    owners: list[Row]
    land_lines: list[Row]
    buildings: list[Row]
    sections: list[Row]
    features: list[Row]
    permits: list[Row]
    photos: list[Row]
    documents: list[Row]
    inspections: list[Row]
    complex: Row | None
    pending_observations: int
    as_of: dt.datetime | dt.date | None


class HistoryLine(Schema):
    """One journaled change; ``changes`` holds before and after by column."""

    id: int
    at: dt.datetime
    effective_on: dt.date
    table: str
    row_id: UUID
    operation: str
    actor_name: str
    device_id: UUID | None
    reason: str
    changes: dict[str, tuple[Any, Any]]


class HistoryOut(Schema):
    """A page of a card's journal, latest first."""

    entries: list[HistoryLine]
    next_before: int | None


class ObservationOut(Schema):
    """What was seen and waits for a person."""

    id: UUID
    property_id: UUID
    account_number: str
    address: str
    inspection_id: UUID | None
    target_kind: str
    target_id: UUID
    field: str
    base_value: Any
    value: Any
    unit: str
    source: str
    is_estimated: bool
    observed_on: dt.date
    list_year: int
    state: str
    decision_reason: str


class ObservationsDecisionIn(Schema):
    """Which observations are decided, and why."""

    observation_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class ObservationsDecisionOut(Schema):
    """What became of observations that were accepted; conflicts say why they still wait."""

    accepted: list[UUID]
    conflicts: dict[str, str] = Field(description="why, by the observation's id")
    settled: list[UUID]


class RejectionOut(Schema):
    """How many observations were rejected; those decided before are not counted."""

    rejected: int
