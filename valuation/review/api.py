"""Runs and ratio studies over HTTP; a ratio study also of any figures that are sent."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from assessment.region.errors import Invalid
from assessment.region.requests import town_of
from assessment.region.rules import Permission
from valuation.comparables.api import router as comparables_router
from valuation.review import selectors
from valuation.review.closing import RULE_SET, list_checks
from valuation.review.judged import study_of_run
from valuation.review.many_api import router as many_router
from valuation.review.services import confirm_override, propose_override, refuse_override, withdraw_override
from valuation.runs.models import Run
from valuation.runs.selectors import get_town_run, list_ratio_studies, list_runs

router = Router(tags=["valuation"])
router.add_router("", many_router)
router.add_router("", comparables_router)
_MOST_PAIRS = 20_000
Amount = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]


class RunOut(Schema):
    """A valuation run."""

    id: UUID
    list_year: int
    state: str
    spec: str
    started_at: dt.datetime
    started_by_name: str
    snapshot_sha256: str
    values_sha256: str
    code_version: str
    counts: dict[str, Any]

    @staticmethod
    def resolve_spec(run: Run) -> str:
        return str(run.spec)


class StudyOut(Schema):
    """One ratio study that a run kept: of which values, on which stratum of later sales."""

    subject: str
    stratum_kind: str
    stratum: str
    n: int
    trimmed: int
    trim_rule: str
    figures: dict[str, Any]


class RunStudyOut(Schema):
    """The ratio study of one value of a run against the usable sales; no study under five of them."""

    run: UUID
    list_year: int
    judged: str
    judged_title: str
    choices: list[str]
    sales: int
    study: dict[str, Any] | None
    rules: list[dict[str, Any]]


class CheckOut(Schema):
    """One check of the gate before posting."""

    id: str
    title: str
    state: str
    found: str


class ConclusionOut(Schema):
    """One conclusion as the review queue lists it; whole dollars."""

    conclusion_id: UUID
    property_id: UUID
    address: str
    account_number: str
    neighbourhood: str
    state_class: str
    value: int
    before: int | None
    market: int | None
    low: int | None
    high: int | None
    flags: list[str]
    is_reviewed: bool
    override: str


class ConclusionPage(Schema):
    """A page of conclusions, and how many there are."""

    count: int
    items: list[ConclusionOut]


class QueueQuery(Schema):
    """Which conclusions, in which order."""

    flag: Annotated[str, Field(max_length=40)] = ""
    state: Annotated[str, Field(max_length=12)] = ""
    neighbourhood: Annotated[str, Field(max_length=40)] = ""
    order: Annotated[str, Field(max_length=10)] = "change"
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    offset: Annotated[int, Field(ge=0, le=10**7)] = 0


class OverrideIn(Schema):
    """Another value for a conclusion."""

    value: Annotated[int, Field(ge=0, lt=10**12)]
    reason_code: Annotated[str, Field(max_length=20)]
    note: Annotated[str, Field(min_length=1, max_length=1000)]


class OverrideDecisionIn(Schema):
    """What becomes of an override: confirm (by another person), refuse, or withdraw."""

    action: Annotated[str, Field(pattern="^(confirm|refuse|withdraw)$")]
    note: Annotated[str, Field(max_length=1000)] = ""


class OverrideOut(Schema):
    """An override as it stands."""

    id: UUID
    state: str
    value_before: int
    value_after: int
    components_after: list[Any]
    reason_code: str
    note: str
    second_person_because: list[str]
    effect: dict[str, Any]
    proposed_by_name: str
    decided_by_name: str


class PairsIn(Schema):
    """Values and the prices they are judged by, paired by place."""

    values: Annotated[list[Amount], Field(min_length=1, max_length=_MOST_PAIRS)]
    prices: Annotated[list[Amount], Field(min_length=1, max_length=_MOST_PAIRS)]
    weights: Annotated[list[Annotated[float, Field(ge=0, le=1e6)]], Field(max_length=_MOST_PAIRS)] | None = (
        None
    )
    trim: Annotated[str, Field(pattern="^(none|extreme|outlier|quantile)$")] = "none"
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    level: Annotated[float, Field(gt=0, le=2)] = 1.0
    rules: bool = False


@router.get("/runs/", response=list[RunOut], operation_id="list_valuation_runs")
def list_valuation_runs(request: HttpRequest) -> list[Run]:
    """Return the town's runs, newest first."""
    _, town = town_of(request, permission=Permission.VIEW)
    return list_runs(town.code)


@router.get("/runs/{uuid:valuation_run_id}/studies", response=list[StudyOut], operation_id="list_run_studies")
def list_run_studies(request: HttpRequest, valuation_run_id: UUID) -> list[Any]:
    """Return the ratio studies of a run on sales that it was not fitted on."""
    _, town = town_of(request, permission=Permission.VIEW)
    return list_ratio_studies(get_town_run(valuation_run_id, town.code))


@router.get("/runs/{uuid:valuation_run_id}/study", response=RunStudyOut, operation_id="study_run")
def study_run(
    request: HttpRequest,
    valuation_run_id: UUID,
    judge: Annotated[str, Query(max_length=40)] = "",
) -> dict[str, Any]:
    """Return the study of the value that ``judge`` names: conclusion (unless stated), cost, market or income."""
    _, town = town_of(request, permission=Permission.VIEW)
    return study_of_run(get_town_run(valuation_run_id, town.code), judge, rule_set=RULE_SET)


@router.get("/runs/{uuid:valuation_run_id}/checks", response=list[CheckOut], operation_id="list_run_checks")
def list_run_checks(request: HttpRequest, valuation_run_id: UUID) -> list[dict[str, Any]]:
    """Return the checks between a run and the list, as they stand."""
    _, town = town_of(request, permission=Permission.VIEW)
    return [check.as_json() for check in list_checks(get_town_run(valuation_run_id, town.code))]


@router.get(
    "/runs/{uuid:valuation_run_id}/conclusions", response=ConclusionPage, operation_id="list_run_conclusions"
)
def list_run_conclusions(
    request: HttpRequest, valuation_run_id: UUID, asked: Query[QueueQuery]
) -> dict[str, Any]:
    """Return a page of a run's conclusions."""
    _, town = town_of(request, permission=Permission.VIEW)
    rows, count = selectors.list_review_queue(get_town_run(valuation_run_id, town.code), **asked.dict())
    return {"count": count, "items": rows}


@router.post(
    "/conclusions/{uuid:conclusion_id}/overrides", response=OverrideOut, operation_id="propose_override"
)
def propose(request: HttpRequest, conclusion_id: UUID, body: OverrideIn) -> Any:
    """Conclude another value; above the limits it waits for a second person."""
    actor, town = town_of(request, permission=Permission.RUN_VALUATION)
    selectors.get_conclusion(conclusion_id, town_code=town.code)
    return propose_override(
        conclusion_id, actor=actor, value=body.value, reason_code=body.reason_code, note=body.note
    )


@router.post("/overrides/{uuid:override_id}/decision", response=OverrideOut, operation_id="decide_override")
def decide(request: HttpRequest, override_id: UUID, body: OverrideDecisionIn) -> Any:
    """Agree to an override, refuse it, or take it back."""
    actor, town = town_of(request, permission=Permission.RUN_VALUATION)
    selectors.get_override(override_id, town_code=town.code)
    if body.action == "confirm":
        confirm_override(override_id, actor=actor, note=body.note)
    elif body.action == "refuse":
        refuse_override(override_id, actor=actor, note=body.note)
    else:
        withdraw_override(override_id, actor=actor, note=body.note)
    return selectors.get_override(override_id, town_code=town.code)


@router.post("/ratio-study", response=dict[str, Any], operation_id="study_ratios")
def study_ratios(request: HttpRequest, body: PairsIn) -> dict[str, Any]:
    """Return the ratio study of the figures sent; nothing is kept."""
    from valuation.ratio.rules import RatioStudyError, judge, rule_sets, study

    town_of(request, permission=Permission.VIEW)
    try:
        found = study(
            body.values,
            body.prices,
            weights=body.weights,
            trim_rule=body.trim,  # type: ignore[arg-type]
            confidence=body.confidence,
            resamples=500,
        ).as_json()
        if body.rules:
            outcomes = judge(rule_sets()[RULE_SET], body.values, body.prices, level=body.level)
            found["rules"] = [outcome.as_json() for outcome in outcomes]
    except RatioStudyError as error:
        raise Invalid(f"{error}.", reason=error.code) from error
    return found
