"""What is too much for a request: a job does it, and tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assessment.jobs.models import Job
from assessment.jobs.services import start_job
from assessment.region.actors import Actor
from assessment.region.models import Town

Tell = Callable[[int, int, str], object]
"""Takes note of progress: steps done, steps in all, and what is being done."""

IN_REQUEST = 500
"""Up to so many values are worked on within a request; more are a job's."""


def tell_nobody(done: int, total: int, label: str) -> None:
    """Take note of no progress."""


def start_if_many(
    count: int, kind: str, *, actor: Actor, town: Town | int, payload: dict[str, Any], key: str
) -> Job | None:
    """Start a job for work on many values; None when they are few enough for the request.

    Parameters
    ----------
    count
        How many values the work is on.
    kind, payload, key
        As `assessment.jobs.services.start_job` takes them; the same work asked for twice is one job.

    Raises
    ------
    Forbidden
        Without the permission that the kind of job needs.
    """
    if count <= IN_REQUEST:
        return None
    return start_job(kind, actor=actor, town=town, payload=payload, key=key[:120])
