"""Identity: UUIDv7, made in Python (`uuidv7()` is PostgreSQL 18's, and older servers are allowed)."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new UUIDv7: unique, and roughly in order of creation, which keeps indexes compact."""
    made: UUID = uuid7()
    return made
