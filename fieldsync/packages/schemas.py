"""Wire shapes of packages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema


class PackageLine(Schema):
    """A package in a device's list."""

    package_id: UUID
    title: str
    kind: str
    state: str
    list_year: int
    schema_version: int
    record_count: int
    byte_count: int
    etag: str
    reason: str = ""
    checked_out_at: datetime | None = None
    is_checked_out_here: bool = False


class PackagesOut(Schema):
    """The packages assigned to the device."""

    packages: list[PackageLine]


class PartOut(Schema):
    """One part: fetched from /blobs/{sha256}. An optional one may wait for a better line."""

    kind: str
    format: str
    sha256: str
    bytes: int
    count: int
    optional: bool = False


class ChecksumOut(Schema):
    """How many records and the sum of their content hashes."""

    algo: str
    records: int
    value: str


class ManifestOut(Schema):
    """What a package is made of, and the cursor from which its changes go on."""

    package_id: UUID
    title: str
    schema_version: int
    epoch: UUID
    cursor: str
    head_seq: int
    checksum: ChecksumOut
    parts: list[PartOut]
    limits: dict[str, Any]
