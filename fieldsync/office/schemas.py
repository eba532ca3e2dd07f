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
