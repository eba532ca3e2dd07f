"""A town's own sales are believed as far as they go, and limits come from later sales."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from valuation.runs.rules.local import (
    BadPoolingOptionsError,
    LocalFactors,
    Pooling,
    fit_local_factors,
    limits_from,
)


def fitted(level: float, count: int, pooling: Pooling, *, spread: float = 0.0) -> LocalFactors:
    """Return factors of a town of six neighbourhoods whose levels differ by so much."""
    random = np.random.default_rng(0)
    place, own = random.integers(0, 6, count), random.normal(0, spread, 6)
    prices = 100_000 * np.exp(np.log(level) + own[place] + random.normal(0, 0.15, count))
    return fit_local_factors(
        np.full(count, 100_000.0), prices, np.full(count, dt.date(2024, 5, 1).toordinal()),
        pd.Series(["single"] * count), pd.Series([f"N{at}" for at in place]),
        valued_on=dt.date(2024, 10, 1), pooling=pooling,
    )  # fmt: skip


def test_few_sales_of_a_town_move_its_level_little_and_many_move_it_whole() -> None:
    drawn = Pooling(town_hold=12)
    assert 1.05 < fitted(1.5, 6, drawn).town < 1.25
    assert fitted(1.5, 1200, drawn).town == pytest.approx(1.5, abs=0.03)
    assert fitted(1.5, 6, Pooling()).town > 1.25


def test_neighbourhoods_are_believed_as_far_as_they_prove_to_differ() -> None:
    def widest(pooling: Pooling, spread: float) -> float:
        return max(abs(factor - 1) for factor in fitted(1.0, 240, pooling, spread=spread).places.values())

    assert widest(Pooling("credibility"), 0.0) < widest(Pooling(), 0.0)
    assert widest(Pooling("credibility"), 0.3) > widest(Pooling(), 0.3) > 0.15


@pytest.mark.parametrize("plain", [{"places": "often"}, {"town_hold": -1}, {"town_hold": "5"}, {"moon": 1}])
def test_pooling_options_that_there_are_not_are_refused(plain: dict) -> None:
    with pytest.raises(BadPoolingOptionsError):
        Pooling.from_settings(plain)


def test_limits_hold_nine_tenths_of_later_errors_and_a_large_group_has_its_own() -> None:
    random = np.random.default_rng(2)
    groups = pd.Series(["single"] * 400 + ["condo"] * 200 + ["multi"] * 20)
    size = np.where(groups == "condo", 0.3, 0.1)
    values = np.full(620, 200_000.0)
    limits = limits_from(values, values * np.exp(random.normal(0, 1, 620) * size), groups, coverage=0.9)
    assert set(limits) == {"*", "single", "condo"}
    assert limits["single"] == (pytest.approx(-0.165, abs=0.03), pytest.approx(0.165, abs=0.03))
    assert limits["condo"][1] > 2 * limits["single"][1]
    assert limits_from(values[:39], values[:39], groups[:39], coverage=0.9) == {}
