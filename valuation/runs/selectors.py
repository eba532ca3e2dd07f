"""What runs made of the facts."""

from __future__ import annotations

from uuid import UUID

from assessment.region.errors import NotFound
from valuation.runs.models import Conclusion, Estimate, RatioStudyRecord, Run
from valuation.runs.rules.groups import review_defaults


def get_run(run_id: UUID) -> Run:
    """Return a run; raise `NotFound`."""
    try:
        return Run.objects.select_related("spec").get(id=run_id)
    except Run.DoesNotExist as error:
        raise NotFound("There is no such valuation run.") from error


def get_town_run(run_id: UUID, town_code: int) -> Run:
    """Return a run of one town; raise `NotFound`, also for another town's."""
    run = get_run(run_id)
    if run.town_id != town_code:
        raise NotFound("There is no such valuation run.")
    return run


def rounding_of(run: Run) -> int:
    """Return the dollars to which the run's model rounds the parts of a value."""
    return int({**review_defaults(), **run.spec.settings}["rounding_dollars"])


def find_base_run(town_code: int, list_year: int) -> Run | None:
    """Return the run whose values were posted for a revaluation year, newest first."""
    posted = Run.objects.filter(town_id=town_code, list_year=list_year, state=Run.State.POSTED, base_run=None)
    return posted.select_related("spec").order_by("-posted_at").first()


def list_runs(town_code: int, *, limit: int = 50) -> list[Run]:
    """Return a town's runs, newest first."""
    return list(Run.objects.filter(town_id=town_code).select_related("spec")[:limit])


def find_finished_run(town_code: int, list_year: int) -> Run | None:
    """Return the newest run of a list that was posted, else the newest that is done."""
    runs = Run.objects.filter(town_id=town_code, list_year=list_year).select_related("spec")
    posted = runs.filter(state=Run.State.POSTED).order_by("-posted_at").first()
    return posted or runs.filter(state=Run.State.DONE).order_by("-started_at").first()


def list_ratio_studies(run: Run) -> list[RatioStudyRecord]:
    """Return the studies of a run: all sales first, then by stratum."""
    order = {"cost": 0, "market": 1, "cards": 2, "value_per_area": 3, "fixed_value": 4}
    rows = RatioStudyRecord.objects.filter(run=run)
    return sorted(
        rows,
        key=lambda row: (row.stratum_kind != "all", row.stratum, row.trim_rule, order.get(row.subject, 9)),
    )


def estimates_of(property_id: UUID) -> tuple[Conclusion | None, list[Estimate]]:
    """Return the newest conclusion on a property with the estimates of its run."""
    conclusion = (
        Conclusion.objects.filter(property_id=property_id)
        .select_related("run__spec", "reviewer")
        .order_by("-concluded_at", "-id")
        .first()
    )
    if conclusion is None:
        return None, []
    return conclusion, estimates_in(conclusion.run, property_id)


def estimates_in(run: Run, property_id: UUID) -> list[Estimate]:
    """Return what each approach of a run says of a property."""
    return list(Estimate.objects.filter(run=run, property_id=property_id).order_by("approach"))
