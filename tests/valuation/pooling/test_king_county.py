"""A small sample of the pooling experiment on real sales: partial pooling is no worse than either extreme."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench.bench_pooling import cut, king_county, outcome
from valuation.fitting.spec import Sales


@pytest.fixture(scope="module")
def sales() -> Sales:
    return king_county()


def test_a_cut_is_of_the_asked_size_in_each_stratum_and_repeats_itself(sales: Sales) -> None:
    strata = sales.frame["neighbourhood"].to_numpy(dtype=str)
    rows = cut(strata, 10, seed=1)
    assert set(np.unique(strata[rows], return_counts=True)[1]) == {10}
    assert np.array_equal(rows, cut(strata, 10, seed=1))
    assert not np.array_equal(rows, cut(strata, 10, seed=2))


@pytest.mark.parametrize("size", [10, 40])
def test_partial_pooling_errs_less_than_local_and_than_pooled_on_twenty_zip_codes(
    sales: Sales, size: int
) -> None:
    names = sorted(sales.frame["neighbourhood"].unique())[::4]
    found = outcome(sales, size, seeds=[0], only=names)
    assert found.mape["partial"] < min(found.mape["local"], found.mape["pooled"])
    assert found.better > 0.5
