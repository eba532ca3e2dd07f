"""The steps of a job, as a table."""

import datetime as dt

import pytest

from assessment.jobs.rules import JobState, is_left_behind, may_step, percent

NOW = dt.datetime(2024, 10, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("queued", "running", True),
        ("queued", "cancelled", True),
        ("queued", "succeeded", False),
        ("running", "succeeded", True),
        ("running", "queued", True),
        ("succeeded", "queued", False),
        ("failed", "queued", True),
        ("failed", "running", False),
        ("cancelled", "queued", True),
    ],
)
def test_steps(before: str, after: str, allowed: bool) -> None:
    assert may_step(JobState(before), JobState(after)) is allowed


@pytest.mark.parametrize(
    ("state", "silent_s", "left"),
    [
        ("running", 89, False),
        ("running", 91, True),
        ("queued", 59, False),
        ("queued", 61, True),
        ("failed", 999, False),
    ],
)
def test_what_counts_as_left_behind(state: str, silent_s: int, left: bool) -> None:
    heard_at = NOW - dt.timedelta(seconds=silent_s)
    assert is_left_behind(JobState(state), now=NOW, heard_at=heard_at) is left


@pytest.mark.parametrize(
    ("done", "total", "expected"), [(0, 0, 0), (1, 3, 33), (3, 3, 100), (9, 3, 100), (5, 0, 0)]
)
def test_percent(done: int, total: int, expected: int) -> None:
    assert percent(done, total) == expected
