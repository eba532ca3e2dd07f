"""The header rules of tus 1.0, without any I/O."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import google_crc32c

TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
CHECKSUM_ALGORITHMS = {"sha1": 20, "sha256": 32, "crc32c": 4}  # with the length of a digest in bytes
CHUNK_TYPE = "application/offset+octet-stream"
READ_BYTES = 64 * 1024
PHOTO_MAX_BYTES = 64 * 1024 * 1024
UPLOAD_LIFE_DAYS = 30
LOOKUP_MAX = 100
# A photo of at most this, sent whole with its creation, is stored in one transaction.
ONE_REQUEST_MAX_BYTES = 8 * 1024 * 1024
METHOD_OVERRIDES = ("PATCH", "DELETE")

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_METADATA_MAX_BYTES = 4096


class BadHeader(ValueError):
    """A tus header does not say what it must; the message is for the client's author."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a device says of the photo it is about to send."""

    photo_id: UUID
    sha256: str
    length: int
    mime: str


class Digest(Protocol):
    """What takes bytes and tells their checksum."""

    def update(self, data: bytes, /) -> object: ...

    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ChunkChecksum:
    """The checksum of one chunk, from ``Upload-Checksum``."""

    algorithm: str
    digest: bytes

    def begin(self) -> Digest:
        """Return an empty digest of this kind. CRC-32C is in the order of the network."""
        if self.algorithm == "crc32c":
            crc: Digest = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
            return crc
        return hashlib.new(self.algorithm)


def read_metadata(header: str) -> dict[str, str]:
    """Return the pairs of an ``Upload-Metadata`` header; values are base64 of UTF-8."""
    if len(header) > _METADATA_MAX_BYTES:
        raise BadHeader("Upload-Metadata is longer than 4096 characters")
    pairs: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise BadHeader(f"Upload-Metadata: {name} is not base64 of UTF-8") from error
        if name in pairs:
            raise BadHeader(f"Upload-Metadata: {name} is given twice")
        pairs[name] = text
    return pairs


def read_count(header: str | None, name: str) -> int:
    """Return a header that counts bytes."""
    if header is None or not re.fullmatch(r"[0-9]{1,18}", header):
        raise BadHeader(f"{name} must be a whole number of bytes")
    return int(header)


def read_declared(length: str | None, metadata: str | None) -> Declared:
    """Return what a creation request declares.

    Raises
    ------
    BadHeader
        ``photo_id`` or ``sha256`` is missing or misspelled, or there is no length: without the hash
        the server could not tell a whole photo from a broken one, so it is not optional.
    """
    pairs = read_metadata(metadata or "")
    try:
        photo_id = UUID(pairs.get("photo_id", ""))
    except ValueError as error:
        raise BadHeader("Upload-Metadata must give photo_id, a UUID") from error
    sha256 = pairs.get("sha256", "").lower()
    if not _SHA256_HEX.fullmatch(sha256):
        raise BadHeader("Upload-Metadata must give sha256, 64 hexadecimal digits")
    count = read_count(length, "Upload-Length")
    return Declared(photo_id, sha256, count, pairs.get("filetype", "application/octet-stream")[:100])


def read_chunk_checksum(header: str | None) -> ChunkChecksum | None:
    """Return the chunk's checksum, or None when none was sent."""
    if header is None:
        return None
    algorithm, _, digest = header.partition(" ")
    if algorithm not in CHECKSUM_ALGORITHMS:
        raise BadHeader(f"Upload-Checksum: {algorithm} is not one of {', '.join(CHECKSUM_ALGORITHMS)}")
    try:
        raw = base64.b64decode(digest, validate=True)
    except binascii.Error as error:
        raise BadHeader("Upload-Checksum is not base64") from error
    if len(raw) != CHECKSUM_ALGORITHMS[algorithm]:
        raise BadHeader(f"Upload-Checksum: {len(raw)} bytes are no {algorithm}")
    return ChunkChecksum(algorithm, raw)


def is_sha256(text: str) -> bool:
    """Say whether ``text`` is a SHA-256 as we spell it."""
    return bool(_SHA256_HEX.fullmatch(text))


def upload_id_of(device_id: UUID, photo_id: UUID, sha256: str) -> UUID:
    """Return the id of the upload of a photo by a device: the same one however often it is begun.

    Made from what identifies the upload, so that its file has its place before its row is written. The
    version is 8, the one that RFC 9562 keeps for ids by a rule of one's own.
    """
    digest = hashlib.sha256(f"{device_id}/{photo_id}/{sha256}".encode()).digest()[:16]
    number = int.from_bytes(digest, "big")
    number = number & ~(0xF << 76) | 8 << 76
    return UUID(int=number & ~(0x3 << 62) | 2 << 62)
