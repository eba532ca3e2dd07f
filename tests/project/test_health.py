"""`/healthz`, `/metrics` and `/ca.crt`: what they say, and to whom."""

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from assessment.jobs import services
from assessment.jobs.registry import job_handler
from assessment.project import health
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A, Cast

pytestmark = pytest.mark.django_db


def test_a_server_that_is_well_says_so_part_by_part(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "broker": "ok", "disk": "ok"}


def test_a_full_disk_is_trouble(client: Client, settings: Settings) -> None:
    settings.DISK_RESERVE_MB = 10**12
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert re.fullmatch(r"\d+ MB left", answer.json()["disk"])


@pytest.mark.parametrize(
    "options",
    [
        {"broker_url": "redis://127.0.0.1:1/0", "broker_transport_options": {}},
        {"broker_transport_options": {"data_folder_in": "/nowhere/at/all"}},
    ],
    ids=["nobody listens", "no folder"],
)
def test_a_broker_that_is_away_is_trouble(
    client: Client, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in options.items():
        monkeypatch.setitem(health.app.conf, name, value)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["broker"] != "ok"


def test_requests_are_counted_by_route_and_not_by_address(client: Client) -> None:
    client.get("/nobody/jane-roe")
    text = client.get("/metrics").content.decode()
    assert 'grandlist_requests_total{method="GET",route="none",status="404"}' in text
    assert "jane-roe" not in text


def test_open_jobs_of_all_towns_are_counted_and_nothing_else_is_told(client: Client, cast: Cast) -> None:
    @job_handler("counted_work")
    def counted_work(_job: object) -> None: ...

    with scope(SYSTEM, towns=[TOWN_A]):
        services.start_job("counted_work", actor=SYSTEM, town=TOWN_A)
    assert 'grandlist_jobs_open{state="queued"} 1.0' in client.get("/metrics").content.decode()


@pytest.mark.parametrize(
    "about",
    [{"REMOTE_ADDR": "203.0.113.9"}, {"headers": {"X-Forwarded-For": "127.0.0.1"}}],
    ids=["another machine", "through a proxy"],
)
def test_strangers_are_told_that_there_are_no_metrics(client: Client, about: dict[str, object]) -> None:
    assert client.get("/metrics", **about).status_code == 404  # type: ignore[arg-type]


def test_the_authoritys_certificate_is_given_to_anybody_when_there_is_one(
    client: Client, settings: Settings
) -> None:
    assert client.get("/ca.crt").status_code == 404
    folder = Path(settings.VAR_DIR) / "tls"
    folder.mkdir()
    (folder / "ca.crt").write_text("-----BEGIN CERTIFICATE-----")
    (folder / "ca.key").write_text("secret")
    answer = client.get("/ca.crt")
    assert answer.status_code == 200
    assert b"secret" not in answer.content
