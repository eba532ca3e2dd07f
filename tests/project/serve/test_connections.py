"""When a process has pushes waiting, it lets go of the connections, so that tablets find one that is free."""

from __future__ import annotations

import importlib
import math
import threading
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from assessment.region.connections import CLOSE
from fieldsync.devices.pacing import LOADED_FOR_S, PUSH_SLOTS


class Answer:
    """As gunicorn's own object: its bound method is what an application is given."""

    def __init__(self) -> None:
        self.is_closing, self.status = False, ""

    def force_close(self) -> None:
        self.is_closing = True

    def start_response(self, status: str, _headers: Any, _exc_info: Any = None) -> None:
        self.status = status


@pytest.fixture
def application(settings: Settings, tmp_path: Path, db: None) -> Any:
    settings.STATIC_ROOT = str(tmp_path)
    return importlib.import_module("assessment.project.wsgi").application


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The slots' clock, far from any load of other tests."""
    now_s = [0.0]
    monkeypatch.setattr(PUSH_SLOTS, "_now_s", lambda: now_s[0])
    monkeypatch.setattr(PUSH_SLOTS, "_queued_s", -math.inf)
    return now_s


def ask(application: Any) -> Answer:
    answer = Answer()
    body = application(RequestFactory().options("/api/field/v1/uploads").environ, answer.start_response)
    assert b"".join(body) == b""
    assert answer.status.startswith("204")
    return answer


def test_a_connection_is_kept_while_nobody_waits(application: Any, clock: list[float]) -> None:
    with PUSH_SLOTS.one():
        assert not ask(application).is_closing


def test_a_connection_ends_when_a_push_waits_for_another_and_for_a_moment_after(
    application: Any, settings: Settings, clock: list[float]
) -> None:
    settings.FIELD_PUSH_SLOTS = 1
    waiting = threading.Thread(target=wait_for_a_slot)
    with PUSH_SLOTS.one():
        waiting.start()
        while not PUSH_SLOTS.is_loaded:
            waiting.join(0.001)
        assert ask(application).is_closing
    waiting.join()
    clock[0] = LOADED_FOR_S - 0.01
    assert ask(application).is_closing, "who kept his would come again before those who wait for one"
    clock[0] = LOADED_FOR_S
    assert not ask(application).is_closing


def wait_for_a_slot() -> None:
    with PUSH_SLOTS.one():
        pass


def test_servers_that_cannot_end_a_connection_are_served_all_the_same(application: Any) -> None:
    started: list[str] = []

    def start_response(status: str, _headers: Any, _exc_info: Any = None) -> None:
        started.append(status)

    environ = RequestFactory().options("/api/field/v1/uploads").environ | {CLOSE: True}
    assert b"".join(application(environ, start_response)) == b""
    assert started[0].startswith("204")
