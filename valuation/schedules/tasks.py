"""The effect of a change of tables as a job: one call of the service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from assessment.jobs.registry import RunningJob, job_handler
from assessment.region.rules import Permission
from assessment.region.scope import scope
from valuation.schedules.counting import COUNT, count_effect
from valuation.schedules.selectors import get_change


@job_handler(COUNT, title="Effect of a change of cost tables", permission=Permission.EDIT_MODELS)
def run_count(job: RunningJob) -> dict[str, Any]:
    """Count the effect; run twice it is counted twice, and the later one stays."""
    with scope(job.actor, towns=[job.town_code], reason="effect of a change of cost tables"):
        change = get_change(job.town_code, UUID(job.payload["change"]))
        effect = count_effect(change, actor=job.actor, tell=job.progress).effect
    return {"properties": effect["properties"], "properties_that_change": effect["changed"]}
