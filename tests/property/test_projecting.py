"""Degrees as Connecticut feet."""

import pytest

from assessment.property.projecting import to_feet


def test_the_false_origin_is_where_the_projection_puts_it() -> None:
    # SOURCE: EPSG:2234, latitude of false origin 40 deg 50', longitude -72 deg 45', 1,000,000 and 500,000 ft
    [x], [y] = to_feet([-72.75], [40 + 50 / 60])
    assert (x, y) == pytest.approx((1_000_000, 500_000), abs=0.01)


def test_no_points_are_no_points() -> None:
    assert to_feet([], []) == ([], [])
