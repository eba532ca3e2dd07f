"""What a batch may be, what an item may end as, and how its receipt is made."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from uuid import UUID

# Held for longer, and somebody should look why what it waits for does not come.
HELD_ALARM = dt.timedelta(hours=24)
RECEIPT_VERSION = "r1"


class Kind(StrEnum):
    """What a mutation does."""

    INSPECTION_CREATE = "inspection.create"
    CARD_PATCH = "card.patch"
    PHOTO_DECLARE = "photo.declare"
    REVIEW_ANSWER = "review.answer"


class Status(StrEnum):
    """What became of a mutation. All but ``held`` are final for the device."""

    RECEIVED = "received"
    APPLIED = "applied"
    MERGED = "merged"
    CONFLICT = "conflict"
    NOOP = "noop"
    HELD = "held"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


FINAL = frozenset(Status) - {Status.RECEIVED, Status.HELD}


class Unstorable(ValueError):
    """A mutation holds what no database text can: a NUL, half a surrogate pair, an infinity."""


class TooDeep(ValueError):
    """JSON is nested deeper than any mutation needs."""


def storable_json(value: Any) -> str:
    """Return ``value`` as JSON text that PostgreSQL's jsonb takes, keys sorted.

    Raises
    ------
    Unstorable
        One such item would make the insert of its whole batch fail, so it is kept another way.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError as error:
        raise Unstorable(str(error)) from error
    if "\\u0000" in text and _holds_nul(value):
        raise Unstorable("a string holds a NUL character")
    return text


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_nul(inner) for inner in value)


def escaped_json(value: Any) -> str:
    """Return an unstorable value as one JSON string of pure ASCII, from which it can be read back."""
    return json.dumps({"unstorable": json.dumps(value, sort_keys=True).encode("ascii").hex()})


def body_sha256(value: Any) -> str:
    """Return the hash by which a mutation sent again is known to be the same one."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def refuse_deep(value: Any, allowed: int) -> None:
    """Raise :class:`TooDeep` when arrays and objects are nested more than ``allowed`` deep."""
    if isinstance(value, dict | list):
        if allowed == 0:
            raise TooDeep
        for inner in value.values() if isinstance(value, dict) else value:
            refuse_deep(inner, allowed - 1)


def receipt(*, device_id: UUID, mutation_id: UUID, sha256: str, status: str, key: bytes) -> str:
    """Return the server's receipt for one mutation: whoever holds ``key`` can check it years later."""
    message = "\n".join([RECEIPT_VERSION, str(device_id), str(mutation_id), sha256, status])
    return f"{RECEIPT_VERSION}.{hmac.digest(key, message.encode(), 'sha256').hex()[:32]}"


def advance(acknowledged: int, received: Iterable[int]) -> int:
    """Return the highest number up to which every ``device_seq`` has arrived.

    ``received`` are the numbers above ``acknowledged`` that the ledger holds, in any order.
    """
    for seq in sorted(set(received)):
        if seq <= acknowledged:
            continue
        if seq != acknowledged + 1:
            break
        acknowledged = seq
    return acknowledged
