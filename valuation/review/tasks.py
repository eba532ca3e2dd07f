"""Many overrides as jobs: an area's factor, overrides taken along, and the decision on a batch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from assessment.jobs.registry import RunningJob, job_handler
from assessment.region.rules import Permission
from assessment.region.scope import scope
from valuation.review.carrying import carry_overrides
from valuation.review.factors import Area, propose_area_factor, read_factor
from valuation.review.many import decide_batch
from valuation.runs.selectors import get_town_run

FACTOR, CARRY, DECIDE = "override_factor", "carry_overrides", "decide_overrides"


@job_handler(FACTOR, title="Factor on an area", permission=Permission.RUN_VALUATION)
def run_factor(job: RunningJob) -> dict[str, Any]:
    """Ask for a factor; the job's id is the batch's, so that a second run finds what the first one made."""
    asked = job.payload
    with scope(job.actor, towns=[job.town_code], reason="factor on an area"):
        overrides = propose_area_factor(
            get_town_run(UUID(asked["run"]), job.town_code),
            actor=job.actor,
            area=Area(**asked["area"]),
            factor=read_factor(asked["factor"]),
            reason_code=asked["reason_code"],
            note=asked["note"],
            seen=asked.get("seen"),
            batch=job.id,
            tell=job.progress,
        )
    return {"asked_for": len(overrides), "batch": str(job.id)}


@job_handler(CARRY, title="Overrides taken to a new run", permission=Permission.RUN_VALUATION)
def run_carry(job: RunningJob) -> dict[str, Any]:
    """Take overrides along; run twice, the second time finds them there."""
    chosen = job.payload.get("override_ids")
    with scope(job.actor, towns=[job.town_code], reason="overrides taken to a new run"):
        return dict(
            carry_overrides(
                get_town_run(UUID(job.payload["run"]), job.town_code),
                actor=job.actor,
                source=get_town_run(UUID(job.payload["source"]), job.town_code),
                override_ids=None if chosen is None else {UUID(each) for each in chosen},
                tell=job.progress,
            )
        )


@job_handler(DECIDE, title="Decision on many overrides", permission=Permission.RUN_VALUATION)
def run_decision(job: RunningJob) -> dict[str, Any]:
    """Agree to a batch, refuse it, or take it back."""
    asked = job.payload
    with scope(job.actor, towns=[job.town_code], reason="decision on many overrides"):
        job.progress(0, 1, "deciding")
        decided = decide_batch(
            UUID(asked["batch"]), actor=job.actor, action=asked["action"], note=asked.get("note", "")
        )
        job.progress(1, 1, "decided")
    return {"decided": decided, "batch": asked["batch"]}
