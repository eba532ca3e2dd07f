"""Wire shapes of the feed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema

from fieldsync.packages.schemas import ChecksumOut
from fieldsync.push.schemas import HintsOut


class ChangeOut(Schema):
    """A record as it is now (``put``), or that it left the package (``remove``), and why."""

    seq: int
    op: str
    kind: str
    id: UUID
    data: dict[str, Any] | None = None
    reason: str | None = None


class PatchesOut(Schema):
    """Records of which the same fields changed; a row is ``[seq, id, *values]``, a value for each path.

    Paths are ``version``, ``property/<field>`` and ``<kind>/<place in the list, from 0>/<field>``.
    """

    kind: str
    paths: list[str]
    rows: list[list[Any]]


class ChangesOut(Schema):
    """A page of changes; the checksum is on the last page only.

    ``patches`` is there for readers that asked for them. Whole records and patches of one page are of
    different records.
    """

    changes: list[ChangeOut]
    patches: list[PatchesOut] = []
    next_cursor: str
    has_more: bool
    head_seq: int
    checksum: ChecksumOut | None
    server_time: datetime
    hints: HintsOut
