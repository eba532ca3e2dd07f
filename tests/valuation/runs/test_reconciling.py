"""The lines from the approaches to the value of record sum to the dollar."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from valuation.runs.rules.reconciling import NOT_WEIGHED, ROUNDING, UNEXPLAINED, Change, reconcile

dollars = st.integers(0, 10**10)


@given(
    dollars,
    dollars,
    dollars,
    st.integers(0, 100),
    st.integers(0, 100),
    dollars,
    st.lists(dollars, max_size=3),
)
def test_every_reconciliation_sums_to_the_value_of_record(
    cost: int, market: int, income: int, first: int, second: int, concluded: int, overridden: list[int]
) -> None:
    weights = {"cost": first / 200, "market": second / 200, "income": 1 - first / 200 - second / 200}
    steps = [concluded, *overridden]
    changes = [Change("why", before, after) for before, after in pairwise(steps)]
    estimates = {"cost": cost, "market": market, "income": income}
    told = reconcile(estimates, weights, value=steps[-1], changes=changes)
    assert sum(line.dollars for line in told.lines) == told.value == steps[-1]
    assert [line.weight_percent for line in told.lines if line.weight_percent] == [
        round(100 * share, 2) for share in weights.values() if round(100 * share, 2)
    ]


def test_weights_and_the_rounding_stand_on_lines_of_their_own() -> None:
    told = reconcile(
        {"cost": 400_100, "market": 380_000, "income": 350_300},
        {"cost": 0.4, "income": 0.6},
        value=370_200, rounding=100,
    )  # fmt: skip
    assert [(line.words, line.estimate, line.weight_percent, line.dollars) for line in told.lines] == [
        ("Cost approach", 400_100, 40.0, 160_040),
        ("Income approach", 350_300, 60.0, 210_180),
        ("Rounding", None, None, -20),
    ]
    assert told.weighs_others


def test_cost_alone_is_one_line() -> None:
    told = reconcile({"cost": 400_100, "market": 380_000}, {"cost": 1.0}, value=400_100)
    assert [line.dollars for line in told.lines] == [400_100]
    assert not told.weighs_others
    assert told.rests_on_cost


@given(dollars, dollars, st.integers(0, 10_000_000), st.sampled_from([1, 10, 100, 1000]))
def test_what_a_run_rounds_is_called_rounding_whatever_the_percent_of_income(
    cost: int, income: int, millionths: int, unit: int
) -> None:
    share = millionths / 10_000_000
    exact = (cost * (10_000_000 - millionths) + income * millionths) / 10_000_000
    concluded = unit * int(exact / unit + 0.5)
    weights = {"cost": round(1 - share, 4), "income": round(share, 4)}
    told = reconcile({"cost": cost, "income": income}, weights, value=concluded, rounding=unit)
    assert sum(line.dollars for line in told.lines) == concluded
    assert {line.words for line in told.lines} <= {"Cost approach", "Income approach", ROUNDING}


@given(dollars, st.integers(0, 10_000))
def test_an_approach_s_dollars_are_its_estimate_times_the_weight_as_shown(cost: int, points: int) -> None:
    told = reconcile({"cost": cost}, {"cost": points / 10_000}, value=cost)
    for line in told.lines:
        if line.weight_percent is not None:
            assert abs(line.dollars * 10_000 - cost * round(100 * line.weight_percent)) <= 5_000


def test_a_gap_that_rounding_cannot_have_made_is_not_called_rounding() -> None:
    told = reconcile({"cost": 400_000, "income": 300_000}, {"cost": 0.5, "income": 0.5}, value=380_000)
    assert [(line.words, line.dollars) for line in told.lines][-1] == (UNEXPLAINED, 30_000)
    lost = reconcile({"cost": 400_000}, {"cost": 0.5, "income": 0.5}, value=200_010, rounding=100)
    assert [(line.words, line.dollars) for line in lost.lines][-1] == (UNEXPLAINED, 10)


def test_a_value_that_income_made_alone_does_not_rest_on_cost() -> None:
    told = reconcile({"cost": 400_000, "income": 300_000}, {"cost": 0.0, "income": 1.0}, value=300_000)
    assert [line.words for line in told.lines] == ["Income approach"]
    assert told.weighs_others
    assert not told.rests_on_cost


def test_a_value_without_weights_is_said_to_be_concluded_without_them() -> None:
    told = reconcile({"cost": 400_000}, {}, value=410_000)
    assert [(line.words, line.dollars) for line in told.lines] == [(NOT_WEIGHED, 410_000)]
