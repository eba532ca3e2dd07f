"""Wire forms of quality re-checks."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import Field


class RecheckIn(Schema):
    """Whose work is looked at again, of which batch, how much of it, and by whom."""

    first_person_id: UUID
    source_package_id: UUID | None = None
    inspected_from: dt.date | None = None
    inspected_to: dt.date | None = None
    percent: Annotated[Decimal, Field(ge=5, le=10)] = Decimal(5)
    list_year: Annotated[int, Field(ge=1990, le=2100)]
    seed: Annotated[int, Field(ge=0, le=2**53)] | None = None
    title: Annotated[str, Field(max_length=120)] = ""
    device_id: UUID | None = None
    person_id: UUID | None = None


class RecheckOut(Schema):
    """A re-check and how far it agrees."""

    id: UUID
    package_id: UUID
    first_person: str
    state: str
    seed: int
    percent: Decimal
    population: int
    properties: int
    seen: int
    fields_compared: int
    fields_agreeing: int
    agreement_percent: Decimal | None
    follow_up_id: UUID | None
    drawn_at: dt.datetime
    decided_at: dt.datetime | None
    job_id: UUID | None = None


class ComparisonOut(Schema):
    """One property of a re-check: each field that both people entered."""

    property_id: UUID
    address: str
    is_seen: bool
    fields: list[dict[str, Any]]


class RecheckDetailOut(RecheckOut):
    """A re-check with its properties."""

    items: list[ComparisonOut]
