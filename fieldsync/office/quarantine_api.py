"""What waits in quarantine, over HTTP: read it, apply it, or discard it as two persons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.requests import town_of
from assessment.region.rules import Permission
from fieldsync.office import decision_schemas as schemas
from fieldsync.office.each import do_each
from fieldsync.problems import ITEM_CODES
from fieldsync.push.models import Quarantine
from fieldsync.quarantine import selectors, services

router = Router(tags=["quarantine"])
PageSize = Annotated[int, Field(ge=1, le=200)]

STEPS: dict[str, Callable[..., Quarantine]] = {
    "apply": services.apply_quarantined,
    "as-inspection": services.apply_as_inspection,
    "propose-discard": services.propose_discard,
    "confirm-discard": services.confirm_discard,
    "withdraw-discard": services.withdraw_discard,
}


@router.get("/quarantine", response=list[schemas.QuarantineOut], operation_id="list_quarantine")
def get_quarantine(
    request: HttpRequest,
    state: Literal["waiting", "applied", "discarded"] = "waiting",
    code: Annotated[str, Field(max_length=40)] = "",
    limit: PageSize = 50,
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
) -> list[schemas.QuarantineOut]:
    """Return what tablets sent and was not applied, the oldest first."""
    _, town = town_of(request)
    rows = list(selectors.list_quarantine(town.code, code=code, state=state)[offset : offset + limit])
    return _shown(town.code, rows)


@router.post("/quarantine/decisions", response=schemas.ManyOut, operation_id="decide_many_quarantined")
def post_decisions(request: HttpRequest, body: schemas.QuarantineDecisionsIn) -> schemas.ManyOut:
    """Take the same step with each; one that cannot be done stops no other, and waits as before."""
    actor, _ = town_of(request, permission=Permission.ACCEPT_OBSERVATIONS)
    outcome = do_each(body.ids, lambda key: STEPS[body.step](key, actor=actor, reason=body.reason))
    return schemas.many_out(outcome)


@router.get(
    "/quarantine/{uuid:quarantine_id}", response=schemas.QuarantineOut, operation_id="get_quarantined"
)
def get_one(request: HttpRequest, quarantine_id: UUID) -> schemas.QuarantineOut:
    """Return one row of quarantine, with the body as it came."""
    _, town = town_of(request)
    return _one(town.code, quarantine_id)


@router.post(
    "/quarantine/{uuid:quarantine_id}/decision",
    response=schemas.QuarantineOut,
    operation_id="decide_quarantined",
)
def post_decision(
    request: HttpRequest, quarantine_id: UUID, body: schemas.QuarantineDecisionIn
) -> schemas.QuarantineOut:
    """Apply it, record it as a visit of its own, or propose, confirm or take back that it is discarded."""
    actor, town = town_of(request, permission=Permission.ACCEPT_OBSERVATIONS)
    _require_in_town(town.code, quarantine_id)
    _decide(quarantine_id, body, actor)
    return _one(town.code, quarantine_id)


def _decide(quarantine_id: UUID, body: schemas.QuarantineDecisionIn, actor: Actor) -> None:
    options: dict[str, Any] = {"property_id": body.property_id} if body.step == "as-inspection" else {}
    STEPS[body.step](quarantine_id, actor=actor, reason=body.reason, **options)


def _require_in_town(town_code: int, quarantine_id: UUID) -> Quarantine:
    row = selectors.get_quarantined(quarantine_id)
    if row.town_id != town_code:
        raise NotFound("There is nothing of that id in quarantine.")
    return row


def _one(town_code: int, quarantine_id: UUID) -> schemas.QuarantineOut:
    (shown,) = _shown(town_code, [_require_in_town(town_code, quarantine_id)])
    return shown


def _shown(town_code: int, rows: list[Quarantine]) -> list[schemas.QuarantineOut]:
    cards = selectors.find_addresses(town_code, [row.mutation for row in rows])
    return [
        schemas.QuarantineOut(
            id=row.id,
            mutation_id=row.mutation.mutation_id,
            device_id=row.device_id,
            device=row.device.name,
            kind=row.mutation.kind,
            property_id=cards[row.mutation_id].id if row.mutation_id in cards else None,
            code=row.code,
            why=ITEM_CODES.get(row.code, row.code),
            detail=row.detail,
            state=row.state,
            quarantined_at=row.quarantined_at,
            captured_at=row.mutation.captured_at,
            body=row.mutation.body if row.other_body is None else row.other_body,
            first_body=None if row.other_body is None else row.mutation.body,
            proposed_by=row.proposed_by.name if row.proposed_by else None,
            proposed_at=row.proposed_at,
            proposed_reason=row.proposed_reason,
            decided_by=row.decided_by.name if row.decided_by else None,
            decided_at=row.decided_at,
            reason=row.reason,
            inspection_id=row.inspection_id,
        )
        for row in rows
    ]
