"""Jobs over HTTP: what runs, how far it is, and what became of it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from assessment.jobs.models import Job
from assessment.jobs.registry import get_registration
from assessment.jobs.schemas import JobOut
from assessment.jobs.selectors import get_job, list_jobs
from assessment.jobs.services import cancel_job, retry_job
from assessment.region.errors import NotFound
from assessment.region.requests import town_of

router = Router(tags=["jobs"])


@router.get("/", response=list[JobOut], operation_id="list_jobs")
def get_jobs(
    request: HttpRequest,
    kind: str = "",
    before: UUID | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> list[JobOut]:
    """Return the town's newest jobs first; for the next page give the last one's id as ``before``."""
    _, here = town_of(request)
    return [_out(job) for job in list_jobs(towns=[here.code], kind=kind, before=before, limit=limit)]


@router.get("/{uuid:job_id}", response=JobOut, operation_id="get_job")
def get_one(request: HttpRequest, job_id: UUID) -> JobOut:
    """Return one job."""
    return _out(_job(request, job_id))


@router.post("/{uuid:job_id}/cancel", response=JobOut, operation_id="cancel_job")
def post_cancel(request: HttpRequest, job_id: UUID) -> JobOut:
    """Ask a job to stop; it does so at its next step."""
    actor, _ = town_of(request)
    return _out(cancel_job(_job(request, job_id).id, actor=actor))


@router.post("/{uuid:job_id}/retry", response=JobOut, operation_id="retry_job")
def post_retry(request: HttpRequest, job_id: UUID) -> JobOut:
    """Queue a job again that failed or was cancelled."""
    actor, _ = town_of(request)
    return _out(retry_job(_job(request, job_id).id, actor=actor))


def _job(request: HttpRequest, job_id: UUID) -> Job:
    _, here = town_of(request)
    job = get_job(job_id)
    if job.town_id != here.code:
        raise NotFound("There is no such job.")
    return job


def _out(job: Job) -> JobOut:
    return JobOut(
        id=job.id,
        kind=job.kind,
        title=get_registration(job.kind).title,
        state=job.state,
        done=job.done,
        total=job.total,
        label=job.label,
        percent=job.percent,
        attempts=job.attempts,
        requested_by=job.requested_by_name,
        created_at=job.created_at,
        finished_at=job.finished_at,
        error=job.error,
        result=job.result,
    )
