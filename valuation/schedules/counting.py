"""What a change of tables would do to the values: counted at once in a small town, as a job in any other."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils import timezone

from assessment.jobs.models import Job
from assessment.jobs.rules import JobState
from assessment.jobs.selectors import find_newest_job
from assessment.jobs.services import cancel_job, retry_job
from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.rules import Permission
from valuation.long_work import Tell, start_if_many, tell_nobody
from valuation.runs.models import Run
from valuation.schedules.errors import ChangeDecided
from valuation.schedules.models import TableChange

COUNT = "table_change_effect"
"""The kind of job."""


def ask_for_effect(change: TableChange, *, actor: Actor) -> Job | None:
    """Count the effect of a change at once, or have a job do it when the town has many properties.

    Asked again it counts anew: what a failed or cancelled job did not do, or at the facts and sales of today.
    While a job counts, that one is returned.

    Raises
    ------
    Forbidden
        Without the permission to edit models in the town.
    ChangeDecided
        Somebody has accepted or dropped it.
    """
    actor.require(Permission.EDIT_MODELS, change.town_id)
    _require_waiting(change)
    last = find_effect_job(change)
    if last is not None and last.is_open:
        return last
    # A job acts for who asked for it; whoever else tries again starts one of their own.
    own = last is not None and last.requested_by_id == actor.person_id
    if last is not None and own and last.state in (JobState.FAILED, JobState.CANCELLED):
        return retry_job(last.pk, actor=actor)
    properties = Property.objects.filter(town_id=change.town_id, kind=Property.Kind.REAL, is_retired=False)
    job = start_if_many(
        properties.count(),
        COUNT,
        actor=actor,
        town=change.town_id,
        payload={"change": str(change.pk)},
        key=str(change.pk),
    )
    if job is None:
        count_effect(change, actor=actor)
    return job


def count_effect(change: TableChange, *, actor: Actor, tell: Tell = tell_nobody) -> TableChange:
    """Value the town at the run's tables and at those of the change, and keep what differs with the change.

    Of what the effect is stands in it as ``of``: the run, its list and day of facts, both sets of tables by
    hash, the number of sales, and when it was counted.

    Raises
    ------
    Forbidden
        Without the permission to edit models in the town.
    ChangeDecided
        Somebody has accepted or dropped it; what it was decided on stays.
    """
    from valuation.cost.rules import Schedule
    from valuation.runs import reading
    from valuation.runs.rules.groups import review_defaults
    from valuation.runs.rules.levelling import Tables
    from valuation.runs.services import facts_of_run
    from valuation.schedules.effect import STEPS, effect_of

    actor.require(Permission.EDIT_MODELS, change.town_id)
    _require_waiting(change)
    run = change.run
    settings = {**review_defaults(), **run.spec.settings}
    tell(0, STEPS, "reading the sales")
    sales = reading.sales_frame(
        run.town_id,
        first_on=dt.date(run.list_year - int(settings.get("sales_years", 5)), 10, 1),
        last_on=dt.date(run.list_year + 1, 9, 30),
    )
    tell(1, STEPS, "reading the facts")
    facts = facts_of_run(run)
    tables = Tables.from_json(run.tables)
    effect = effect_of(
        tables,
        Schedule.from_json(change.schedule),
        facts.frame,
        sales,
        features=facts.features,
        land_lines=facts.land_lines,
        valued_on=tables.aged_on,
        rounding=int(settings["rounding_dollars"]),
        tell=tell,
    )
    with transaction.atomic():
        # Only now: whoever wants to drop it need not wait for the counting.
        locked = TableChange.objects.select_for_update().get(pk=change.pk)
        _require_waiting(locked)
        locked.effect = {**effect, "of": _told(run, change, sales=len(sales))}
        locked.save(update_fields=["effect"])
    change.effect = locked.effect
    return change


def find_effect_job(change: TableChange) -> Job | None:
    """Return the newest job that counts or counted the effect of a change, or None."""
    return find_newest_job(COUNT, town_code=change.town_id, key=str(change.pk))


def stop_counting(change: TableChange, *, actor: Actor) -> None:
    """Cancel the job that counts the effect of a change, if one does: nobody waits for it any more."""
    job = find_effect_job(change)
    if job is not None and job.is_open:
        cancel_job(job.pk, actor=actor)


def _require_waiting(change: TableChange) -> None:
    if change.state != TableChange.State.WAITING:
        raise ChangeDecided(
            f"The change was {change.get_state_display().lower()} by {change.decided_by_name}."
        )


def _told(run: Run, change: TableChange, *, sales: int) -> dict[str, Any]:
    return {
        "run": str(run.pk),
        "list_year": run.list_year,
        "spec": str(run.spec),
        "facts_on": run.facts_on.isoformat() if run.facts_on else None,
        "tables_before_sha256": _digest(run.tables["schedule"]),
        "tables_after_sha256": _digest(change.schedule),
        "sales": sales,
        "counted_at": timezone.now().isoformat(timespec="seconds"),
    }


def _digest(plain: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
