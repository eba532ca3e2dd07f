"""Intervals cover what they promise, also where errors are skew and of unequal size."""

from __future__ import annotations

import numpy as np
import pytest

from valuation.intervals.rules import Conformal, TooFewErrorsError, coverage_of, order_limits


def test_the_order_statistics_of_a_small_sample() -> None:
    # n = 19, 90 %: ranks floor(20 * .05) = 1 and ceil(20 * .95) = 19
    assert order_limits(np.arange(1.0, 20), 0.90) == (1, 19)
    assert order_limits(np.arange(1.0, 200), 0.90) == (10, 190)
    assert order_limits(np.arange(1.0, 6), 0.90) == (1, 5)


def made(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    predicted = np.exp(random.normal(12, 0.5, count))
    facts = random.normal(size=(count, 3))
    size = 0.1 * np.exp(0.5 * facts[:, 0]) * (1 + (predicted < 120_000))
    prices = predicted * np.exp(size * (random.gamma(2, 1, count) - 1.5))
    return facts, predicted, prices


@pytest.mark.parametrize(("coverage", "count"), [(0.9, 6000), (0.8, 6000), (0.9, 250)])
def test_the_share_inside_is_the_promised_one_overall_and_in_each_fifth(coverage: float, count: int) -> None:
    model = Conformal(coverage).fit(*made(count, 1))
    facts, predicted, prices = made(20_000, 2)
    low, high = model.limits(facts, predicted)
    seen = coverage_of(low, high, predicted, prices)
    room = 0.02 if count > 1000 else 0.06
    assert seen.share == pytest.approx(coverage, abs=room)
    if count > 1000:
        assert min(seen.fifths) > coverage - 0.05
        assert max(seen.fifths) < coverage + 0.05


def test_limits_are_wider_where_errors_are_larger_and_always_hold_the_value() -> None:
    model = Conformal().fit(*made(6000, 1))
    facts, predicted, _ = made(4000, 3)
    low, high = model.limits(facts, predicted)
    width = (high - low) / predicted
    assert np.median(width[facts[:, 0] > 1]) > 1.5 * np.median(width[facts[:, 0] < -1])
    assert ((low <= predicted) & (predicted <= high)).all()


def test_equal_input_gives_equal_limits_and_too_few_sales_are_refused() -> None:
    first, again = (Conformal(seed=3).fit(*made(900, 1)).limits(*made(50, 2)[:2]) for _ in range(2))
    assert np.array_equal(first, again)
    with pytest.raises(TooFewErrorsError):
        Conformal().fit(*made(10, 1))
