"""Canonical JSON, content hashes and client-made ids, as ``tests/vectors/content_hash.json`` spells them."""

import hashlib
import json
import os
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID


def content_hash(kind: str, record_id: str, data: Any) -> int:
    """Return the first 8 bytes of the SHA-256 of ``[kind, id, data]`` in canonical JSON."""
    text = json.dumps([kind, record_id, data], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def checksum(hashes: Iterable[int]) -> str:
    """Return the sum modulo 2**64 as 16 hexadecimal digits."""
    return f"{sum(hashes) % 2**64:016x}"


def new_id() -> UUID:
    """Return a UUIDv7: unique, and near in the index to others made at the same time."""
    value = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
