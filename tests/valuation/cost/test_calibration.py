"""Calibration finds the tables that made the sales, keeps their order, and refuses what is too little."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.valuation.cost.test_schedule import SCHEDULE
from valuation.cost.rules import CalibrationError, Calibrator, Roles, components
from valuation.cost.rules.design import never_rising

TRUTH = dataclasses.replace(
    SCHEDULE,
    roles=Roles(additives=("garage_sqft",)),
    base_rate={"Ranch": 120.0, "Cape": 150.0},
    neighbourhood_land={"N1": 1.5, "N2": 1.0, "N3": 0.6},
    neighbourhood_building={"N1": 1.0, "N2": 1.0, "N3": 1.0},
)


def market(n: int, noise: float, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "land_sqft": np.exp(random.normal(9.6, 0.5, n)),
            "living_sqft": np.exp(random.normal(7.4, 0.3, n)),
            "garage_sqft": random.choice([0.0, 0.0, 300.0, 500.0], n),
            "year_built": random.integers(1930, 2021, n).astype(float),
            "style": random.choice(["Ranch", "Cape"], n),
            "grade": random.choice(["C", "C", "B"], n),
            "condition": random.choice(["A", "A", "F"], n),
            "neighbourhood": random.choice(["N1", "N2", "N3"], n),
        }
    )
    days = dt.date(2023, 10, 1).toordinal() + random.integers(0, 730, n)
    level = np.exp(0.10 * (days - TRUTH.base_on.toordinal()) / 365)
    worth = components(TRUTH, frame, as_of=dt.date(2024, 10, 1)).total
    return frame, worth * level * np.exp(random.normal(0, noise, n)), days


def calibrated(frame: pd.DataFrame, prices: np.ndarray, days: np.ndarray) -> Calibrator:
    orders = {"grade": ("B", "C"), "condition": ("A", "F")}
    return Calibrator(TRUTH.roles, "fit", TRUTH.base_on, orders=orders).fit(frame, prices, days)


def test_the_values_and_the_main_factors_behind_the_sales_are_found_again() -> None:
    frame, prices, days = market(3000, noise=0.10)
    fit = calibrated(frame, prices, days)
    found = components(fit.schedule_, frame, as_of=dt.date(2024, 10, 1)).total
    worth = components(TRUTH, frame, as_of=dt.date(2024, 10, 1)).total
    assert np.median(np.abs(found / worth - 1)) < 0.02
    rates, factors = fit.schedule_.base_rate, fit.schedule_.factors
    assert rates["Cape"] / rates["Ranch"] == pytest.approx(1.25, abs=0.03)
    assert factors["grade"]["B"] == pytest.approx(1.2, abs=0.03)
    assert factors["condition"]["F"] == pytest.approx(0.9, abs=0.03)
    land = fit.schedule_.neighbourhood_land
    assert land["N1"] / land["N3"] == pytest.approx(2.5, rel=0.15)
    level = fit.schedule_.price_level([TRUTH.base_on.toordinal() - 365])
    assert level[0] == pytest.approx(np.exp(-0.10), abs=0.02)
    assert fit.spread_ == pytest.approx(0.10, abs=0.01)


def test_a_few_absurd_prices_hardly_move_the_tables() -> None:
    frame, prices, days = market(1500, noise=0.10)
    before = calibrated(frame, prices, days).schedule_
    prices[::50] *= 12
    after = calibrated(frame, prices, days).schedule_
    for style in ("Ranch", "Cape"):
        assert after.base_rate[style] == pytest.approx(before.base_rate[style], rel=0.05)


def test_the_same_sales_give_the_same_tables_to_the_last_digit() -> None:
    sales = market(400, noise=0.15)
    assert calibrated(*sales).schedule_ == calibrated(*sales).schedule_


def test_grades_age_size_and_land_keep_their_order_whatever_the_sales_say() -> None:
    frame, prices, days = market(300, noise=0.4, seed=7)
    prices = np.where(frame["grade"] == "B", prices * 0.6, prices)
    schedule = calibrated(frame, prices, days).schedule_
    assert schedule.factors["grade"]["B"] >= schedule.factors["grade"]["C"] * (1 - 1e-9)
    for points, sign in ((schedule.percent_good, -1), (schedule.size, -1), (schedule.land, 1)):
        amounts = np.array([y for _, y in points])
        assert np.all(sign * np.diff(amounts) >= -1e-9)
    assert schedule.percent_good[0] == (0.0, 1.0)


def test_a_code_with_few_sales_shares_the_other_row() -> None:
    frame, prices, days = market(300, noise=0.1)
    frame.loc[:3, "style"] = "Igloo"
    schedule = calibrated(frame, prices, days).schedule_
    assert "Igloo" not in schedule.base_rate
    assert schedule.base_rate["*"] > 0


def test_too_few_sales_and_prices_of_nothing_are_refused() -> None:
    frame, prices, days = market(60, noise=0.1)
    with pytest.raises(CalibrationError) as caught:
        calibrated(frame[:39], prices[:39], days[:39])
    assert caught.value.code == "too_few"
    prices[3] = 0
    with pytest.raises(CalibrationError) as caught, np.errstate(divide="ignore"):
        calibrated(frame, prices, days)
    assert caught.value.code == "bad_price"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # slow only on a busy machine
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 10)), min_size=1, max_size=12))
def test_pooling_gives_the_nearest_sequence_that_never_rises(pairs) -> None:
    amounts, weights = (np.array(side) for side in zip(*pairs, strict=True))
    pooled = never_rising(amounts, weights)
    assert np.all(np.diff(pooled) <= 1e-12)
    assert (pooled * weights).sum() == pytest.approx((amounts * weights).sum(), abs=1e-6)
    assert np.allclose(never_rising(pooled, weights), pooled)
