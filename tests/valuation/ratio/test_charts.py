"""What the charts are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.ratio.rules import RatioStudyError
from valuation.ratio.rules.charts import bands, histogram

MONEY = st.floats(1e4, 5e6)


@given(st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=200))
def test_the_bars_count_every_sale_once(rows: list[tuple[float, float]]) -> None:
    a, s = (np.array(column) for column in zip(*rows, strict=True))
    assert sum(bar.count for bar in histogram(a, s)) == len(rows)


def test_a_ratio_on_a_limit_belongs_to_the_bar_above_and_those_beyond_to_the_ends() -> None:
    found = histogram(np.array([1.0, 0.2, 9.0, 0.5]), np.ones(4), bars=10)
    assert [bar.count for bar in found] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_bands_show_a_slope_that_is_there_and_none_that_is_not() -> None:
    random = np.random.default_rng(2)
    prices = np.exp(random.normal(12.5, 0.6, 400))
    fair = bands(prices * np.exp(random.normal(0, 0.05, 400)), prices)
    sloped = bands(prices * (prices / prices.mean()) ** -0.2, prices)
    assert max(band.median for band in fair) - min(band.median for band in fair) < 0.03
    assert [band.median for band in sloped] == sorted((band.median for band in sloped), reverse=True)
    assert sum(band.n for band in fair) == 400
    assert all(band.low <= band.median <= band.high for band in fair)


def test_too_few_sales_have_no_bands() -> None:
    with pytest.raises(RatioStudyError, match="at least 10"):
        bands(np.ones(9), np.ones(9))
