"""Quality re-checks over HTTP, for the office."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from assessment.region.requests import town_of
from assessment.region.rules import Permission
from fieldsync.office import quality_schemas as schemas
from fieldsync.packages.tasks import start_build
from fieldsync.quality import selectors, services
from fieldsync.quality.models import Recheck

router = Router(tags=["field work"])
PageSize = Annotated[int, Field(ge=1, le=200)]


@router.get("/rechecks", response=list[schemas.RecheckOut], operation_id="list_rechecks")
def get_rechecks(request: HttpRequest, limit: PageSize = 50) -> list[schemas.RecheckOut]:
    """Return the town's quality re-checks, the newest first."""
    _, town = town_of(request, permission=Permission.MANAGE_PACKAGES)
    return [schemas.RecheckOut(**_facts(each)) for each in selectors.list_rechecks(town.code)[:limit]]


@router.post("/rechecks", response=schemas.RecheckOut, operation_id="draw_recheck")
def post_recheck(request: HttpRequest, body: schemas.RecheckIn) -> schemas.RecheckOut:
    """Draw a random 5 to 10 percent of what one person inspected, blind, for another person."""
    actor, town = town_of(request, permission=Permission.MANAGE_PACKAGES)
    recheck = services.draw_recheck(
        town.code,
        actor=actor,
        batch=selectors.Batch(
            body.first_person_id, body.source_package_id, body.inspected_from, body.inspected_to
        ),
        percent=body.percent,
        list_year=body.list_year,
        title=body.title,
        seed=body.seed,
        device_id=body.device_id,
        person_id=body.person_id,
    )
    job = start_build(recheck.package, actor=actor)
    return schemas.RecheckOut(**_facts(selectors.get_recheck(recheck.id)), job_id=job.id)


@router.get("/rechecks/{uuid:recheck_id}", response=schemas.RecheckDetailOut, operation_id="get_recheck")
def get_one_recheck(request: HttpRequest, recheck_id: UUID) -> schemas.RecheckDetailOut:
    """Return a re-check with what both people entered, property by property."""
    town_of(request, permission=Permission.MANAGE_PACKAGES)
    return _detail(selectors.get_recheck(recheck_id))


@router.post(
    "/rechecks/{uuid:recheck_id}/decide", response=schemas.RecheckDetailOut, operation_id="decide_recheck"
)
def post_decide(request: HttpRequest, recheck_id: UUID) -> schemas.RecheckDetailOut:
    """Decide now, with what has been compared; a batch that does not agree goes back to its collector."""
    actor, _ = town_of(request, permission=Permission.MANAGE_PACKAGES)
    recheck = services.decide_recheck(recheck_id, actor=actor)
    if recheck.follow_up is not None:
        start_build(recheck.follow_up, actor=actor)
    return _detail(selectors.get_recheck(recheck_id))


def _facts(recheck: Recheck) -> dict[str, Any]:
    names = (
        "id", "package_id", "state", "seed", "percent", "population", "fields_compared", "fields_agreeing",
        "agreement_percent", "follow_up_id", "drawn_at", "decided_at", "properties", "seen",
    )  # fmt: skip
    return {
        **{name: getattr(recheck, name) for name in names},
        "first_person": recheck.first_person.name,
    }


def _detail(recheck: Recheck) -> schemas.RecheckDetailOut:
    items = [
        schemas.ComparisonOut(
            property_id=item.property_id,
            address=item.property.address,
            is_seen=item.second_inspection_id is not None,
            fields=item.comparison,
        )
        for item in selectors.list_items(recheck.id)
    ]
    return schemas.RecheckDetailOut(**_facts(recheck), items=items)
