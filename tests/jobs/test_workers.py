"""Real workers on real brokers: the default folder, and Redis where its server is installed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from assessment.jobs import selectors
from assessment.jobs.models import Job
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A
from tests.databases import TestDatabase

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

_START = """
import sys, django
django.setup()
import tests.jobs.kinds
from assessment.jobs.services import start_job
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A
with scope(SYSTEM, towns=[TOWN_A]):
    print(start_job("wait_for_file", actor=SYSTEM, town=TOWN_A, payload={"file": sys.argv[1]}).id)
"""
_REQUEUE = """
import django
django.setup()
from assessment.jobs.tasks import requeue_left_behind
print(requeue_left_behind())
"""


class Host:
    """A machine with workers: environment, broker and the processes started on it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log = log
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "--app=assessment.project.celery", "--quiet", "worker"),
                    *("--include=tests.jobs.kinds", "--concurrency=1", "--loglevel=INFO"),
                    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def run(self, code: str, *arguments: str) -> str:
        answer = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    def end(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@pytest.fixture(params=["folder", "redis"])
def host(request: pytest.FixtureRequest, committed_db: TestDatabase, tmp_path: Path) -> Iterator[Host]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "assessment.project.settings",
        "DATABASE_URL": committed_db.url(),
        "DATABASE_OWNER_URL": committed_db.owner_url,
        "GRANDLIST_VAR_DIR": str(tmp_path / "var"),
        "PYTHONPATH": str(ROOT),
    }
    redis = None
    if request.param == "redis":
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("no redis-server here: apt-get install redis-server")
        socket = tmp_path / "redis.sock"
        redis = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)],
            stdout=subprocess.DEVNULL,
        )
        _wait_until(socket.exists)
        environment["CELERY_BROKER_URL"] = f"redis+socket://{socket}"
    made = Host(environment, tmp_path / "worker.log")
    yield made
    made.end()
    if redis is not None:
        redis.terminate()
        redis.wait()


def _wait_until(reached: Callable[[], bool], timeout_s: float = 180) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if reached():
            return True
        threading.Event().wait(0.05)
    return False


def _job(job_id: str) -> Job:
    with scope(SYSTEM, towns=[TOWN_A]):
        return selectors.get_job(UUID(job_id))


def test_a_job_started_in_one_process_is_done_by_a_worker(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "go"
    file.touch()
    host.start_worker()
    job_id = host.run(_START, str(file))
    assert _wait_until(lambda: _job(job_id).state == "succeeded"), host.log.read_text()
    assert _job(job_id).attempts == 1


def test_a_job_survives_the_death_of_its_worker(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "go"
    worker = host.start_worker()
    job_id = host.run(_START, str(file))
    assert _wait_until(lambda: _job(job_id).done > 0), host.log.read_text()
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    with scope(SYSTEM, towns=[TOWN_A]):
        job = selectors.get_job(UUID(job_id))
        assert job.heartbeat_at
        Job.objects.filter(id=job.id).update(heartbeat_at=job.heartbeat_at.replace(year=2020))
    assert host.run(_REQUEUE) == "1"
    file.touch()
    host.start_worker()
    assert _wait_until(lambda: _job(job_id).state == "succeeded"), host.log.read_text()
    assert _job(job_id).attempts == 2
