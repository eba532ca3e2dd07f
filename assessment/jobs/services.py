"""Starting, claiming, finishing, cancelling and retrying jobs.

All run inside a scope that holds the job's town. The row is the truth: a lost or doubled message changes
nothing, since `claim_job` takes a row only from the queue or from a worker that went silent.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from assessment.jobs.errors import ClaimLost, JobAbandoned, JobStateConflict
from assessment.jobs.models import Job
from assessment.jobs.registry import get_registration
from assessment.jobs.rules import (
    MOST_ATTEMPTS,
    OPEN_VALUES,
    STALE_AFTER,
    UNHEARD_AFTER,
    JobState,
    is_left_behind,
    may_step,
)
from assessment.region.actors import Actor
from assessment.region.errors import NotFound, Problem
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.problems import make_problem_document

log = structlog.get_logger(__name__)


def start_job(
    kind: str, *, actor: Actor, town: Town | int, payload: dict[str, Any] | None = None, key: str = ""
) -> Job:
    """Queue a job and, once the transaction commits, send its id to a worker.

    Parameters
    ----------
    payload
        Ids and choices as JSON, never rows or file contents.
    key
        When given, an open job of this kind with the same key is returned instead of a second one.

    Raises
    ------
    UnknownKind, Forbidden
    """
    town_code = town if isinstance(town, int) else town.code
    actor.require(get_registration(kind).permission, town_code)
    now = timezone.now()
    fields: dict[str, Any] = {
        "payload": payload or {},
        "requested_by_id": actor.person_id,
        "requested_by_name": actor.name,
        "sent_at": now,
    }
    if key:
        # The partial unique index decides between two who start it at once.
        job, created = Job.objects.get_or_create(
            town_id=town_code, kind=kind, key=key, state__in=OPEN_VALUES, defaults=fields
        )
        if not created:
            return job
    else:
        job = Job.objects.create(town_id=town_code, kind=kind, **fields)
    _send_on_commit(job)
    return job


def claim_job(job_id: UUID, *, actor: Actor) -> Job | None:
    """Take a job for this run; None when it is done, cancelled or in another worker's hands.

    SKIP LOCKED: of two workers that got the same message, the second does not wait for the first.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update(skip_locked=True).filter(id=job_id).first()
        if job is None:
            return None
        now = timezone.now()
        silent = job.heartbeat_at is not None and is_left_behind(
            JobState(job.state), now=now, heard_at=job.heartbeat_at
        )
        if job.state != JobState.QUEUED and not (job.state == JobState.RUNNING and silent):
            return None
        job.state = JobState.RUNNING
        job.claim = new_id()
        job.attempts += 1
        job.started_at = job.heartbeat_at = now
        job.save(update_fields=["state", "claim", "attempts", "started_at", "heartbeat_at"])
        log.info("job claimed", job=str(job.id), kind=job.kind, attempt=job.attempts, by=actor.name)
        return job


def record_heartbeat(
    job_id: UUID, *, actor: Actor, claim: UUID, done: int | None = None, total: int = 0, label: str = ""
) -> bool:
    """Say that the run is alive and how far it is; return whether somebody asked to cancel it.

    Raises
    ------
    ClaimLost
        Another run has the job, or it ended.
    """
    fields: dict[str, Any] = {"heartbeat_at": timezone.now()}
    if done is not None:
        fields |= {"done": min(done, total) if total else done, "total": total, "label": label[:120]}
    changed = Job.objects.filter(id=job_id, claim=claim, state=JobState.RUNNING).update(**fields)
    if not changed:
        raise ClaimLost
    return Job.objects.filter(id=job_id, cancel_requested_at__isnull=False).exists()


def finish_job(job_id: UUID, *, actor: Actor, claim: UUID, result: dict[str, Any] | None = None) -> None:
    """Record success; `ClaimLost` when another run has the job."""
    job = _get_claimed(job_id, claim)
    job.result = result
    job.done = job.total or job.done
    _end(job, JobState.SUCCEEDED)


def fail_job(job_id: UUID, *, actor: Actor, claim: UUID, problem: Problem) -> None:
    """Record failure with the problem that stopped it; `ClaimLost` when another run has the job."""
    job = _get_claimed(job_id, claim)
    job.error = make_problem_document(problem)
    _end(job, JobState.FAILED)


def record_cancellation(job_id: UUID, *, actor: Actor, claim: UUID) -> None:
    """Record that the run stopped because somebody cancelled the job."""
    _end(_get_claimed(job_id, claim), JobState.CANCELLED)


def release_job(job_id: UUID, *, actor: Actor, claim: UUID) -> None:
    """Put a running job back into the queue, as a worker does that is told to stop."""
    job = _get_claimed(job_id, claim)
    _requeue(job, now=timezone.now())
    _send_on_commit(job)


def cancel_job(job_id: UUID, *, actor: Actor) -> Job:
    """Cancel a job: a queued one at once, a running one at its next sign of progress.

    Raises
    ------
    NotFound, Forbidden
    JobStateConflict
        It has ended.
    """
    job = _get_locked(job_id)
    actor.require(get_registration(job.kind).permission, job.town_id)
    if job.state == JobState.QUEUED:
        _end(job, JobState.CANCELLED)
    elif job.state == JobState.RUNNING:
        job.cancel_requested_at = job.cancel_requested_at or timezone.now()
        job.save(update_fields=["cancel_requested_at"])
    else:
        raise JobStateConflict(f"The job has already {job.state}.", state=job.state)
    return job


def retry_job(job_id: UUID, *, actor: Actor) -> Job:
    """Queue a failed or cancelled job again, with its attempts counted anew.

    Raises
    ------
    NotFound, Forbidden
    JobStateConflict
        It is open or has succeeded, or an open job has the same key.
    """
    job = _get_locked(job_id)
    actor.require(get_registration(job.kind).permission, job.town_id)
    if not may_step(JobState(job.state), JobState.QUEUED) or job.state == JobState.RUNNING:
        raise JobStateConflict(f"A job that is {job.state} cannot be started again.", state=job.state)
    same = Job.objects.filter(town_id=job.town_id, kind=job.kind, key=job.key, state__in=OPEN_VALUES)
    if job.key and same.exists():
        raise JobStateConflict("Another job does the same work now.", state=job.state)
    job.attempts = 0
    _requeue(job, now=timezone.now())
    _send_on_commit(job)
    return job


def requeue_left_behind(*, actor: Actor, now: dt.datetime | None = None) -> list[UUID]:
    """Send again every job whose message was lost or whose worker went silent, in the scope's towns.

    One that was begun too often fails instead. Returns the ids that were sent.
    """
    now = now or timezone.now()
    sent: list[UUID] = []
    with transaction.atomic():
        waiting = Job.objects.filter(state=JobState.QUEUED, sent_at__lt=now - UNHEARD_AFTER)
        silent = Job.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=now - STALE_AFTER)
        for job in (waiting | silent).order_by("id").select_for_update(skip_locked=True):
            if job.state == JobState.RUNNING and job.attempts >= MOST_ATTEMPTS:
                job.error = make_problem_document(
                    JobAbandoned(f"It was begun {job.attempts} times.", attempts=job.attempts)
                )
                _end(job, JobState.FAILED)
                continue
            _requeue(job, now=now)
            _send_on_commit(job)
            sent.append(job.id)
    if sent:
        log.warning("jobs sent again", count=len(sent))
    return sent


def _send_on_commit(job: Job) -> None:
    job_id, town_code = str(job.id), job.town_id

    def send() -> None:
        from assessment.jobs.tasks import run_job

        run_job.delay(job_id, town_code)

    # robust: a broker that is away must not undo the request; beat sends the job again.
    transaction.on_commit(send, robust=True)


def _requeue(job: Job, *, now: dt.datetime) -> None:
    job.state = JobState.QUEUED
    job.claim = job.error = job.finished_at = job.cancel_requested_at = None
    job.sent_at = now
    job.save(
        update_fields=["state", "claim", "error", "finished_at", "cancel_requested_at", "sent_at", "attempts"]
    )


def _end(job: Job, state: JobState) -> None:
    if not may_step(JobState(job.state), state):
        raise JobStateConflict(f"A job that is {job.state} cannot become {state}.", state=job.state)
    job.state = state
    job.finished_at = timezone.now()
    job.save(update_fields=["state", "finished_at", "result", "error", "done"])
    log.info("job ended", job=str(job.id), kind=job.kind, state=str(state))


def _get_claimed(job_id: UUID, claim: UUID) -> Job:
    job = Job.objects.select_for_update().filter(id=job_id, claim=claim, state=JobState.RUNNING).first()
    if job is None:
        raise ClaimLost
    return job


def _get_locked(job_id: UUID) -> Job:
    job = Job.objects.select_for_update().filter(id=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job
