"""Both market models learn, repeat themselves, and know no value of the roll."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.valuation.cost.test_calibration import market
from valuation.market.rules import Boosted, Hedonic, fixed_value, value_per_area

NUMBERS, CODES = (
    ("land_sqft", "living_sqft", "garage_sqft", "year_built"),
    ("style", "grade", "neighbourhood"),
)


@pytest.mark.parametrize("kind", [Hedonic, Boosted])
def test_a_model_predicts_sales_it_has_not_seen_and_repeats_itself_to_the_last_digit(kind) -> None:
    frame, prices, days = market(1200, noise=0.08)
    seen, new = slice(0, 1000), slice(1000, None)
    first = kind(NUMBERS, CODES).fit(frame[seen], prices[seen], days[seen]).predict(frame[new], days[new])
    again = kind(NUMBERS, CODES).fit(frame[seen], prices[seen], days[seen]).predict(frame[new], days[new])
    assert np.array_equal(first, again)
    assert np.median(np.abs(first / prices[new] - 1)) < 0.10


@pytest.mark.parametrize("kind", [Hedonic, Boosted])
def test_gaps_and_codes_never_seen_still_get_a_value(kind) -> None:
    frame, prices, days = market(300, noise=0.08)
    model = kind(NUMBERS, CODES).fit(frame, prices, days)
    odd = frame[:2].copy()
    odd.loc[0, "living_sqft"] = np.nan
    odd.loc[1, "style"] = "Yurt"
    values = model.predict(odd, days[:2] + 5000)
    assert np.all(np.isfinite(values))
    assert np.all(values > 0)


def test_the_naive_floors() -> None:
    prices = np.array([100.0, 200.0, 600.0])
    assert fixed_value(prices, 2).tolist() == [200, 200]
    assert value_per_area(prices, np.array([1.0, 2, 3]), np.array([5.0, np.nan])).tolist() == [500, 200]


def test_a_column_that_is_not_there_is_an_error_and_not_a_guess() -> None:
    frame, prices, days = market(100, noise=0.1)
    with pytest.raises(KeyError):
        Hedonic(("no_such_fact",), ()).fit(frame, prices, days)
    assert isinstance(frame, pd.DataFrame)
