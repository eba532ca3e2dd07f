"""Wire shapes of the feed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema

from fieldsync.packages.schemas import ChecksumOut
from fieldsync.push.schemas import HintsOut


class ChangeOut(Schema):
    """A record as it is now (``put``), or that it left the package (``remove``)."""

    seq: int
    op: str
    kind: str
    id: UUID
    data: dict[str, Any] | None = None


class ChangesOut(Schema):
    """A page of changes; the checksum is on the last page only."""

    changes: list[ChangeOut]
    next_cursor: str
    has_more: bool
    head_seq: int
    checksum: ChecksumOut | None
    server_time: datetime
    hints: HintsOut
