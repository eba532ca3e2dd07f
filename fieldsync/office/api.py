"""Devices, packages and conflicts over HTTP, for the office."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import Field

from assessment.region.requests import town_of
from assessment.region.rules import Permission
from assessment.region.scope import because
from fieldsync.conflicts.models import Conflict
from fieldsync.conflicts.selectors import get_conflict, list_conflicts
from fieldsync.conflicts.services import reopen_conflict, resolve_conflict
from fieldsync.devices.lifecycle import clear_copy, set_device_state
from fieldsync.devices.models import Device
from fieldsync.devices.selectors import get_device, list_devices, list_events
from fieldsync.devices.services import make_enrolment_code
from fieldsync.office import decision_schemas as decisions
from fieldsync.office import schemas
from fieldsync.office.each import do_each
from fieldsync.office.package_api import router as packages
from fieldsync.office.photo_api import router as photos
from fieldsync.office.quality_api import router as quality
from fieldsync.office.quarantine_api import router as quarantine

router = Router(tags=["field work"])
router.add_router("", packages)
router.add_router("", photos)
router.add_router("", quality)
router.add_router("", quarantine)
PageSize = Annotated[int, Field(ge=1, le=200)]


@router.post("/enrolment-codes", response=schemas.CodeOut, operation_id="make_enrolment_code")
def post_code(request: HttpRequest, body: schemas.CodeIn) -> schemas.CodeOut:
    """Make a one-time code by which a tablet comes in; it is shown this once."""
    actor, town = town_of(request, permission=Permission.MANAGE_DEVICES)
    code = make_enrolment_code(town.code, actor=actor, label=body.label, person_id=body.person_id)
    return schemas.CodeOut(code=code)


@router.get("/devices", response=list[schemas.DeviceOut], operation_id="list_devices")
def get_devices(request: HttpRequest) -> list[schemas.DeviceOut]:
    """Return the town's tablets, those last seen first."""
    _, town = town_of(request)
    return [
        schemas.DeviceOut(
            id=line.device.id,
            name=line.device.name,
            state=line.device.state,
            person=line.device.person.name if line.device.person else None,
            app_version=line.device.app_version,
            last_seen_at=line.device.last_seen_at,
            open_packages=line.open_packages,
            pending=line.pending,
            oldest_age_s=line.oldest_age_s,
            is_silent=line.is_silent,
        )
        for line in list_devices(town.code, now=timezone.now())
    ]


@router.post(
    "/devices/{uuid:device_id}/state", response=schemas.DeviceLifeOut, operation_id="set_device_state"
)
def post_device_state(
    request: HttpRequest, device_id: UUID, body: schemas.DeviceStateIn
) -> schemas.DeviceLifeOut:
    """Suspend, resume or revoke a tablet, and say what becomes of its data; it is told with its next answer."""
    actor, _ = town_of(request, permission=Permission.MANAGE_DEVICES)
    with because(body.reason):
        state, wipe = Device.State(body.state), Device.Wipe(body.wipe)
        device = set_device_state(device_id, state, actor=actor, reason=body.reason, wipe=wipe)
        if body.is_no_copy:
            device = clear_copy(device_id, actor=actor, reason=body.reason)
    return _life(device)


@router.get("/devices/{uuid:device_id}/life", response=schemas.DeviceLifeOut, operation_id="get_device_life")
def get_device_life(request: HttpRequest, device_id: UUID) -> schemas.DeviceLifeOut:
    """Return what was decided about a tablet, by whom and why, the latest first."""
    town_of(request)
    return _life(get_device(device_id))


@router.get("/conflicts", response=list[schemas.ConflictOut], operation_id="list_conflicts")
def get_conflicts(
    request: HttpRequest, only_open: bool = True, limit: PageSize = 50
) -> list[schemas.ConflictOut]:
    """Return the town's conflicts, the oldest open ones first."""
    _, town = town_of(request)
    return [_conflict(conflict) for conflict in list_conflicts(town.code, only_open=only_open)[:limit]]


@router.post("/conflicts/answers", response=decisions.ManyOut, operation_id="answer_many_conflicts")
def post_answers(request: HttpRequest, body: decisions.AnswersIn) -> decisions.ManyOut:
    """Close each of many conflicts in the same way; one that cannot be answered stops no other and stays open."""
    actor, _ = town_of(request, permission=Permission.ACCEPT_OBSERVATIONS)
    choice = Conflict.State(body.choice)
    with because(body.reason):
        outcome = do_each(
            body.ids,
            lambda key: resolve_conflict(
                key, actor=actor, choice=choice, reason=body.reason, value=body.value
            ),
        )
    return decisions.many_out(outcome)


@router.post("/conflicts/reopen", response=decisions.ManyOut, operation_id="reopen_many_conflicts")
def post_reopen_many(request: HttpRequest, body: decisions.ReopenIn) -> decisions.ManyOut:
    """Undo the answers of each of many conflicts, where the field was not changed since."""
    actor, _ = town_of(request, permission=Permission.ACCEPT_OBSERVATIONS)
    with because("answer taken back"):
        outcome = do_each(body.ids, lambda key: reopen_conflict(key, actor=actor, reason="answer taken back"))
    return decisions.many_out(outcome)


@router.post(
    "/conflicts/{uuid:conflict_id}/answer", response=schemas.ConflictOut, operation_id="answer_conflict"
)
def post_answer(request: HttpRequest, conflict_id: UUID, body: schemas.AnswerIn) -> schemas.ConflictOut:
    """Close a conflict with the office's value, the field's, or another."""
    actor, _ = town_of(request)
    with because(body.reason):
        resolve_conflict(
            conflict_id, actor=actor, choice=Conflict.State(body.choice), reason=body.reason, value=body.value
        )
        return _conflict(get_conflict(conflict_id))


@router.post(
    "/conflicts/{uuid:conflict_id}/reopen", response=schemas.ConflictOut, operation_id="reopen_conflict"
)
def post_reopen(request: HttpRequest, conflict_id: UUID) -> schemas.ConflictOut:
    """Undo an answer, if the field was not changed since."""
    actor, _ = town_of(request)
    with because("answer taken back"):
        reopen_conflict(conflict_id, actor=actor, reason="answer taken back")
        return _conflict(get_conflict(conflict_id))


def _life(device: Device) -> schemas.DeviceLifeOut:
    return schemas.DeviceLifeOut(
        id=device.id,
        state=device.state,
        wipe=device.wipe,
        copied_at=device.copied_at,
        wiped_at=device.wiped_at,
        events=[
            schemas.DeviceEventOut(
                what=row.what, at=row.at, by=row.by.name if row.by else row.by_name, reason=row.reason
            )
            for row in list_events(device.id)
        ],
    )


def _conflict(conflict: Conflict) -> schemas.ConflictOut:
    return schemas.ConflictOut(
        id=conflict.id,
        property_id=conflict.property_id,
        address=conflict.property.address,
        field=conflict.field,
        kind=conflict.kind,
        why=conflict.why,
        base=conflict.base,
        office_value=conflict.theirs,
        office_author=conflict.theirs_author,
        field_value=conflict.ours,
        field_author=conflict.ours_author,
        state=conflict.state,
        arose_at=conflict.arose_at,
    )
