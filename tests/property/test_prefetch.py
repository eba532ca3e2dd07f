"""Making the next thing while the last is in use."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from assessment.property.prefetch import prefetch


def test_everything_comes_in_order() -> None:
    assert list(prefetch(iter(range(100)))) == list(range(100))
    assert list(prefetch([])) == []


def test_an_error_is_raised_where_the_items_are_used() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("row 2")

    taken = prefetch(broken())
    assert next(taken) == 1
    with pytest.raises(ValueError, match="row 2"):
        next(taken)


def test_a_consumer_that_stops_early_leaves_no_thread_behind() -> None:
    made: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            made.append(len(made))
            yield made[-1]

    taken = prefetch(endless(), depth=2)
    assert next(taken) == 0
    taken.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
    assert len(made) <= 5
