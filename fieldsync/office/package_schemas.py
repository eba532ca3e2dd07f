"""Wire forms of work packages, for the office."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field


class SelectionIn(Schema):
    """Which properties a package is drawn of: all that is given must hold."""

    property_ids: Annotated[list[UUID], Field(max_length=20_000)] = []
    identifiers: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=20_000)] = []
    neighbourhood: Annotated[str, Field(max_length=20)] = ""
    street: Annotated[str, Field(max_length=100)] = ""
    area: dict[str, Any] | Annotated[str, Field(max_length=200)] | None = None
    area_crs: Annotated[str, Field(max_length=60)] = ""
    parcels_in: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=20_000)] = []
    parcels_out: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=20_000)] = []
    route: dict[str, Any] | None = None
    permits_from: dt.date | None = None
    permits_to: dt.date | None = None
    not_inspected_since: dt.date | None = None
    sales_from: dt.date | None = None
    sales_to: dt.date | None = None
    limit: Annotated[int, Field(ge=1, le=20_000)] = 500
    skip_open: bool = False
    order: Literal["", "streets", "nearest"] = ""


class PackageIn(Schema):
    """A package to draw, and for which device or person."""

    title: Annotated[str, Field(min_length=1, max_length=120)]
    list_year: Annotated[int, Field(ge=1990, le=2100)]
    kind: Literal["revaluation", "permit", "sale", "review", "other"] = "revaluation"
    selection: SelectionIn
    device_id: UUID | None = None
    person_id: UUID | None = None
    reason: Annotated[str, Field(max_length=400)] = ""


class AssignIn(Schema):
    """The device or the person that gets a package; neither takes it back."""

    device_id: UUID | None = None
    person_id: UUID | None = None


class SplitIn(Schema):
    """Into how many packages."""

    into: Annotated[int, Field(ge=2, le=100)]


class OpenElsewhere(Schema):
    """An open package that holds some of the same properties."""

    title: str
    count: int


class PackagePreviewOut(Schema):
    """What a package would be, before it is drawn."""

    count: int
    byte_estimate: int
    in_open_packages: list[OpenElsewhere]
    unknown_identifiers: list[str]
    sample: list[str]


class StandingOut(Schema):
    """How many properties had no full inspection since a day (CGS 12-62), and the oldest one's day."""

    since: dt.date
    count: int
    never: int
    oldest_on: dt.date | None


class PackageOut(Schema):
    """A package, and the job that builds it."""

    id: UUID
    title: str
    kind: str
    state: str
    list_year: int
    device_id: UUID | None
    person_id: UUID | None
    parent_id: UUID | None
    reason: str
    record_count: int
    byte_count: int
    drawn_at: dt.datetime
    checked_out_at: dt.datetime | None
    job_id: UUID | None = None


class ReviewAnswerOut(Schema):
    """What somebody in the field said of a proposed value."""

    id: UUID
    property_id: UUID
    address: str
    list_year: int
    decision: str
    proposed_value: int | None
    value: int | None
    reason: str
    answered_by: str | None
    answered_at: dt.datetime
