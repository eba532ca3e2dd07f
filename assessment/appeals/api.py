"""Appeals over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from assessment.appeals import schemas as shapes
from assessment.appeals.models import Hearing, Petition
from assessment.appeals.selectors import get_petition, list_petitions
from assessment.appeals.services import (
    decide_petition,
    elect_not_to_hear,
    receive_petition,
    schedule_hearing,
    withdraw_petition,
)
from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.requests import town_of
from assessment.region.rules import Permission
from assessment.roll.models import GrandList

router = Router(tags=["appeals"])


def _actor(request: HttpRequest) -> tuple[Actor, int]:
    actor, here = town_of(request)
    actor.require(Permission.VIEW, here.code)
    return actor, here.code


def _petition(petition_id: UUID, town_code: int) -> Petition:
    found = get_petition(petition_id)
    if found.town_id != town_code:
        raise NotFound("There is no such petition.")
    return found


@router.get("/", response=list[shapes.PetitionOut], operation_id="list_petitions")
def get_petitions(
    request: HttpRequest,
    list_id: UUID | None = None,
    state: Annotated[str, Field(max_length=20)] = "",
    offset: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=100)] = 100,
) -> list[Petition]:
    """Return a page of the petitions about a list; by default the town's newest list."""
    _, code = _actor(request)
    lists = GrandList.objects.filter(town_id=code)
    grand_list = (
        lists.filter(pk=list_id).first() if list_id else lists.filter(petitions__isnull=False).first()
    )
    if grand_list is None:
        return []
    return list_petitions(grand_list, state=state, offset=offset, limit=limit)


@router.post("/", response={201: shapes.PetitionOut}, operation_id="receive_petition")
def post_petition(request: HttpRequest, body: shapes.PetitionIn) -> Status[Petition]:
    """Take in a written petition."""
    actor, code = _actor(request)
    grand_list = GrandList.objects.filter(pk=body.list_id, town_id=code).first()
    subject = Property.objects.filter(pk=body.property_id, town_id=code).first()
    if grand_list is None or subject is None:
        raise NotFound("There is no such list or property.")
    return Status(
        201,
        receive_petition(
            grand_list,
            actor=actor,
            subject=subject,
            received_on=body.received_on,
            petitioner=body.petitioner,
            send_to=body.send_to,
            claimed_value=body.claimed_value,
            grounds=body.grounds,
        ),
    )


@router.get("/{uuid:petition_id}", response=shapes.PetitionOut, operation_id="get_petition")
def get_one(request: HttpRequest, petition_id: UUID) -> Petition:
    """Return a petition."""
    _, code = _actor(request)
    return _petition(petition_id, code)


@router.post(
    "/{uuid:petition_id}/hearings", response={201: shapes.HearingOut}, operation_id="schedule_hearing"
)
def post_hearing(request: HttpRequest, petition_id: UUID, body: shapes.HearingIn) -> Status[Hearing]:
    """Set a hearing."""
    actor, code = _actor(request)
    return Status(
        201,
        schedule_hearing(
            _petition(petition_id, code),
            actor=actor,
            starts_at=body.starts_at,
            place=body.place,
            notified_on=body.notified_on,
        ),
    )


@router.post("/{uuid:petition_id}/not-heard", response=shapes.PetitionOut, operation_id="elect_not_to_hear")
def post_not_heard(request: HttpRequest, petition_id: UUID) -> Petition:
    """Decline to hear a petition on large business property."""
    actor, code = _actor(request)
    return elect_not_to_hear(_petition(petition_id, code), actor=actor)


@router.post("/{uuid:petition_id}/withdrawal", response=shapes.PetitionOut, operation_id="withdraw_petition")
def post_withdrawal(request: HttpRequest, petition_id: UUID) -> Petition:
    """Note that the petitioner withdrew."""
    actor, code = _actor(request)
    return withdraw_petition(_petition(petition_id, code), actor=actor)


@router.post(
    "/{uuid:petition_id}/decision", response={201: shapes.PetitionDecisionOut}, operation_id="decide_petition"
)
def post_decision(
    request: HttpRequest, petition_id: UUID, body: shapes.PetitionDecisionIn
) -> Status[dict[str, Any]]:
    """Record the board's decision; a change is made by an instrument."""
    actor, code = _actor(request)
    decision = decide_petition(
        _petition(petition_id, code),
        actor=actor,
        decided_on=body.decided_on,
        explanation=body.explanation,
        lines_after=_by_code(body.lines_after) or None,
    )
    return Status(
        201,
        {
            "decided_on": decision.decided_on,
            "outcome": decision.outcome,
            "explanation": decision.explanation,
            "instrument_number": decision.instrument.number if decision.instrument else None,
        },
    )


def _by_code(lines: list[shapes.AmountsIn]) -> dict[str, tuple[int, int]]:
    """Add up the lines of each code: an account may have two dwellings."""
    sums: dict[str, tuple[int, int]] = {}
    for line in lines:
        appraised, assessed = sums.get(line.detail_code, (0, 0))
        sums[line.detail_code] = (appraised + line.appraised, assessed + line.assessed)
    return sums
