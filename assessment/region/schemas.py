"""Wire forms of towns and people."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from ninja import Schema


class TownOut(Schema):
    """A town in which the person holds a role, and what that role allows."""

    code: int
    name: str
    slug: str
    planning_region: str
    roles: list[str]
    permissions: list[str]


class MeOut(Schema):
    """Who is signed in."""

    id: UUID
    name: str
    email: str
    towns: list[TownOut]


class RoleOut(Schema):
    """One role of a person in the town."""

    role: str
    valid_from: dt.date
    valid_to: dt.date | None


class PersonOut(Schema):
    """Somebody who holds a role in the town."""

    id: UUID
    name: str
    email: str
    certificate_level: str
    certificate_expires_on: dt.date | None
    roles: list[RoleOut]
