"""Reading jobs, in the scope's towns."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from assessment.jobs.models import Job
from assessment.jobs.rules import OPEN_STATES, OPEN_VALUES, JobState
from assessment.region.errors import NotFound


def get_job(job_id: UUID) -> Job:
    """Return the job; raise `NotFound`."""
    job = Job.objects.select_related("town").defer("town__boundary").filter(id=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job


def find_open_job(kind: str, *, town_code: int, key: str = "") -> Job | None:
    """Return the newest open job of a kind (and key, if given), or None."""
    jobs = Job.objects.filter(kind=kind, town_id=town_code, state__in=OPEN_VALUES)
    return (jobs.filter(key=key) if key else jobs).order_by("-id").first()


def find_newest_job(kind: str, *, town_code: int, key: str) -> Job | None:
    """Return the newest job of a kind and key in whatever state, or None."""
    return Job.objects.filter(kind=kind, town_id=town_code, key=key).order_by("-id").first()


def list_jobs(
    *,
    towns: Iterable[int] | None = None,
    states: Iterable[JobState] | None = None,
    kind: str = "",
    before: UUID | None = None,
    limit: int = 50,
) -> list[Job]:
    """Return the newest jobs first; for the next page give the last one's id as ``before``."""
    condition = Q()
    if towns is not None:
        condition &= Q(town_id__in=list(towns))
    if states is not None:
        condition &= Q(state__in=[state.value for state in states])
    if kind:
        condition &= Q(kind=kind)
    if before is not None:
        condition &= Q(id__lt=before)
    jobs = Job.objects.filter(condition).select_related("town").defer("town__boundary", "payload")
    return list(jobs.order_by("-id")[: max(1, min(limit, 200))])


def count_open_jobs() -> dict[str, int]:
    """How many jobs wait and run."""
    states = list(Job.objects.filter(state__in=OPEN_VALUES).values_list("state", flat=True))
    return {state.value: states.count(state.value) for state in sorted(OPEN_STATES)}
