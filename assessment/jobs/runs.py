"""One run of a job in a worker: the heart that beats beside the handler, and what its end means."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import structlog
from django.db import OperationalError, connection
from django.utils import timezone

from assessment.jobs import services
from assessment.jobs.errors import ClaimLost, JobCancelled
from assessment.jobs.models import Job
from assessment.jobs.registry import RunningJob, get_registration
from assessment.jobs.rules import HEARTBEAT_EVERY_S, JobState
from assessment.region.actors import Actor
from assessment.region.errors import Problem
from assessment.region.scope import scope
from assessment.region.selectors import get_actor

log = structlog.get_logger(__name__)


class WorkFailed(Problem):
    """The handler raised something that is no problem of ours to explain."""

    code, title, status = "job-failed", "The work stopped at an error", 500


def run(job_id: UUID, town_code: int) -> str:
    """Claim the job, do its work and record the outcome; return the job's state, or ``"skipped"``.

    The work itself runs outside of any transaction. A connection lost on the way leaves the job running,
    to be taken up again when its heartbeat is stale.
    """
    worker = Actor.system("worker")
    with scope(worker, towns=[town_code]):
        job = services.claim_job(job_id, actor=worker)
        if job is None:
            return "skipped"
        actor = _actor_of(job)
    assert job.claim is not None
    heart = _Heart(job.id, town_code, job.claim, worker)
    try:
        registration = get_registration(job.kind)
        with heart:
            result = registration.run(
                RunningJob(
                    id=job.id, town_code=town_code, payload=job.payload, actor=actor, progress=heart.progress
                )
            )
        heart.flush()
        with scope(worker, towns=[town_code]):
            services.finish_job(job.id, actor=worker, claim=job.claim, result=result)
    except ClaimLost:
        log.warning("job was taken over by another worker", job=str(job.id))
        return "skipped"
    except JobCancelled:
        with scope(worker, towns=[town_code]):
            services.record_cancellation(job.id, actor=worker, claim=job.claim)
        return JobState.CANCELLED.value
    except OperationalError:
        log.exception("database lost during a job", job=str(job.id))
        raise
    except Exception as error:  # noqa: BLE001  whatever a handler raises must end the job visibly
        return _record_failure(job, error, worker)
    return JobState.SUCCEEDED.value


def _actor_of(job: Job) -> Actor:
    if job.requested_by is None:
        return Actor.system(job.kind)
    return get_actor(job.requested_by, on=timezone.localdate())


def _record_failure(job: Job, error: Exception, worker: Actor) -> str:
    if isinstance(error, Problem):
        problem = error
        log.info("job refused", job=str(job.id), kind=job.kind, code=problem.code)
    else:
        # The text of a stranger's error may hold a row: it goes to the log's traceback, not to the page.
        log.exception("job failed", job=str(job.id), kind=job.kind)
        problem = WorkFailed(f"{type(error).__name__}; the server's log has the details.", job=str(job.id))
    assert job.claim is not None
    with scope(worker, towns=[job.town_id]):
        services.fail_job(job.id, actor=worker, claim=job.claim, problem=problem)
    return JobState.FAILED.value


class _Heart:
    """Writes progress and heartbeat from a thread with a connection of its own.

    The handler may be inside a long transaction, where its own writes would stay unseen until the end.
    Where the claim itself was made inside an open transaction (a test's), another connection cannot see
    it, and progress is written by the caller's.
    """

    def __init__(self, job_id: UUID, town_code: int, claim: UUID, worker: Actor) -> None:
        self._job_id, self._town_code, self._claim, self._worker = job_id, town_code, claim, worker
        self._progress: tuple[int, int, str] | None = None
        self._stop = threading.Event()
        self._ended: Exception | None = None
        self._beside = not connection.in_atomic_block
        self._thread = threading.Thread(target=self._beat_until_stopped, name="job-heartbeat", daemon=True)

    def __enter__(self) -> _Heart:
        if self._beside:
            self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        if self._beside:
            self._thread.join()

    def progress(self, done: int, total: int = 0, label: str = "") -> None:
        """Note how far the work is; raise what the last beat found out."""
        self._progress = (done, total, label)
        if not self._beside:
            self._beat()
        if self._ended is not None:
            raise self._ended

    def flush(self) -> None:
        """Write the last progress, so that the row ends with the true count."""
        if self._progress is not None:
            self._beat()
        if isinstance(self._ended, ClaimLost):
            raise self._ended

    def _beat_until_stopped(self) -> None:
        try:
            # The first beats come quickly, so that a page shows the work begin.
            pause = 1.0
            while not self._stop.wait(pause):
                self._beat()
                pause = min(pause * 2, HEARTBEAT_EVERY_S)
        except OperationalError:
            log.warning("heartbeat lost the database", job=str(self._job_id))
        finally:
            connection.close()

    def _beat(self) -> None:
        done, total, label = self._progress or (None, 0, "")
        try:
            with scope(self._worker, towns=[self._town_code]):
                cancelled = services.record_heartbeat(
                    self._job_id, actor=self._worker, claim=self._claim, done=done, total=total, label=label
                )
        except ClaimLost as lost:
            self._ended = lost
        else:
            if cancelled:
                self._ended = JobCancelled()
