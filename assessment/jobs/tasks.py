"""Celery's side of jobs: ids in, one service call, safe to run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from assessment.jobs import runs, services
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.scope import scope


@shared_task(name="jobs.run")
def run_job(job_id: str, town_code: int) -> str:
    """Do the work of one job."""
    return runs.run(UUID(job_id), town_code)


@shared_task(name="jobs.requeue_left_behind")
def requeue_left_behind() -> int:
    """Send again what a lost message or a dead worker left; beat calls it."""
    actor = Actor.system("requeue jobs")
    with scope(actor, towns=Town.objects.values_list("code", flat=True)):
        return len(services.requeue_left_behind(actor=actor))
