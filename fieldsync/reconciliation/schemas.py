"""Wire shapes of the end-of-day statement."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field

from fieldsync.photos.schemas import Sha256

#: Changes that a device may name by their ids in one claim: years of field work.
MOST_MARKS = 100_000
Number = Annotated[int, Field(ge=1, le=2**53)]


class PackageState(Schema):
    """Where the device stands in a package, and the checksum of its own rows."""

    id: UUID
    cursor: str = Field(max_length=400)
    checksum: str = Field(max_length=16)


class ReconcileIn(Schema):
    """What the device holds and believes to have sent."""

    device_id: UUID
    last_seq: int | None = Field(
        None, ge=0, le=2**53, description="the highest number that the device ever gave"
    )
    seq_ranges: list[tuple[Number, Number]] = Field([], max_length=10_000)
    id_marks: str | None = Field(
        None,
        max_length=16 * MOST_MARKS,
        pattern=r"^([0-9a-f]{16})*$",
        description="the last 16 hexadecimal digits of the id of each change held, in the order of its number",
    )
    photo_hashes: list[Sha256] = Field([], max_length=10_000)
    packages: list[PackageState] = Field([], max_length=200)


class ReconcileOut(Schema):
    """What either side lacks, what the server holds open, and a signed statement of the whole."""

    missing_mutations: list[tuple[int, int]]
    missing_photos: list[str]
    unknown_to_device: list[tuple[int, int]]
    held: list[UUID]
    quarantined: list[UUID]
    open_conflicts: list[UUID]
    checksums_ok: bool
    stale_packages: list[UUID]
    gone_packages: list[UUID]
    is_complete: bool
    is_store_lost: bool
    last_seq: int
    epoch: UUID | None
    keep_days: int
    server_time: datetime
    summary: str
    statement: str


class StatementKeyOut(Schema):
    """The key that statements are signed with; its public half may be given to anyone."""

    key: str
    public_key_pem: str
