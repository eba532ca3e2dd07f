"""Wire shapes of the end-of-day statement."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field

from fieldsync.photos.schemas import Sha256

Number = Annotated[int, Field(ge=1, le=2**53)]


class PackageState(Schema):
    """Where the device stands in a package, and the checksum of its own rows."""

    id: UUID
    cursor: str
    checksum: str


class ReconcileIn(Schema):
    """What the device believes to have sent and to hold."""

    device_id: UUID
    seq_ranges: list[tuple[Number, Number]] = Field([], max_length=10_000)
    photo_hashes: list[Sha256] = Field([], max_length=10_000)
    packages: list[PackageState] = Field([], max_length=200)


class ReconcileOut(Schema):
    """What the server lacks, what it holds open, and a signed statement of the whole."""

    missing_mutations: list[tuple[int, int]]
    missing_photos: list[str]
    held: list[UUID]
    quarantined: list[UUID]
    open_conflicts: list[UUID]
    checksums_ok: bool
    stale_packages: list[UUID]
    statement: str
