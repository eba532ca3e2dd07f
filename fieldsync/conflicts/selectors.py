"""Reading conflicts."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, QuerySet

from assessment.region.errors import NotFound
from fieldsync.conflicts.models import Conflict


def list_conflicts(town_code: int, *, only_open: bool = True) -> QuerySet[Conflict]:
    """Return a town's conflicts, the oldest open ones first; the caller pages them."""
    rows = Conflict.objects.filter(town_id=town_code).select_related("property", "device", "answered_by")
    if only_open:
        return rows.filter(state=Conflict.State.OPEN).order_by("arose_at", "id")
    return rows.order_by(F("answered_at").asc(nulls_first=True), "arose_at", "id")


def get_conflict(conflict_id: UUID) -> Conflict:
    """Return a conflict of a town in scope, or raise `NotFound`."""
    conflict = (
        Conflict.objects.select_related("property", "device", "answered_by").filter(id=conflict_id).first()
    )
    if conflict is None:
        raise NotFound("There is no such conflict.")
    return conflict


def count_open(town_code: int) -> int:
    """Return how many conflicts wait for a person."""
    return Conflict.objects.filter(town_id=town_code, state=Conflict.State.OPEN).count()
