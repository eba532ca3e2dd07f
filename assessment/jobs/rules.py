"""The states of a job and the steps between them."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = frozenset({JobState.QUEUED, JobState.RUNNING})
OPEN_VALUES = sorted(state.value for state in OPEN_STATES)

# A running job goes back to queued when its worker died.
STEPS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.QUEUED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}

HEARTBEAT_EVERY_S = 10
STALE_AFTER = dt.timedelta(seconds=90)
# Queued this long without a start: the message was lost, or the broker was away when it was sent.
UNHEARD_AFTER = dt.timedelta(seconds=60)
MOST_ATTEMPTS = 3


def may_step(before: JobState, after: JobState) -> bool:
    """Whether a job may go from one state to the other."""
    return after in STEPS[before]


def is_left_behind(state: JobState, *, now: dt.datetime, heard_at: dt.datetime) -> bool:
    """Whether nobody works on an open job any more.

    Parameters
    ----------
    heard_at
        The last heartbeat of a running job, or when a queued one was last sent.
    """
    if state == JobState.RUNNING:
        return now - heard_at > STALE_AFTER
    return state == JobState.QUEUED and now - heard_at > UNHEARD_AFTER


def percent(done: int, total: int) -> int:
    """Progress in whole percent, 0 to 100; 0 while the total is not known."""
    return max(0, min(100, done * 100 // total)) if total > 0 else 0
