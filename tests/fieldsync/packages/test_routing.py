"""The order of a day's visits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fieldsync.packages.routing import Stop, order_by_nearest, order_by_streets


def test_the_walk_begins_in_the_northwest_and_goes_to_the_nearest() -> None:
    points = {"d": (30.0, 0.0), "a": (0.0, 9.0), "c": (21.0, 0.0), "b": (12.0, 1.0)}
    assert order_by_nearest(points) == ["a", "b", "c", "d"]
    assert order_by_nearest(points, "c") == ["c", "d", "b", "a"]
    assert order_by_nearest({}) == []


def test_a_street_is_walked_up_its_odd_side_and_down_its_even_side() -> None:
    stops = {number: Stop("ELM ST", number) for number in ("2", "10A", "10", "1", "3", "11", "")}
    assert order_by_streets(stops, {}) == ["1", "3", "11", "10", "10A", "2", ""]


def test_streets_follow_by_distance_and_those_on_no_map_come_last() -> None:
    streets = {"far": "A ST", "near": "B ST", "first": "C ST", "lost": "AA ST"}
    stops = {key: Stop(street, "1") for key, street in streets.items()}
    points = {"far": (900.0, 0.0), "near": (100.0, 0.0), "first": (0.0, 0.0)}
    assert order_by_streets(stops, points) == ["first", "near", "far", "lost"]


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=20))
def test_no_stop_is_lost_or_doubled(places: list[tuple[int, int]]) -> None:
    points = {key: (float(x), float(y)) for key, (x, y) in enumerate(places)}
    assert sorted(order_by_nearest(points)) == sorted(points)
    stops = {key: Stop(str(key % 3), str(key)) for key in points}
    assert sorted(order_by_streets(stops, points)) == sorted(points)
