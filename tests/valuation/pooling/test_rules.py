"""Partial pooling is no worse than either extreme where jurisdictions differ, and falls back where sales are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from valuation.market.rules import Hedonic
from valuation.pooling.rules import Local, PartiallyPooled

NUMBERS = ("living_sqft", "land_sqft")


def region(
    per_town: int, *, spread: float = 0.3, seed: int = 0
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    towns = np.repeat([f"t{at:02d}" for at in range(20)], per_town)
    count = len(towns)
    living, land = np.exp(random.normal(7.3, 0.4, count)), np.exp(random.normal(9, 0.6, count))
    own = random.normal(0, spread, 20), random.normal(0.6, spread / 3, 20)
    at = np.repeat(np.arange(20), per_town)
    log = 8 + own[0][at] + own[1][at] * np.log(living) + 0.1 * np.log(land) + random.normal(0, 0.15, count)
    frame = pd.DataFrame({"living_sqft": living, "land_sqft": land, "town": towns})
    return frame, np.exp(log), np.full(count, 738_000) + random.integers(0, 300, count)


@pytest.mark.parametrize("sales", [10, 40])
def test_partial_pooling_is_no_worse_than_local_and_pooled_in_total(sales: int) -> None:
    frame, prices, days = region(sales + 30, seed=sales)
    seen = (frame.groupby("town").cumcount() < sales).to_numpy()
    train, test = (frame[seen], prices[seen], days[seen]), (frame[~seen], days[~seen])
    partial = PartiallyPooled(NUMBERS, (), "town").fit(*train).predict(*test)
    pooled = Hedonic(NUMBERS, ()).fit(*train).predict(*test)
    local = np.zeros(len(partial))
    for town in frame["town"].unique():
        mine, theirs = (train[0]["town"] == town).to_numpy(), (test[0]["town"] == town).to_numpy()
        local[theirs] = (
            Local(NUMBERS).fit(*(part[mine] for part in train)).predict(test[0][theirs], test[1][theirs])
        )
    paid = prices[~seen]
    error = {name: np.abs(v / paid - 1).mean() for name, v in (("p", partial), ("l", local), ("c", pooled))}
    assert error["p"] < error["l"]
    assert error["p"] < error["c"]


def test_a_town_without_sales_gets_the_common_model_and_one_with_few_is_believed_less() -> None:
    frame, prices, days = region(40)
    few = (frame["town"] != "t00").to_numpy() | (np.arange(len(frame)) < 3)
    model = PartiallyPooled(NUMBERS, (), "town").fit(frame[few], prices[few], days[few])
    assert model.credibility_["t00"] < model.credibility_["t01"]
    unknown = frame[:2].assign(town=["never seen", "nor this"])
    design, _ = model.common_.design(unknown, days[:2])
    assert model.predict(unknown, days[:2]) == pytest.approx(
        np.exp(model.common_.level_ + design @ model.beta_)
    )


def test_towns_alike_are_pooled_and_the_fit_repeats_itself() -> None:
    frame, prices, days = region(30, spread=0.0)
    model = PartiallyPooled(NUMBERS, (), "town").fit(frame, prices, days)
    again = PartiallyPooled(NUMBERS, (), "town").fit(frame, prices, days)
    assert np.array_equal(model.predict(frame, days), again.predict(frame, days))
    assert max(model.credibility_.values()) < 0.5


def test_a_jurisdiction_of_five_sales_gets_its_median_price() -> None:
    frame, prices, days = region(5)
    own = Local(NUMBERS).fit(frame[:5], prices[:5], days[:5])
    assert own.predict(frame[:2], days[:2]) == pytest.approx(np.full(2, np.median(prices[:5])))
