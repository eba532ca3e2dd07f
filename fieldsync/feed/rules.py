"""Content hashes, package checksums and cursors: what both ends of the feed compute alike.

The reference client has its own copy of these few functions (``fieldsync.client.canonical``); the two
meet in ``tests/vectors/content_hash.json``, as will a client in any other language.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

SUM_MODULUS = 1 << 64
CHECKSUM_ALGORITHM = "sum64-sha256"
CURSOR_VERSION = 1


class NotCanonical(ValueError):
    """A value has no single spelling in canonical JSON (a float, or a key that is not a string)."""


class BadCursor(ValueError):
    """A cursor token was not one of ours."""


def canonical_json(value: Any) -> bytes:
    """Return the one spelling of ``value`` as JSON: keys sorted, no blanks, UTF-8.

    Parameters
    ----------
    value
        Objects, arrays, strings, integers, booleans and null. A record carries decimals as strings,
        because the shortest spelling of a float differs between languages.

    Raises
    ------
    NotCanonical
        A float, a non-string key, or a string that is not valid Unicode.
    """
    _refuse_ambiguous(value)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a string holds half of a surrogate pair") from error


def _refuse_ambiguous(value: Any) -> None:
    if isinstance(value, float):
        raise NotCanonical(f"{value!r} is a float; send decimals as strings")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"key {key!r} is not a string")
            _refuse_ambiguous(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_ambiguous(inner)


def content_hash(kind: str, record_id: UUID | str, data: Any) -> int:
    """Return the 64-bit hash of one record as delivered: the first 8 bytes of a SHA-256.

    Content is hashed, not a version number: after a restore two different ninth versions may exist.
    """
    return hash_of_text(kind, record_id, canonical_json(data).decode())


def hash_of_text(kind: str, record_id: UUID | str, text: str) -> int:
    """Return the content hash of a record whose data is in canonical JSON already."""
    body = f'["{kind}","{record_id}",{text}]'
    return int.from_bytes(hashlib.sha256(body.encode()).digest()[:8], "big")


def checksum(hashes: Iterable[int]) -> int:
    """Return the sum modulo 2**64 of content hashes, the same in any order."""
    return sum(hashes) % SUM_MODULUS


def spell_checksum(value: int) -> str:
    """Return a checksum as the wire has it: 16 lower-case hexadecimal digits."""
    return f"{value % SUM_MODULUS:016x}"


def to_signed(value: int) -> int:
    """Return an unsigned 64-bit number as PostgreSQL's signed bigint holds it."""
    return value - SUM_MODULUS if value >= SUM_MODULUS // 2 else value


def to_unsigned(value: int) -> int:
    """Return a bigint from the database as the unsigned number that it stands for."""
    return value % SUM_MODULUS


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the feed of one package, within one life of the server's data.

    ``epoch`` is renewed when the server is restored: numbers given after the backup was taken may
    then be given again, to other records.
    """

    epoch: UUID
    package_id: UUID
    seq: int

    def token(self) -> str:
        """Return the token for the wire. It is opaque to clients and no secret."""
        body = canonical_json(
            {"v": CURSOR_VERSION, "e": self.epoch.hex, "p": self.package_id.hex, "s": self.seq}
        )
        return base64.urlsafe_b64encode(body).rstrip(b"=").decode()

    @classmethod
    def read(cls, token: str) -> "Cursor":
        """Return the cursor that ``token`` spells.

        Raises
        ------
        BadCursor
            The token is cut, altered or from another version of the protocol.
        """
        try:
            body = json.loads(base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)))
            if body["v"] != CURSOR_VERSION or not isinstance(body["s"], int) or body["s"] < 0:
                raise BadCursor(token)
            return cls(epoch=UUID(body["e"]), package_id=UUID(body["p"]), seq=body["s"])
        except (binascii.Error, UnicodeError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadCursor(token) from error


# What an entry costs beside its record: the number, the id, and the server's work to write it anew, in bytes.
ENTRY_BYTES = 60
# Nobody is sent to the snapshot for less than a page over a poor line takes in a second or two.
SMALL_DELTA_BYTES = 64 * 1024
REBUILD_AFTER_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Behind:
    """How many entries lie behind a number: records as they are now, and removals."""

    puts: int
    removes: int

    def cost_bytes(self, record_bytes: float) -> float:
        """Return what sending them costs, where a record takes so many bytes."""
        return self.puts * (record_bytes + ENTRY_BYTES) + self.removes * ENTRY_BYTES


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A built package: the number up to which it goes, its records, and their bytes as sent."""

    head: int
    records: int
    byte_count: int

    @property
    def record_bytes(self) -> float:
        """Bytes that one record takes on the wire."""
        return self.byte_count / self.records if self.records else float(ENTRY_BYTES)


def is_snapshot_cheaper(behind_cursor: Behind, behind_snapshot: Behind, snapshot: Snapshot) -> bool:
    """Say whether taking the snapshot and what came after it costs less than all that is behind a cursor.

    A package of which nearly everything changed is a file on disk already; one whose snapshot is old is not.
    """
    delta = behind_cursor.cost_bytes(snapshot.record_bytes)
    instead = snapshot.byte_count + behind_snapshot.cost_bytes(snapshot.record_bytes)
    return delta > SMALL_DELTA_BYTES and instead < delta


def is_rebuild_due(behind_snapshot: Behind, snapshot: Snapshot, *, age_s: float) -> bool:
    """Say whether a snapshot should be made anew: what came after it costs more, or it is a day old."""
    if not (behind_snapshot.puts or behind_snapshot.removes):
        return False
    if age_s >= REBUILD_AFTER_S:
        return True
    delta = behind_snapshot.cost_bytes(snapshot.record_bytes)
    return delta > max(snapshot.byte_count, SMALL_DELTA_BYTES)
