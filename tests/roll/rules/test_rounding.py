from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.roll.rules.rounding import (
    MODES,
    RoundingPolicy,
    assess,
    round_dollars,
    round_quotient,
    split,
)

SEVENTY = Fraction(7, 10)
dollars = st.integers(min_value=0, max_value=2_000_000_000)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("nearest", 60), ("half_even", 60), ("floor", 50), ("ceiling", 60)],
)
def test_an_assessment_of_55_dollars_is_rounded_to_tens_by_its_mode(mode, expected):
    assert round_dollars(55, RoundingPolicy(unit=10, mode=mode)) == expected


def test_half_even_rounds_45_down_and_nearest_rounds_it_up():
    assert round_dollars(45, RoundingPolicy(10, "half_even")) == 40
    assert round_dollars(45, RoundingPolicy(10, "nearest")) == 50


def test_a_half_below_zero_is_rounded_away_from_zero():
    assert round_quotient(-5, 10, "nearest") == -1
    assert round_quotient(5, 10, "nearest") == 1


@pytest.mark.parametrize("wrong", [{"unit": 0}, {"mode": "up"}, {"level": "town"}])
def test_a_policy_with_an_unknown_value_is_refused(wrong):
    with pytest.raises(ValueError, match=r"unit|mode|level"):
        RoundingPolicy(**wrong)


@given(amount=st.fractions(min_value=0, max_value=10**9), unit=st.sampled_from([1, 5, 10, 100]))
def test_no_mode_moves_an_amount_by_a_whole_unit(amount, unit):
    for mode in MODES:
        rounded = round_dollars(amount, RoundingPolicy(unit, mode))
        assert rounded % unit == 0
        assert abs(rounded - amount) < unit


@given(
    total=dollars,
    weights=st.lists(dollars, min_size=1, max_size=12).filter(any),
    unit=st.sampled_from([1, 10, 100]),
)
def test_parts_sum_to_the_total_and_stay_within_a_unit_of_their_share(total, weights, unit):
    parts = split(total, weights, unit=unit)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) <= 2 * unit


def test_ties_go_to_the_earlier_part():
    assert split(100, [1, 1, 1]) == [34, 33, 33]


def test_a_total_without_weights_is_refused_and_nothing_splits_to_nothing():
    with pytest.raises(ValueError, match="all zero"):
        split(1, [0, 0])
    assert split(0, [0, 0]) == [0, 0]


def test_rounding_by_line_may_differ_from_the_rounded_total_but_rounding_by_account_may_not():
    appraised = [50_050, 120_050, 3_050]
    by_line = assess(appraised, SEVENTY, RoundingPolicy(10, "nearest", "line"))
    by_account = assess(appraised, SEVENTY, RoundingPolicy(10, "nearest", "account"))
    assert by_line == [35_040, 84_040, 2_140]
    assert sum(by_line) == 121_220
    assert sum(by_account) == 121_210


@given(appraised=st.lists(dollars, min_size=1, max_size=8), unit=st.sampled_from([1, 10, 100]))
def test_an_account_rounded_as_one_is_the_rounded_ratio_of_its_total(appraised, unit):
    policy = RoundingPolicy(unit, "nearest", "account")
    lines = assess(appraised, SEVENTY, policy)
    assert sum(lines) == round_dollars(SEVENTY * sum(appraised), policy)


@given(appraised=st.lists(dollars, min_size=1, max_size=8), mode=st.sampled_from(MODES))
def test_an_account_rounded_by_line_is_within_its_stated_tolerance(appraised, mode):
    policy = RoundingPolicy(10, mode, "line")
    difference = abs(sum(assess(appraised, SEVENTY, policy)) - SEVENTY * sum(appraised))
    assert difference <= policy.tolerance(len(appraised))
