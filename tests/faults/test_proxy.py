"""Two tablets do a day against the real server process, through a proxy that breaks one request in four."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from assessment.property.models import Building, Observation, Photo
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.devices.services import make_enrolment_code
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A, Cast, make_cast
from tests.databases import TestDatabase
from tests.faults.proxy import FAULTS, FaultProxy, running
from tests.fieldsync.conftest import House, build_houses, draw

DAY = 20


@pytest.fixture
def gunicorn(committed_db: TestDatabase, tmp_path: Path) -> Iterator[int]:
    """The port of the server as `manage.py run` starts it, on this test's database and blobs."""
    (tmp_path / "static").mkdir(exist_ok=True)
    environ = {
        **os.environ,
        "DATABASE_URL": committed_db.url(),
        "DATABASE_OWNER_URL": committed_db.owner_url,
        "GRANDLIST_VAR_DIR": str(tmp_path),
        "GRANDLIST_SECRET_KEY": settings.SECRET_KEY,
        "GRANDLIST_LOG_LEVEL": "ERROR",
        "CELERY_BROKER_URL": "memory://",
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [
            sys.executable, "-m", "gunicorn", "--config=python:assessment.project.serve.gunicorn",
            f"--bind=fd://{listener.fileno()}",
        ]  # fmt: skip
        child = subprocess.Popen(command, pass_fds=[listener.fileno()], env=environ)
        port = listener.getsockname()[1]
        try:
            _wait_for(port)
            yield port
        finally:
            child.terminate()
            child.wait(30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            url = f"http://127.0.0.1:{port}/api/field/v1/uploads"
            if httpx.request("OPTIONS", url, timeout=30).status_code == 204:
                return
    raise AssertionError("the server did not start")


@pytest.fixture
def cast(committed_db: TestDatabase) -> Cast:
    return make_cast()


def keep_trying(act: object) -> None:
    """Do it until it has got through, as a tablet does whose line comes and goes."""
    for _ in range(30):
        with contextlib.suppress(httpx.TransportError, ProblemAnswer):
            act()  # type: ignore[operator]
            return
    raise AssertionError("it never got through")


def work(tablet: Tablet, houses: list[House], name: str) -> None:
    """A day's changes, each value unlike any other, and photos."""
    for number in range(DAY):
        house = houses[number % len(houses)]
        tablet.patch_card(str(house.property_id), {house.path("style"): f"{name} {number}"})
        tablet.take_photo(
            f"\xff\xd8\xff {name} {number}".encode("latin-1") * 300, property_id=str(house.property_id)
        )


@pytest.mark.slow
def test_two_tablets_converge_through_a_line_that_breaks(gunicorn: int, cast: Cast, tmp_path: Path) -> None:
    houses = build_houses(TOWN_A, 6)
    proxy = FaultProxy(gunicorn, random.Random(3), rate=0.25)
    tablets, packages = [], []
    with running(proxy) as address:
        assert urlsplit(address).port != gunicorn
        for number, person in enumerate((cast.collector_a, cast.deputy_a)):
            with scope(SYSTEM, towns=[TOWN_A], reason="the tests' tablet"):
                code = make_enrolment_code(TOWN_A, actor=SYSTEM, person_id=person.id)
            direct = Tablet(tmp_path / f"tablet-{number}", f"http://127.0.0.1:{gunicorn}")
            direct.enrol(code, name=f"Tablet {number}")
            direct.close()
            tablet = Tablet(tmp_path / f"tablet-{number}", address, sleep=lambda seconds: None)
            tablets.append(tablet)
            packages.append(str(draw(houses, tablet.device_id).id))
            keep_trying(tablet.take_assigned)
            work(tablet, houses, f"t{number}")
        for _ in range(2):
            for tablet in tablets:
                keep_trying(tablet.sync)
        statements = []
        for tablet in tablets:
            keep_trying(lambda tablet=tablet: statements.append(tablet.reconcile()))
    assert set(FAULTS) & set(proxy.counts), "nothing broke"
    assert all(said["missing_mutations"] == said["missing_photos"] == [] for said in statements)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Mutation.objects.count() == 2 * 2 * DAY
        assert Observation.objects.count() == 2 * DAY
        assert Photo.objects.filter(state="declared").count() == 0
        assert Photo.objects.values("sha256").distinct().count() == Photo.objects.count() == 2 * DAY
        styles = {str(row.id): row.style for row in Building.objects.all()}
    for tablet, package in zip(tablets, packages, strict=True):
        shown = {b["id"]: b["style"] for card in tablet.cards(package).values() for b in card["building"]}
        assert shown == styles
        assert tablet.mismatches == 0
        tablet.close()
