"""Wire shapes of the photos' endpoints."""

from __future__ import annotations

from typing import Annotated

from ninja import Schema
from pydantic import Field

from fieldsync.photos.rules import LOOKUP_MAX

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class LookupIn(Schema):
    """Hashes of photos that a device holds."""

    sha256: list[Sha256] = Field(max_length=LOOKUP_MAX)


class LookupOut(Schema):
    """Which of them the server has, verified, and which it lacks."""

    known: list[str]
    missing: list[str]
