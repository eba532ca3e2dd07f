"""Putting a run's conclusions on the open list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.rules import Permission
from assessment.roll.errors import GeneralRevaluationRefused
from assessment.roll.models import GrandList
from assessment.roll.selectors import get_grand_list
from assessment.roll.services.posting import PostedLine, Posting, PostingReport, Reason, post_assessments
from valuation.review.closing import require_closed
from valuation.runs.errors import NotAdopted, RunNotFinished
from valuation.runs.models import Conclusion, Run
from valuation.specs.selectors import find_adopted_spec


def is_revaluation(run: Run) -> bool:
    """Return whether the list of the run's year is a revaluation; False when there is none."""
    return GrandList.objects.filter(
        town_id=run.town_id,
        year=run.list_year,
        kind=GrandList.Kind.REAL,
        basis=GrandList.Basis.REVALUATION,
    ).exists()


@transaction.atomic
def post_conclusions(
    run: Run,
    *,
    actor: Actor,
    reasons: Mapping[UUID, Reason] | None = None,
    only: Iterable[UUID] | None = None,
) -> PostingReport:
    """Put a run's conclusions on the open list of its year, as lines by state detail code.

    On a revaluation list every property is posted, after the run was closed (`close_run`). On an interim list only those with a dated reason are;
    the others keep the values they have.

    Parameters
    ----------
    reasons
        Why each property changes, by property; needed on an interim list.
    only
        Properties to post; all by default.

    Raises
    ------
    RunNotFinished, NotAdopted, NotClosed, Forbidden
        As they say.
    GeneralRevaluationRefused
        An interim list, and no property has a reason.
    ListSigned, ReasonRequired, WrongSchedules, UnknownRollCode
        As `assessment.roll.services.posting.post_assessments` says.
    """
    actor.require(Permission.EDIT_LIST, run.town_id)
    if run.state not in (Run.State.DONE, Run.State.POSTED):
        raise RunNotFinished(f"The run of {run.list_year} is {run.get_state_display().lower()}.")
    base_year = run.base_run.list_year if run.base_run else run.list_year
    adopted = find_adopted_spec(run.town_id, base_year)
    if adopted is None or adopted.pk != run.spec_id:
        raise NotAdopted(
            f"{run.spec} binds the town only when its assessor adopts it for the list of {base_year}."
        )
    grand_list = get_grand_list(run.town_id, run.list_year)
    given = dict(reasons or {})
    if grand_list.basis != GrandList.Basis.REVALUATION and not given and only is None:
        raise GeneralRevaluationRefused(
            f"The {grand_list} is no revaluation: only properties with a dated reason are posted."
        )
    if is_revaluation(run) and only is None:
        require_closed(run)
    rows = Conclusion.objects.filter(run=run)
    if only is not None:
        rows = rows.filter(property_id__in=list(only))
    elif grand_list.basis != GrandList.Basis.REVALUATION:
        rows = rows.filter(property_id__in=list(given))
    source = f"valuation run {run.pk}"
    postings = [
        Posting(
            property_id,
            tuple(
                PostedLine(
                    detail_code=code,
                    appraised=dollars,
                    quantity=None if quantity is None else Decimal(str(quantity)),
                    unit=unit,
                )
                for code, dollars, quantity, unit in components
            ),
            given.get(property_id) or _general_reason(grand_list, source),
        )
        for property_id, components in rows.order_by("property_id").values_list("property_id", "components")
    ]
    report = post_assessments(
        grand_list, actor=actor, postings=postings, schedules_of=dt.date(base_year, 10, 1)
    )
    run.state, run.posted_at = Run.State.POSTED, timezone.now()
    run.save(update_fields=["state", "posted_at"])
    return report


def _general_reason(grand_list: GrandList, source: str) -> Reason | None:
    if grand_list.basis != GrandList.Basis.REVALUATION:
        return None
    return Reason("revaluation", grand_list.assessment_on, source=source)
