"""The market model sees earlier sales only, repeats itself, and its correction does what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from valuation.market.composite import Market
from valuation.market.equity import EquityCorrection, fit_equity
from valuation.market.neighbours import Neighbours, blocks_by_day, expanding_features, plane
from valuation.ratio.rules import prb

NUMBERS = ("living_sqft", "land_sqft", "x", "y")


def sales(count: int = 900, *, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return made sales in order of date whose level has a hill in the middle of the town."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "living_sqft": np.exp(random.normal(7.3, 0.35, count)),
            "land_sqft": np.exp(random.normal(9.2, 0.6, count)),
            "x": random.uniform(0, 10_000, count),
            "y": random.uniform(0, 10_000, count),
            "style": random.choice(["Cape", "Ranch"], count),
        }
    )
    hill = np.exp(-((frame["x"] - 5000) ** 2 + (frame["y"] - 5000) ** 2) / 2e7)
    log = 6 + 0.75 * np.log(frame["living_sqft"]) + hill + random.normal(0, 0.12, count)
    return frame, np.exp(log.to_numpy()), np.sort(random.integers(737_000, 738_500, count))


def test_a_block_sees_only_sales_before_its_first_day() -> None:
    frame, prices, days = sales()
    blocks = blocks_by_day(days, count=6)
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        assert days[block.earlier].max() < block.first_day <= days[block.rows].min()
        assert following is None or days[block.rows].max() < following.first_day
    before = expanding_features(frame, prices, days, blocks, numbers=NUMBERS, categories=("style",))
    changed = prices.copy()
    last = blocks[-1].rows
    changed[last] *= 7
    after = expanding_features(frame, changed, days, blocks, numbers=NUMBERS, categories=("style",))
    assert np.array_equal(before, after, equal_nan=True)
    # ... and an earlier price is looked at
    changed[blocks[-1].earlier[-40:]] *= 7
    other = expanding_features(frame, changed, days, blocks, numbers=NUMBERS, categories=("style",))
    assert not np.array_equal(before[last], other[last], equal_nan=True)


def test_a_neighbour_of_the_same_or_a_later_day_is_refused() -> None:
    frame, prices, days = sales(200)
    known = Neighbours(NUMBERS, ()).fit(frame, prices, days)
    with pytest.raises(ValueError, match="earlier sales only"):
        known.transform(frame[:3], np.full(3, int(days.max())))
    assert np.isfinite(known.transform(frame[:3], np.full(3, int(days.max()) + 1))).all()


def test_degrees_are_drawn_together_by_latitude_and_feet_are_left_alone() -> None:
    degrees = plane(pd.DataFrame({"x": [-122.0, -122.1], "y": [60.0, 60.0]}))
    assert np.diff(degrees[:, 0])[0] == pytest.approx(-0.05)
    assert plane(pd.DataFrame({"x": [1e6], "y": [5e5]})).tolist() == [[1e6, 5e5]]


def small(**options: object) -> Market:
    return Market(NUMBERS, ("style",), trees=80, members=1, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [1, 2])
def test_equal_input_gives_equal_values_and_limits_in_any_order_of_rows(threads: int) -> None:
    frame, prices, days = sales()
    days = np.sort(days) + np.arange(len(days))  # no two on one day, so that an order by day is one order
    first = small(threads=1).fit(frame, prices, days)
    mixed = np.random.default_rng(5).permutation(len(frame))
    again = small(threads=threads).fit(frame.iloc[mixed], prices[mixed], days[mixed])
    for one, other in zip(
        first.predict_interval(frame, days), again.predict_interval(frame, days), strict=True
    ):
        assert np.array_equal(one, other)


def test_it_learns_and_values_what_has_no_place_or_an_unknown_code() -> None:
    frame, prices, days = sales(1200)
    model = small().fit(frame[:1000], prices[:1000], days[:1000])
    value, low, high = model.predict_interval(frame[1000:], days[1000:])
    paid = prices[1000:]
    assert np.median(np.abs(value / paid - 1)) < 0.14
    assert 0.82 < ((paid >= low) & (paid <= high)).mean() < 0.97
    odd = frame[:2].assign(x=np.nan, y=np.nan, style="Yurt")
    assert np.isfinite(model.predict(odd, days[:2])).all()


def test_a_table_without_places_is_fitted_too() -> None:
    frame, prices, days = sales(600)
    frame = frame.drop(columns=["x", "y"])
    model = Market(("living_sqft", "land_sqft"), ("style",), trees=60, members=1).fit(frame, prices, days)
    assert np.isfinite(model.predict(frame, days)).all()


def test_values_do_not_fall_with_a_fact_that_is_declared_increasing() -> None:
    frame, prices, days = sales(700)
    frame["baths"] = np.random.default_rng(1).integers(1, 4, 700).astype(float)
    model = Market((*NUMBERS, "baths"), (), trees=80, members=1, increasing=("baths",)).fit(
        frame, prices, days
    )
    table = model._table(
        frame[:50], days[:50], model.neighbours_.transform(frame[:50], np.full(50, days.max() + 1))
    )
    logs = []
    for baths in (1.0, 2.0, 3.0):
        changed = table.copy()
        changed[:, 4] = baths
        logs.append(model._log(model.boosters_, changed))
    assert (np.diff(np.array(logs), axis=0) >= -1e-12).all()


def test_tuning_chooses_by_the_rolling_folds_and_says_what_it_saw() -> None:
    frame, prices, days = sales(800)
    model = small(candidates=({"trees": 1, "learning_rate": 0.01}, {"trees": 120})).fit(frame, prices, days)
    assert dict(model.chosen_) == {"trees": 120}
    assert [len(row["cod"]) for row in model.about()["tuning"]] == [4, 4]


def regressive(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    true = random.normal(12, 0.5, count)
    return np.exp(12 + 0.8 * (true - 12)), np.exp(true + random.normal(0, 0.1, count))


def test_the_correction_takes_regression_out_keeps_order_and_level_and_can_be_off() -> None:
    predicted, prices = regressive()
    half = len(prices) // 2
    correction = fit_equity(predicted[:half], prices[:half])
    assert correction.stretch > 1.1
    later = correction.apply(predicted[half:])
    assert prb(predicted[half:], prices[half:]) < -0.1
    assert abs(prb(later, prices[half:])) < 0.02
    assert np.median(later / prices[half:]) == pytest.approx(1, abs=0.01)
    assert np.array_equal(np.argsort(later), np.argsort(predicted[half:]))
    assert np.array_equal(EquityCorrection().apply(predicted), predicted)


def test_the_model_without_correction_keeps_its_raw_values() -> None:
    frame, prices, days = sales()
    plain = small(correct_equity=False).fit(frame, prices, days)
    assert plain.equity_ == EquityCorrection()
    assert plain.about()["equity_correction"] is None
    corrected = small().fit(frame, prices, days)
    raw = plain.predict(frame, days)
    assert corrected.predict(frame, days) == pytest.approx(corrected.equity_.apply(raw), rel=1e-12)


def test_few_sales_get_a_level_and_no_stretch() -> None:
    predicted, prices = regressive(100)
    assert fit_equity(predicted, prices).stretch == 1
