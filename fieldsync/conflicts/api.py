"""/conflicts: those whose value lost, or may lose, see it and may say what they think."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from assessment.region.errors import NotFound
from assessment.region.scope import scope
from fieldsync.conflicts import selectors, services
from fieldsync.conflicts.models import Conflict
from fieldsync.conflicts.schemas import TabletAnswerIn, TabletConflictOut, TabletConflictsOut
from fieldsync.devices.auth import DeviceBearer, collector_on, device_scope

router = Router(tags=["conflicts"], auth=DeviceBearer())


@router.get("/conflicts", response=TabletConflictsOut, operation_id="list_own_conflicts")
def get_own_conflicts(
    request: HttpRequest,
    package: UUID | None = None,
    only_open: bool = True,
    limit: Annotated[int, Field(ge=1, le=500)] = 200,
) -> TabletConflictsOut:
    """Return the conflicts in which a value of this device, or of its carrier's other devices, stands."""
    with device_scope(request) as device:
        rows = selectors.list_conflicts_of_author(device, package_id=package).select_related("mutation")
        if only_open:
            rows = rows.filter(state=Conflict.State.OPEN)
        return TabletConflictsOut(conflicts=[_conflict(row) for row in rows[:limit]])


@router.post(
    "/conflicts/{uuid:conflict_id}/answer", response=TabletConflictOut, operation_id="answer_own_conflict"
)
def post_own_answer(request: HttpRequest, conflict_id: UUID, body: TabletAnswerIn) -> TabletConflictOut:
    """Give way, insist with a reason, or decide, if the carrier's role allows it."""
    with device_scope(request) as device:
        actor = collector_on(device, device.person)
        if not selectors.list_conflicts_of_author(device).filter(id=conflict_id).exists():
            raise NotFound("There is no such conflict.")
        with scope(actor, towns=[device.town_id], reason=body.reason):
            if body.choice == "withdraw":
                services.withdraw_value(conflict_id, actor=actor, reason=body.reason)
            elif body.choice == "insist":
                services.comment_conflict(conflict_id, actor=actor, says=body.reason)
            else:
                services.resolve_conflict(
                    conflict_id,
                    actor=actor,
                    choice=Conflict.State(body.choice),
                    reason=body.reason,
                    value=body.value,
                )
            return _conflict(selectors.get_conflict(conflict_id))


def _conflict(row: Conflict) -> TabletConflictOut:
    return TabletConflictOut(
        id=row.id,
        mutation_id=row.mutation.mutation_id,
        property_id=row.property_id,
        field=row.field,
        kind=row.kind,
        why=row.why,
        base=row.base,
        office_value=row.theirs,
        office_author=row.theirs_author,
        office_at=row.theirs_at,
        field_value=row.ours,
        field_author=row.ours_author,
        state=row.state,
        answer=row.answer,
        answered_by=row.answered_by.name if row.answered_by else None,
        answered_at=row.answered_at,
        reason=row.reason,
        arose_at=row.arose_at,
    )
