"""Wire form of a job."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from ninja import Schema


class JobOut(Schema):
    """Long work, with its state and how far it is."""

    id: UUID
    kind: str
    title: str
    state: str
    done: int
    total: int
    label: str
    percent: int
    attempts: int
    requested_by: str
    created_at: dt.datetime
    finished_at: dt.datetime | None
    error: dict[str, Any] | None
    result: dict[str, Any] | None
