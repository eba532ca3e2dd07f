"""Identity: UUIDv7, made in Python (`uuidv7()` is PostgreSQL 18's, and older servers are allowed)."""

from __future__ import annotations

from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new UUIDv7: unique, and roughly in order of creation, which keeps indexes compact."""
    made: UUID = uuid7()
    return made


def new_id_texts(count: int) -> list[str]:
    """Return as many new ids as text: for rows in bulk, whose ids nobody needs to know."""
    return [str(uuid_utils.uuid7()) for _ in range(count)]
