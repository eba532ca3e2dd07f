"""Wire shapes of packages."""

from __future__ import annotations

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


class PackagesOut(Schema):
    """The packages assigned to the device."""

    packages: list[PackageLine]


class PartOut(Schema):
    """One part: fetched from /blobs/{sha256}."""

    kind: str
    format: str
    sha256: str
    bytes: int
    count: int


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
