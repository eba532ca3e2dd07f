"""Many values at once over HTTP: an area's factor, a batch's decision, and the overrides of an earlier run."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from assessment.region.requests import town_of
from assessment.region.rules import Permission
from valuation.long_work import IN_REQUEST, start_if_many
from valuation.review import tasks
from valuation.review.carrying import CarryRow, carry_overrides, find_source, plan_carry
from valuation.review.factors import Area, preview_factor, propose_area_factor, read_factor
from valuation.review.many import decide_batch, get_batch
from valuation.runs.selectors import get_town_run

router = Router(tags=["valuation"])


class AreaIn(Schema):
    """An area and its factor; at least one of neighbourhood and class."""

    neighbourhood: Annotated[str, Field(max_length=40)] = ""
    state_class: Annotated[str, Field(max_length=3)] = ""
    with_overridden: bool = False
    factor: Annotated[str, Field(max_length=16, pattern=r"^[0-9]*\.?[0-9]+$")]

    def area(self) -> Area:
        """Return which properties are meant."""
        return Area(self.neighbourhood, self.state_class, self.with_overridden)


class FactorIn(AreaIn):
    """A factor that is asked for, with its reason and, from the preview, the total before."""

    reason_code: Annotated[str, Field(max_length=20)]
    note: Annotated[str, Field(min_length=1, max_length=800)]
    seen: int | None = None


class ChangedOut(Schema):
    """One value before and after, whole dollars."""

    conclusion_id: UUID
    property_id: UUID
    address: str
    neighbourhood: str
    before: int
    after: int


class FactorPreviewOut(Schema):
    """What a factor would do; at most the first 500 values by address, and how many there are."""

    count: int
    before: int
    after: int
    waiting: int
    overridden: int
    unchanged: int
    effect: dict[str, Any]
    rows: list[ChangedOut]


class OverridesOut(Schema):
    """What became of many: counts, and the batch or the job that does it."""

    count: int = 0
    to_review: int = 0
    batch: UUID | None = None
    job: UUID | None = None


class BatchDecisionIn(Schema):
    """What becomes of a batch: confirm (by another person), refuse, or withdraw."""

    action: Annotated[str, Field(pattern="^(confirm|refuse|withdraw)$")]
    note: Annotated[str, Field(max_length=1000)] = ""


class CarryOut(Schema):
    """One override of an earlier run: same, look (the record changed), refused or done, and why."""

    override_id: UUID
    property_id: UUID
    address: str
    then: int
    now: int | None
    after: int
    reason_code: str
    verdict: str
    why: str


class CarryIn(Schema):
    """Which overrides of which run; by default all where nothing changed."""

    source: UUID
    override_ids: Annotated[list[UUID], Field(max_length=IN_REQUEST)] | None = None


@router.post(
    "/runs/{uuid:valuation_run_id}/factor-preview", response=FactorPreviewOut, operation_id="preview_factor"
)
def preview(request: HttpRequest, valuation_run_id: UUID, body: AreaIn) -> dict[str, Any]:
    """Return what a factor on an area would do, with the ratio study before and after; nothing is kept."""
    _, town = town_of(request, permission=Permission.VIEW)
    run = get_town_run(valuation_run_id, town.code)
    found = preview_factor(run, area=body.area(), factor=read_factor(body.factor))
    return {
        "count": len(found.rows),
        "before": found.before,
        "after": found.after,
        "waiting": found.waiting,
        "overridden": found.overridden,
        "unchanged": found.unchanged,
        "effect": found.effect,
        "rows": found.rows[:IN_REQUEST],
    }


@router.post("/runs/{uuid:valuation_run_id}/factors", response=OverridesOut, operation_id="propose_factor")
def propose(request: HttpRequest, valuation_run_id: UUID, body: FactorIn) -> dict[str, Any]:
    """Ask for a factor on an area; a second person decides it as one. Many values are a job."""
    actor, town = town_of(request, permission=Permission.RUN_VALUATION)
    run = get_town_run(valuation_run_id, town.code)
    exact, area = read_factor(body.factor), body.area()
    plain = body.dict()
    payload = {
        "run": str(run.pk),
        "area": {name: plain[name] for name in ("neighbourhood", "state_class", "with_overridden")},
        **{name: plain[name] for name in ("factor", "reason_code", "note", "seen")},
    }
    count = len(preview_factor(run, area=area, factor=exact, effect=False).rows)
    job = start_if_many(count, tasks.FACTOR, actor=actor, town=town, payload=payload, key=f"{run.pk}:{area}")
    if job is not None:
        return {"job": job.pk}
    overrides = propose_area_factor(
        run,
        actor=actor,
        area=area,
        factor=exact,
        reason_code=body.reason_code,
        note=body.note,
        seen=body.seen,
    )
    return {"count": len(overrides), "batch": overrides[0].batch}


@router.post(
    "/override-batches/{uuid:batch_id}/decision", response=OverridesOut, operation_id="decide_override_batch"
)
def decide(request: HttpRequest, batch_id: UUID, body: BatchDecisionIn) -> dict[str, Any]:
    """Agree to a batch, refuse it, or take it back while its run is open. Many values are a job."""
    actor, town = town_of(request, permission=Permission.RUN_VALUATION)
    payload = {"batch": str(batch_id), **body.dict()}
    many = len(get_batch(batch_id, town_code=town.code))
    job = start_if_many(many, tasks.DECIDE, actor=actor, town=town, payload=payload, key=str(batch_id))
    if job is not None:
        return {"job": job.pk, "batch": batch_id}
    count = decide_batch(batch_id, actor=actor, action=body.action, note=body.note)
    return {"count": count, "batch": batch_id}


@router.get("/runs/{uuid:valuation_run_id}/carry", response=list[CarryOut], operation_id="plan_carry")
def plan(request: HttpRequest, valuation_run_id: UUID, source: UUID | None = None) -> list[CarryRow]:
    """Return what would become of the overrides of an earlier run; without ``source`` of the one before."""
    _, town = town_of(request, permission=Permission.VIEW)
    run = get_town_run(valuation_run_id, town.code)
    earlier = get_town_run(source, town.code) if source else find_source(run)
    return plan_carry(run, source=earlier) if earlier else []


@router.post("/runs/{uuid:valuation_run_id}/carry", response=OverridesOut, operation_id="carry_overrides")
def carry(request: HttpRequest, valuation_run_id: UUID, body: CarryIn) -> dict[str, Any]:
    """Ask for overrides of an earlier run again, where the run concludes the same. Many are a job."""
    actor, town = town_of(request, permission=Permission.RUN_VALUATION)
    run = get_town_run(valuation_run_id, town.code)
    source = get_town_run(body.source, town.code)
    chosen = None if body.override_ids is None else set(body.override_ids)
    if chosen is None:
        same = sum(row.verdict == "same" for row in plan_carry(run, source=source))
        payload, key = {"run": str(run.pk), "source": str(source.pk)}, f"{run.pk}:{source.pk}"
        job = start_if_many(same, tasks.CARRY, actor=actor, town=town, payload=payload, key=key)
        if job is not None:
            return {"job": job.pk}
    counts = carry_overrides(run, actor=actor, source=source, override_ids=chosen)
    return {"count": counts["carried"], "to_review": counts["to_review"]}
