"""What the appeals' addresses take and give."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from ninja import Field, Schema


class PetitionOut(Schema):
    """A petition to the board."""

    id: UUID
    petition_number: str
    grand_list_id: UUID
    property_id: UUID
    received_on: dt.date
    petitioner: str
    claimed_value: int | None
    grounds: str
    state: str


class PetitionIn(Schema):
    """A petition as it was received."""

    list_id: UUID
    property_id: UUID
    received_on: dt.date
    petitioner: str = Field(min_length=1, max_length=160)
    send_to: str = Field(default="", max_length=320)
    claimed_value: int | None = Field(default=None, ge=0)
    grounds: str = Field(default="", max_length=4000)


class HearingIn(Schema):
    """A hearing to hold; `notified_on` is the day on which the petitioner is told."""

    starts_at: dt.datetime
    place: str = Field(min_length=1, max_length=160)
    notified_on: dt.date


class HearingOut(HearingIn):
    """A hearing."""

    id: UUID
    held: bool


class AmountsIn(Schema):
    """What a detail code should be."""

    detail_code: str = Field(max_length=4)
    appraised: int = Field(ge=0)
    assessed: int = Field(ge=0)


class PetitionDecisionIn(Schema):
    """What the board decided; no lines means no change."""

    decided_on: dt.date
    explanation: str = Field(min_length=1, max_length=400)
    lines_after: list[AmountsIn] = []


class PetitionDecisionOut(Schema):
    """A decision, and the number of its instrument."""

    decided_on: dt.date
    outcome: str
    explanation: str
    instrument_number: str | None
