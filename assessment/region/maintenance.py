"""Maintenance: while the database is migrated or restored, every request is told when to come back.

The state is a file in ``var/``, since the database is the very thing that is away. It outlives the process
that made it: a restore that was cut off leaves a server that answers nobody until the operator has looked.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from assessment.region.errors import Problem
from assessment.region.problems import problem_response

RETRY_AFTER_S = 60
_ANSWERED_STILL = ("/healthz", "/metrics", "/static/", "/ca.crt")


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Since when, why, and what set it: a command's name, or ``operator``."""

    since: str
    reason: str
    cause: str


class UnderMaintenance(Problem):
    """Nothing was changed; what a tablet holds stays on the tablet until the server is back."""

    code, title, status = "maintenance", "The server is being worked on; nothing was changed", 503

    def __init__(self, detail: str = "", retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(detail, retry="after")
        self.headers = {"Retry-After": str(retry_after_s)}


class DatabaseAway(Problem):
    """The database did not answer, or ended the connection: a restart, or more requests than it can take."""

    code, title, status = "busy", "The server is busy; nothing was changed", 503

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, retry="after")
        self.headers = {"Retry-After": str(5 + random.randrange(10))}  # noqa: S311


def flag_path() -> Path:
    """Return where the state is kept."""
    return Path(settings.VAR_DIR) / "maintenance.json"


def find_maintenance() -> Maintenance | None:
    """Return the maintenance under way, or None. One look at the file system, a few microseconds."""
    try:
        content = flag_path().read_text()
    except OSError:
        return None
    try:
        return Maintenance(**json.loads(content))
    except (ValueError, TypeError):
        return Maintenance(since="", reason="The server is being worked on.", cause="operator")


def begin_maintenance(reason: str, *, cause: str = "operator", now: dt.datetime) -> Maintenance:
    """Answer every request with 503 from now on; over one under way the new reason stands."""
    state = Maintenance(since=now.isoformat(timespec="seconds"), reason=reason[:200], cause=cause)
    path = flag_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(asdict(state)))
    unfinished.replace(path)
    return state


def end_maintenance() -> bool:
    """Answer requests again; returns whether there was a maintenance."""
    try:
        flag_path().unlink()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def maintenance(reason: str, *, cause: str) -> Iterator[None]:
    """Answer with 503 while the block runs; it stays so when the block fails, and when the operator had set it."""
    before = find_maintenance()
    is_ours = before is None or before.cause == cause
    if is_ours:
        begin_maintenance(reason, cause=cause, now=dt.datetime.now(dt.UTC))
    yield
    if is_ours:
        end_maintenance()


class MaintenanceMiddleware:
    """Answer 503 with ``Retry-After`` while there is maintenance; health, metrics and styles are given still."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        state = None if request.path.startswith(_ANSWERED_STILL) else find_maintenance()
        if state is None:
            return self.get_response(request)
        # Tablets that were all sent away at once must not all come back at once.
        pause_s = RETRY_AFTER_S + random.randrange(RETRY_AFTER_S)  # noqa: S311
        problem = UnderMaintenance(state.reason, pause_s)
        if request.path.startswith(("/api/", "/ogc/")):
            request_id = getattr(request, "request_id", "")
            return problem_response(problem, instance=request.path, request_id=request_id)
        values = {"heading": problem.title, "text": f"{state.reason} Please come back in a few minutes."}
        response = HttpResponse(render_to_string("office/server_error.html", values), status=503)
        response["Retry-After"] = str(pause_s)
        return response
