"""The header rules of tus 1.0 and the first look at an image's bytes, without any I/O."""

import base64
import binascii
import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
CHECKSUM_ALGORITHMS = {"sha1": 20, "sha256": 32}  # with the length of a digest in bytes
CHUNK_TYPE = "application/offset+octet-stream"
READ_BYTES = 64 * 1024
PHOTO_MAX_BYTES = 64 * 1024 * 1024
UPLOAD_LIFE_DAYS = 30
LOOKUP_MAX = 100
PLACE_TOLERANCE_M = 500.0

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


@dataclass(frozen=True, slots=True)
class ChunkChecksum:
    """The checksum of one chunk, from ``Upload-Checksum``."""

    algorithm: str
    digest: bytes


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


def sniff_mime(head: bytes) -> str | None:
    """Return the image type that the first 32 bytes show, or None. What a device says is not believed."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}:
        return "image/heic"
    return None


def corroborate(
    exif: Mapping[str, Any],
    *,
    taken_at: dt.datetime | None,
    latitude: float | None,
    longitude: float | None,
) -> list[str]:
    """Return what a photo's EXIF says otherwise than the tablet that declared it, as sentences.

    The tablet's word counts: browsers strip and cameras misdate EXIF. A difference is only shown.
    """
    found = []
    seen_at = _exif_instant(exif.get("taken_at"))
    # EXIF has no time zone; half a day covers all of them that a camera here may be set to.
    if seen_at and taken_at and abs(seen_at - taken_at.astimezone(dt.UTC)) > dt.timedelta(hours=13):
        found.append(f"the camera dates the photo {exif['taken_at']}")
    place = exif.get("latitude"), exif.get("longitude")
    if None not in (*place, latitude, longitude):
        apart_m = distance_m(float(place[0] or 0), float(place[1] or 0), latitude or 0, longitude or 0)
        if apart_m > PLACE_TOLERANCE_M:
            found.append(f"the camera places the photo {apart_m:,.0f} m from where the tablet was")
    return found


def distance_m(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Return the distance of two places in metres, on a sphere of the earth's mean radius."""
    one, two = math.radians(latitude_1), math.radians(latitude_2)
    half = (
        math.sin((two - one) / 2) ** 2
        + math.cos(one) * math.cos(two) * math.sin(math.radians(longitude_2 - longitude_1) / 2) ** 2
    )
    return 2 * 6_371_008.8 * math.asin(math.sqrt(half))


def _exif_instant(text: Any) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(str(text), "%Y:%m:%d %H:%M:%S").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
