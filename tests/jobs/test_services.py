"""Jobs as rows: who may start, take, finish, cancel and retry them."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from assessment.jobs import registry, runs, selectors, services
from assessment.jobs.errors import ClaimLost, JobStateConflict, UnknownKind
from assessment.jobs.models import Job
from assessment.jobs.registry import RunningJob, job_handler
from assessment.jobs.rules import JobState
from assessment.project.celery import load_tasks
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Invalid, NotFound
from assessment.region.rules import Permission
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast, make_cast
from tests.databases import TestDatabase

WORKER = Actor.system("worker")


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some kinds of work, known during a test only.

    The real ones are loaded first: a module is imported once, so what it registered into the copy would be
    lost to the tests that come after.
    """
    load_tasks()
    monkeypatch.setattr(registry, "_registrations", dict(registry._registrations))

    @job_handler("count_cards", permission=Permission.IMPORT)
    def count_cards(job: RunningJob) -> dict[str, Any]:
        for number in range(1, job.payload["cards"] + 1):
            job.progress(number, job.payload["cards"], f"card {number}")
        return {"counted": job.payload["cards"]}

    @job_handler("refuse")
    def refuse(job: RunningJob) -> None:
        raise Invalid("The file has no rows.", rows=0)

    @job_handler("break")
    def break_(job: RunningJob) -> None:
        raise ZeroDivisionError("owner: Jane Roe")

    @job_handler("write_and_break")
    def write_and_break(job: RunningJob) -> None:
        with scope(job.actor, towns=[job.town_code]):
            services.start_job("refuse", actor=job.actor, town=job.town_code)
            raise ZeroDivisionError


def _start(kind: str = "count_cards", **more: Any) -> Job:
    with scope(SYSTEM, towns=[TOWN_A]):
        return services.start_job(kind, actor=SYSTEM, town=TOWN_A, **more)


def _get(job: Job) -> Job:
    with scope(SYSTEM, towns=[TOWN_A]):
        return selectors.get_job(job.id)


def _age(job: Job, **fields: dt.datetime) -> None:
    with scope(SYSTEM, towns=[TOWN_A]):
        Job.objects.filter(id=job.id).update(**fields)


LONG_AGO = dt.timedelta(hours=1)


@pytest.mark.django_db
def test_a_job_is_done_and_keeps_its_result_and_progress() -> None:
    job = _start(payload={"cards": 3})
    assert runs.run(job.id, TOWN_A) == "succeeded"
    done = _get(job)
    assert (done.state, done.done, done.total, done.percent) == ("succeeded", 3, 3, 100)
    assert done.result == {"counted": 3}
    assert done.finished_at is not None


@pytest.mark.django_db
def test_a_job_delivered_twice_is_done_once() -> None:
    job = _start(payload={"cards": 1})
    assert runs.run(job.id, TOWN_A) == "succeeded"
    assert runs.run(job.id, TOWN_A) == "skipped"
    assert _get(job).attempts == 1


@pytest.mark.django_db
def test_a_refusal_is_kept_as_a_problem() -> None:
    job = _start("refuse")
    assert runs.run(job.id, TOWN_A) == "failed"
    error = _get(job).error
    assert error is not None
    assert (error["code"], error["detail"], error["rows"]) == ("invalid", "The file has no rows.", 0)


@pytest.mark.django_db
def test_an_unexpected_error_ends_the_job_and_shows_no_personal_data() -> None:
    job = _start("break")
    assert runs.run(job.id, TOWN_A) == "failed"
    assert _get(job).error["code"] == "job-failed"  # type: ignore[index]
    assert "Jane Roe" not in str(_get(job).error)


@pytest.mark.django_db
def test_an_unknown_kind_is_refused_when_it_is_started() -> None:
    with pytest.raises(UnknownKind):
        _start("no_such_work")


@pytest.mark.django_db
def test_only_those_who_may_do_the_work_may_start_cancel_or_retry_it(cast: Cast) -> None:
    collector, assessor = cast.actor(cast.collector_a), cast.actor(cast.assessor_a)
    with scope(assessor, towns=[TOWN_A]):
        with pytest.raises(Forbidden):
            services.start_job("count_cards", actor=collector, town=cast.town_a)
        job = services.start_job("count_cards", actor=assessor, town=cast.town_a)
        with pytest.raises(Forbidden):
            services.cancel_job(job.id, actor=collector)
        assert services.cancel_job(job.id, actor=assessor).state == JobState.CANCELLED
        with pytest.raises(Forbidden):
            services.retry_job(job.id, actor=collector)
        assert services.retry_job(job.id, actor=assessor).state == JobState.QUEUED


@pytest.mark.django_db
def test_a_job_acts_as_the_person_who_asked_for_it(cast: Cast) -> None:
    seen: list[Actor] = []

    @job_handler("who_am_i")
    def who_am_i(job: RunningJob) -> None:
        seen.append(job.actor)

    assessor = cast.actor(cast.assessor_a)
    with scope(assessor, towns=[TOWN_A]):
        job = services.start_job("who_am_i", actor=assessor, town=TOWN_A)
    runs.run(job.id, TOWN_A)
    assert seen[0].person_id == cast.assessor_a.id
    assert seen[0].may(Permission.SIGN_LIST, TOWN_A)


@pytest.mark.django_db
def test_another_town_sees_nothing_of_a_job() -> None:
    job = _start(payload={"cards": 1})
    with scope(SYSTEM, towns=[TOWN_B]):
        assert selectors.list_jobs() == []
        with pytest.raises(NotFound):
            selectors.get_job(job.id)
    assert runs.run(job.id, TOWN_B) == "skipped"


@pytest.mark.django_db
def test_one_key_has_one_open_job() -> None:
    first, second = _start(key="list-2024"), _start(key="list-2024")
    assert first.id == second.id
    assert _start(key="list-2025").id != first.id
    assert _start().id != _start().id


@pytest.mark.django_db
def test_a_job_whose_message_was_lost_is_sent_again(django_capture_on_commit_callbacks: Any) -> None:
    job = _start(payload={"cards": 1})
    with scope(SYSTEM, towns=[TOWN_A]):
        assert services.requeue_left_behind(actor=SYSTEM) == []
    _age(job, sent_at=timezone.now() - LONG_AGO)
    with django_capture_on_commit_callbacks() as callbacks, scope(SYSTEM, towns=[TOWN_A]):
        assert services.requeue_left_behind(actor=SYSTEM) == [job.id]
    assert len(callbacks) == 1


def _claim(job: Job) -> Job:
    with scope(WORKER, towns=[TOWN_A]):
        claimed = services.claim_job(job.id, actor=WORKER)
    assert claimed is not None
    return claimed


@pytest.mark.django_db
def test_a_job_whose_worker_died_is_taken_by_the_next_and_the_dead_one_cannot_write() -> None:
    job = _start(payload={"cards": 1})
    dead = _claim(job)
    assert runs.run(job.id, TOWN_A) == "skipped", "its worker is alive as far as anybody knows"
    _age(job, heartbeat_at=timezone.now() - LONG_AGO)
    assert runs.run(job.id, TOWN_A) == "succeeded"
    assert dead.claim is not None
    with scope(WORKER, towns=[TOWN_A]):
        with pytest.raises(ClaimLost):
            services.record_heartbeat(job.id, actor=WORKER, claim=dead.claim)
        with pytest.raises(ClaimLost):
            services.finish_job(job.id, actor=WORKER, claim=dead.claim)


@pytest.mark.django_db
def test_a_job_that_kills_its_workers_is_given_up() -> None:
    job = _start(payload={"cards": 1})
    for _ in range(3):
        _claim(job)
        _age(job, heartbeat_at=timezone.now() - LONG_AGO)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert services.requeue_left_behind(actor=SYSTEM) == []
    assert _get(job).state == "failed"
    assert _get(job).error["code"] == "job-abandoned"  # type: ignore[index]


@pytest.mark.django_db
def test_a_running_job_is_cancelled_at_its_next_sign_of_progress() -> None:
    @job_handler("cancel_me")
    def cancel_me(job: RunningJob) -> None:
        job.progress(1, 2)
        with scope(SYSTEM, towns=[TOWN_A]):
            services.cancel_job(job.id, actor=SYSTEM)
        job.progress(2, 2)

    job = _start("cancel_me")
    assert runs.run(job.id, TOWN_A) == "cancelled"
    assert (_get(job).state, _get(job).done) == ("cancelled", 2)


@pytest.mark.django_db
@pytest.mark.parametrize("step", [services.cancel_job, services.retry_job])
def test_a_job_that_succeeded_stays_as_it_is(step: Any) -> None:
    job = _start(payload={"cards": 1})
    runs.run(job.id, TOWN_A)
    with scope(SYSTEM, towns=[TOWN_A]), pytest.raises(JobStateConflict):
        step(job.id, actor=SYSTEM)


@pytest.mark.django_db
def test_the_next_page_begins_after_the_last() -> None:
    made = [_start().id for _ in range(5)]
    with scope(SYSTEM, towns=[TOWN_A]):
        first = selectors.list_jobs(limit=3)
        second = selectors.list_jobs(limit=3, before=first[-1].id)
    assert [job.id for job in first + second] == made[::-1]


def test_progress_is_seen_from_outside_while_the_work_is_in_a_transaction(committed_db: TestDatabase) -> None:
    seen = threading.Event()

    @job_handler("long_work")
    def long_work(job: RunningJob) -> None:
        with scope(job.actor, towns=[job.town_code]):
            job.progress(7, 9, "in the middle")
            assert seen.wait(20)

    job = _start("long_work")

    def work() -> None:
        try:
            runs.run(job.id, TOWN_A)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    while not (found := _get(job)).done and worker.is_alive():
        worker.join(0.05)
    seen.set()
    worker.join()
    assert (found.state, found.done, found.total, found.label) == ("running", 7, 9, "in the middle")
    assert _get(job).state == "succeeded"


def test_what_failed_work_wrote_is_rolled_back_and_the_failure_is_kept(committed_db: TestDatabase) -> None:
    job = _start("write_and_break")
    assert runs.run(job.id, TOWN_A) == "failed"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert [found.id for found in selectors.list_jobs()] == [job.id]


def test_of_two_workers_with_the_same_message_one_does_the_work(committed_db: TestDatabase) -> None:
    job = _start(payload={"cards": 50})
    barrier = threading.Barrier(4)
    said: list[str] = []

    def work() -> None:
        try:
            barrier.wait()
            said.append(runs.run(job.id, TOWN_A))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(said) == ["skipped", "skipped", "skipped", "succeeded"]
    assert _get(job).attempts == 1


def test_two_who_start_the_same_key_at_once_get_the_same_job(committed_db: TestDatabase) -> None:
    make_cast()
    barrier = threading.Barrier(4)
    ids: set[Any] = set()

    def start() -> None:
        try:
            barrier.wait()
            ids.add(_start(key="same").id)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 1


@pytest.mark.django_db
def test_a_message_leaves_only_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        with transaction.atomic():
            _start()
        assert len(callbacks) == 0
    assert len(callbacks) == 1
