"""Outlines are compared as shapes: by where their walls are, not by how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.property.merge import Outcome, PolicyKind, measured, merge_field
from assessment.property.rules.shapes import same_shape

HOUSE = [[0, 0], [30, 0], [30, 20], [10, 20], [10, 30], [0, 30]]
SNAP_FT = 0.5


@pytest.mark.parametrize(
    "other",
    [
        [*HOUSE, HOUSE[0]],
        HOUSE[2:] + HOUSE[:2],
        HOUSE[::-1],
        [[0, 0], [15, 0], [30, 0], [30, 20], [10, 20], [10, 30], [0, 30], [0, 15]],
        [[0.3, 0.2], [30, 0], [30, 20.4], [10, 20], [10, 30], [0, 30]],
        [[str(x), str(y)] for x, y in HOUSE],
    ],
)
def test_the_same_walls_are_the_same_shape(other: list[list[float]]) -> None:
    assert same_shape(HOUSE, other, SNAP_FT)
    assert same_shape(other, HOUSE, SNAP_FT)


@pytest.mark.parametrize(
    "other",
    [
        [[0, 0], [30, 0], [30, 20], [10, 20], [10, 31], [0, 31]],
        [[0, 0], [15, 3], [30, 0], [30, 20], [10, 20], [10, 30], [0, 30]],
        [[0, 0], [30, 0], [30, 30], [0, 30]],
        [[5, 0], [35, 0], [35, 20], [15, 20], [15, 30], [5, 30]],
        [],
        None,
        "0 0, 30 0",
        [[0, 0], ["x", 1], [2, 2]],
    ],
)
def test_other_walls_are_another_shape(other: object) -> None:
    assert not same_shape(HOUSE, other, SNAP_FT)
    assert not same_shape(other, HOUSE, SNAP_FT)


@given(st.integers(0, 5), st.booleans(), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_start_direction_and_a_hand_s_tremble_make_no_difference(
    start: int, turned: bool, dx: float, dy: float
) -> None:
    drawn = [[x + dx, y + dy] for x, y in HOUSE[start:] + HOUSE[:start]]
    assert same_shape(HOUSE, drawn[::-1] if turned else drawn, SNAP_FT)


def test_an_outline_redrawn_by_both_sides_alike_is_no_clash() -> None:
    policy = measured("outline_snap_ft", PolicyKind.SHAPE).at({"outline_snap_ft": SNAP_FT})  # type: ignore[dict-item]
    wider = [[0, 0], [32, 0], [32, 20], [0, 20]]
    turned = [[32, 20], [0, 20], [0, 0], [32, 0.2]]
    assert merge_field(policy, HOUSE, wider, turned).outcome is Outcome.NOOP
    assert merge_field(policy, HOUSE, wider, HOUSE[::-1]).outcome is Outcome.TAKEN
    clash = merge_field(policy, HOUSE, wider, [[0, 0], [40, 0], [40, 20], [0, 20]])
    assert (clash.outcome, clash.loser) == (Outcome.CONFLICT, wider)
