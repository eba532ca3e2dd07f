"""Wire shapes of the devices' endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field


class EnrolIn(Schema):
    """A one-time code and the key made on the device, with proof that the device holds it."""

    code: str = Field(max_length=60)
    public_key: str = Field(max_length=200, description="P-256, base64url of the SubjectPublicKeyInfo")
    signature: str = Field(max_length=120, description="over grandlist-enrol, the code and the key, by lines")
    name: str = Field("", max_length=80)
    app_version: str = Field("", max_length=40)


class PolicyOut(Schema):
    """What the server asks of a device."""

    device_id: UUID
    town: int
    town_name: str
    name: str
    state: str
    wipe: str
    person: str | None
    enrol_again: bool
    acknowledged_seq: int
    schema_current: int
    schema_oldest: int
    grant_public_key: str = Field(
        description="Ed25519, base64url: verifies offline grants without the server"
    )
    min_app_version: str
    retention_days: int
    limits: dict[str, Any]
    server_time: datetime


class SignInIn(Schema):
    """A person's own sign-in, on a device that is enrolled."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1000)


class PersonOut(Schema):
    """Who is signed in."""

    id: UUID
    name: str


class PinPolicy(Schema):
    """How the app is unlocked offline; the PIN never leaves the device."""

    min_length: int
    tries: int


class SessionOut(Schema):
    """A session and its offline grant, to be sent with pushes for as long as what was made in it is unsent."""

    session_id: UUID
    person: PersonOut
    town: int
    roles: list[str]
    grant: str
    began_at: datetime
    expires_at: datetime
    pin: PinPolicy


class SessionEndIn(Schema):
    """The session that ends."""

    session_id: UUID


class SessionEndOut(Schema):
    """When it ended."""

    session_id: UUID
    ended_at: datetime


class WipedIn(Schema):
    """What was still unsent when the device wiped itself, as it was told to."""

    pending: int = Field(0, ge=0, le=2**53)


class TokenIn(Schema):
    """A request for a token: first without a nonce, then with the signed one of the answer."""

    device_id: UUID
    town: int = Field(ge=0, le=32767)
    nonce: str = Field("", max_length=400)
    signature: str = Field("", max_length=120)


class TokenOut(Schema):
    """A token for this device and town."""

    token: str
    expires_in_s: int


class ProblemOut(Schema):
    """A problem document (RFC 9457) with the member ``retry``."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retry: str | None = None
