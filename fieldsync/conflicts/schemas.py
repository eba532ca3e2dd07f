"""What tablets see of the conflicts that their values are in."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field


class TabletConflictOut(Schema):
    """One field or row of which the office holds another value than this device's carrier saw."""

    id: UUID
    mutation_id: UUID
    property_id: UUID
    field: str
    kind: str
    why: str
    base: Any
    office_value: Any
    office_author: str
    office_at: datetime | None
    field_value: Any
    field_author: str
    state: str
    answer: Any
    answered_by: str | None
    answered_at: datetime | None
    reason: str
    arose_at: datetime


class TabletConflictsOut(Schema):
    """Conflicts, the open ones first."""

    conflicts: list[TabletConflictOut]


class TabletAnswerIn(Schema):
    """``withdraw``: the office is right. ``insist``: say why not. The others decide, for who may."""

    choice: Literal["withdraw", "insist", "office", "field", "other"]
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    value: Any = None
