"""Comparing re-checks in a worker."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from assessment.jobs.registry import RunningJob, job_handler
from assessment.region.rules import Permission
from assessment.region.scope import scope
from fieldsync.quality.comparing import COMPARE_RECHECK
from fieldsync.quality.services import compare_recheck


@job_handler(COMPARE_RECHECK, title="Comparison of a quality re-check", permission=Permission.MANAGE_PACKAGES)
def compare(job: RunningJob) -> dict[str, Any]:
    """Compare the re-check of the payload's ``recheck_id`` as far as it has come."""
    with scope(job.actor, towns=[job.town_code], reason="quality re-check"):
        recheck = compare_recheck(UUID(job.payload["recheck_id"]), actor=job.actor)
    return {"state": recheck.state, "fields": recheck.fields_compared, "agreeing": recheck.fields_agreeing}
