"""Sketches: closure, area, perimeter, weighted areas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.property.rules.sketch import (
    SectionFactors,
    SketchError,
    area_sqft,
    check_polygon,
    closure_gap_ft,
    perimeter_ft,
    points_of_walls,
    weigh_areas,
)

# An L: 30 x 20 with a 10 x 8 corner missing.
L_SHAPE = [(0, 0), (30, 0), (30, 12), (20, 12), (20, 20), (0, 20)]
lengths = st.integers(1, 200)


def test_an_l_shaped_house_has_the_area_of_its_two_rectangles() -> None:
    assert area_sqft(L_SHAPE) == 30 * 20 - 10 * 8
    assert perimeter_ft(L_SHAPE) == 100


@given(lengths, lengths, st.integers(-500, 500), st.integers(-500, 500), st.booleans())
def test_a_rectangle_has_its_area_wherever_it_stands_and_whichever_way_it_runs(
    width: int, depth: int, x: int, y: int, backwards: bool
) -> None:
    corners = [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)]
    if backwards:
        corners.reverse()
    assert area_sqft(check_polygon(corners)) == width * depth


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=8))
def test_walls_close_when_the_last_one_leads_back(steps: list[tuple[int, int]]) -> None:
    back = (-sum(dx for dx, _ in steps), -sum(dy for _, dy in steps))
    assert closure_gap_ft([*steps, back]) == 0
    points = points_of_walls([*steps, back])
    assert len(points) == len(steps) + 1
    assert points[0] == (0, 0)


def test_walls_that_do_not_close_are_refused_with_the_gap() -> None:
    with pytest.raises(SketchError, match=r"5\.00 ft"):
        points_of_walls([(30, 0), (0, 20), (-27, 0), (0, -16)])


def test_a_repeated_last_corner_is_dropped() -> None:
    assert check_polygon([*L_SHAPE, L_SHAPE[0]]) == L_SHAPE


@pytest.mark.parametrize(
    ("corners", "says"),
    [
        ([], "three corners"),
        ([(0, 0), (10, 0)], "three corners"),
        ([(0, 0), (10, 0), (20, 0)], "no area"),
        ([(0, 0), (30, 20), (30, 0), (0, 25)], "cross"),
        ([(0, 0), (10, "x"), (0, 10)], "pair of numbers"),
        ([(0, 0), (10,), (0, 10)], "pair of numbers"),
        ([(0, 0), (float("nan"), 0), (0, 10)], "not a place"),
        ([(0, 0), (1e9, 0), (0, 10)], "not a place"),
    ],
)
def test_what_is_no_polygon_is_refused_with_the_reason(corners: list[tuple[float, ...]], says: str) -> None:
    with pytest.raises(SketchError, match=says):
        check_polygon(corners)


def test_areas_are_weighed_by_the_town_s_table() -> None:
    factors = {"BAS": SectionFactors(1, 1), "FUS": SectionFactors(1, 1), "FGR": SectionFactors(0, 0.35)}
    areas = weigh_areas([("BAS", 1000), ("FUS", 800), ("FGR", 440)], factors)
    assert areas is not None
    assert (areas.gross_area_sqft, areas.living_area_sqft, areas.effective_area_sqft) == (2240, 1800, 1954)


def test_a_label_without_factors_gives_no_areas_rather_than_wrong_ones() -> None:
    assert weigh_areas([("BAS", 1000), ("XXX", 1)], {"BAS": SectionFactors(1, 1)}) is None
