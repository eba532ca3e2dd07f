"""Wire forms of the office's side of the field."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field


class CodeIn(Schema):
    """For whom an enrolment code is."""

    label: Annotated[str, Field(max_length=80)] = ""
    person_id: UUID | None = None


class CodeOut(Schema):
    """A code, shown this once."""

    code: str


class DeviceOut(Schema):
    """One tablet of the town."""

    id: UUID
    name: str
    state: str
    person: str | None
    app_version: str
    last_seen_at: dt.datetime
    open_packages: int
    pending: int
    oldest_age_s: int | None
    is_silent: bool


class DeviceStateIn(Schema):
    """What is decided about a tablet, and why."""

    state: Literal["active", "suspended", "revoked"]
    wipe: Literal["none", "after-upload", "now"] = "none"
    is_no_copy: bool = False
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class DeviceEventOut(Schema):
    """One event of a tablet's life."""

    what: str
    at: dt.datetime
    by: str
    reason: str


class DeviceLifeOut(Schema):
    """How a tablet stands, and how it came to that."""

    id: UUID
    state: str
    wipe: str
    copied_at: dt.datetime | None
    wiped_at: dt.datetime | None
    events: list[DeviceEventOut]


class SelectionIn(Schema):
    """Which properties a package is drawn of: all that is given must hold."""

    property_ids: Annotated[list[UUID], Field(max_length=20_000)] = []
    neighbourhood: Annotated[str, Field(max_length=20)] = ""
    street: Annotated[str, Field(max_length=100)] = ""
    not_inspected_since: dt.date | None = None
    limit: Annotated[int, Field(ge=1, le=20_000)] = 500


class PackageIn(Schema):
    """A package to draw, and for which device."""

    title: Annotated[str, Field(min_length=1, max_length=120)]
    list_year: Annotated[int, Field(ge=1990, le=2100)]
    kind: Literal["revaluation", "permit", "sale", "recheck", "review", "other"] = "revaluation"
    selection: SelectionIn
    device_id: UUID | None = None


class AssignIn(Schema):
    """The device that gets a package; none takes it back."""

    device_id: UUID | None = None


class PackageOut(Schema):
    """A package, and the job that builds it."""

    id: UUID
    title: str
    kind: str
    state: str
    list_year: int
    device_id: UUID | None
    record_count: int
    byte_count: int
    drawn_at: dt.datetime
    job_id: UUID | None = None


class ConflictOut(Schema):
    """A field for which a tablet and the office have different values."""

    id: UUID
    property_id: UUID
    address: str
    field: str
    kind: str
    why: str
    base: Any
    office_value: Any
    office_author: str
    field_value: Any
    field_author: str
    state: str
    arose_at: dt.datetime


class AnswerIn(Schema):
    """Which value counts, and why."""

    choice: Literal["office", "field", "other"]
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    value: Any = None
