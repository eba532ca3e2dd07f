"""Adjustments sum to the model's own difference, whatever the properties; the choice depends on no order."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.valuation.cost.test_schedule import SCHEDULE
from valuation.comparables.rules import Comparables, comparables_of
from valuation.comparables.rules.terms import exact_differences, terms_of, whole_dollars
from valuation.comparables.sheet import COMPONENTS
from valuation.runs.rules.appraisal import raw_values, value_properties
from valuation.runs.rules.local import LocalFactors

VALUED_ON = dt.date(2025, 10, 1)
LOCAL = LocalFactors(
    town=1.1, groups={"single": 1.02}, places={"N1": 1.07}, yearly_change=0.05, level_on=VALUED_ON
)
SETTINGS = {"comparables_outlier_percent": 900.0}


def town(count: int, seed: int = 0) -> pd.DataFrame:
    """Return facts of houses, among them one without area, without land, half built, and with two buildings."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "property_id": [f"p{at:05d}" for at in range(count)],
            "land_sqft": np.exp(random.normal(9.6, 0.6, count)).round(),
            "living_sqft": np.exp(random.normal(7.3, 0.3, count)).round(),
            "year_built": random.integers(1900, 2024, count).astype(float),
            "style": random.choice(["Ranch", "Cape"], count),
            "grade": random.choice(["C", "B"], count),
            "condition": random.choice(["A", "F"], count),
            "view": "",
            "neighbourhood": random.choice(["N1", "N2", "N3"], count),
            "baths": random.integers(1, 4, count).astype(float),
            "garage_sqft": random.choice([0.0, 400.0], count),
            "percent_complete": 100.0,
            "state_class": "100",
            "group": np.where(np.arange(count) % 7 == 6, "multi", "single"),
            "is_synthetic": False,
            "x": random.normal(950_000, 9_000, count),
            "y": random.normal(690_000, 9_000, count),
        }
    )
    frame.loc[1, "living_sqft"] = np.nan
    frame.loc[2, "land_sqft"] = np.nan
    frame.loc[3, "percent_complete"] = 40.0
    frame.loc[4, "percent_complete"] = 0.0
    second = frame.iloc[[5]].assign(living_sqft=800.0, land_sqft=np.nan, year_built=1950.0)
    return pd.concat([frame, second]).sort_values("property_id", kind="stable").reset_index(drop=True)


@functools.cache
def valued(count: int = 120, seed: int = 0) -> pd.DataFrame:
    features = pd.DataFrame(
        [("p00007", "GAR", 500.0, 2000.0, np.nan, 100.0), ("p00008", "SHD", 90.0, np.nan, 70.0, 100.0)],
        columns=["property_id", "code", "quantity", "year_built", "percent_good", "percent_complete"],
    )
    raw = raw_values(SCHEDULE, town(count, seed), as_of=VALUED_ON, features=features)
    return value_properties(raw, LOCAL, rounding=100).frame


def sales_of(frame: pd.DataFrame, count: int = 60, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    at = random.choice(len(frame), count, replace=False)
    return pd.DataFrame(
        {
            "property_id": frame.index[at],
            "price": (frame["value"].to_numpy()[at] * np.exp(random.normal(0, 0.15, count))).round(),
            "sold_on": VALUED_ON.toordinal() - random.integers(0, 700, count),
        }
    )


def choose(frame: pd.DataFrame, sales: pd.DataFrame, **options: float) -> Comparables:
    return comparables_of(frame, sales, LOCAL, valued_on=VALUED_ON, settings={**SETTINGS, **options})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_adjustments_always_sum_to_the_value_less_the_value_of_the_sold_one_on_its_day(seed: int) -> None:
    frame = valued.__wrapped__(40, seed)
    found = choose(frame, sales_of(frame, 25, seed))
    there = found.chosen >= 0
    assert there.any()
    then = found.sales["then"].to_numpy()
    difference = found.values[:, None] - then[np.where(there, found.chosen, 0)]
    assert (found.adjustments.sum(axis=2)[there] == difference[there]).all()
    assert (found.adjustments[~there] == 0).all()
    assert (found.weights.sum(axis=1) == np.where(there.any(axis=1), 100, 0)).all()
    assert (found.weights >= 0).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), min_size=1, max_size=5),
    st.integers(-1_000_000, 1_000_000),
)
def test_whole_dollars_sum_to_the_total_and_stay_near_their_share(
    rows: list[list[float]], total: int
) -> None:
    exact = np.array(rows)
    totals = np.full(len(rows), total) + np.rint(exact.sum(axis=1)).astype(np.int64)
    found = whole_dollars(exact, totals)
    assert (found.sum(axis=1) == totals).all()
    plain = whole_dollars(exact, np.rint(exact.sum(axis=1)).astype(np.int64))
    assert (np.abs(plain - exact) <= 1.5).all()


def test_a_component_in_which_two_houses_do_not_differ_is_not_adjusted() -> None:
    frame = town(30)
    frame.loc[20] = frame.loc[10].to_dict() | {"property_id": "p00019", "grade": "B"}
    frame.loc[10, "grade"] = "C"
    raw = raw_values(SCHEDULE, frame, as_of=VALUED_ON)
    houses = value_properties(raw, LOCAL, rounding=1).frame
    ten = frame.loc[10, "property_id"]
    sale = pd.DataFrame({"property_id": [ten], "price": [300_000.0], "sold_on": [VALUED_ON.toordinal()]})
    found = choose(houses, sale)
    row = found.adjustments[houses.index.get_loc("p00019"), 0]
    told = {name: int(dollars) for name, dollars in zip(COMPONENTS, row, strict=True) if dollars}
    assert set(told) == {"grade"}
    assert told["grade"] == houses.loc["p00019", "value"] - houses.loc[ten, "value"]
    new = houses.loc[ten, "step_new"] - houses.loc[ten, "step_additives"]
    assert told["grade"] == pytest.approx(
        0.2 * new * houses.loc[ten, "building"] / houses.loc[ten, "step_new"], abs=2
    )


def test_the_adjustment_from_a_to_b_is_the_negative_of_that_from_b_to_a() -> None:
    terms = terms_of(valued())
    one, other = np.arange(60), np.arange(60, 120)
    there = exact_differences(terms.take(one), terms.take(other))
    back = exact_differences(terms.take(other), terms.take(one))
    assert np.allclose(there, -back, atol=1e-6)


def test_time_brings_the_model_s_value_on_the_day_of_sale_to_the_valuation_date() -> None:
    frame = valued()
    key = frame.index[10]
    year_ago = VALUED_ON.toordinal() - 365
    found = choose(frame, pd.DataFrame({"property_id": [key], "price": [250_000.0], "sold_on": [year_ago]}))
    time = found.adjustments[11, 0, COMPONENTS.index("time")]
    then = float(frame.loc[key, "value"]) * float(np.exp(-0.05 * 365 / 365.25))
    assert time == pytest.approx(float(frame.loc[key, "value"]) - then, abs=1)
    assert found.indicated[11] == 250_000 + found.adjustments[11, 0].sum()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_sales_changes_nothing(random) -> None:
    frame = valued()
    sales = sales_of(frame)
    order = list(range(len(sales)))
    random.shuffle(order)
    first, second = choose(frame, sales), choose(frame, sales.iloc[order])
    assert (first.chosen == second.chosen).all()
    assert (first.adjustments == second.adjustments).all()
    assert (first.indicated == second.indicated).all()
    pd.testing.assert_frame_equal(first.sales, second.sales)


def test_equal_sales_are_taken_in_the_order_of_their_property() -> None:
    frame = town(30)
    for at in range(10, 20):
        frame.loc[at] = frame.loc[10].to_dict() | {"property_id": f"p{at - 1:05d}q"}
    houses = value_properties(raw_values(SCHEDULE, frame, as_of=VALUED_ON), LOCAL, rounding=100).frame
    same = sorted(key for key in houses.index if key.endswith("q"))
    sales = pd.DataFrame(
        {"property_id": same[::-1], "price": 300_000.0, "sold_on": VALUED_ON.toordinal() - 30}
    )
    found = choose(houses, sales)
    chosen = found.sales["property_id"].to_numpy()[found.chosen[houses.index.get_loc(same[0])]]
    assert list(chosen) == same[1:6]


def test_never_its_own_sale_nor_another_kind_nor_a_later_or_old_or_absurd_one() -> None:
    frame = valued()
    sales = sales_of(frame)
    sales.loc[0, "sold_on"] = VALUED_ON.toordinal() + 1
    sales.loc[1, "sold_on"] = VALUED_ON.toordinal() - 5 * 366
    sales.loc[2, "price"] = 5_000.0
    gone = set(sales["property_id"].iloc[:3])
    found = comparables_of(frame, sales, LOCAL, valued_on=VALUED_ON, settings={})
    assert not gone & set(found.sales["property_id"])
    there = found.chosen >= 0
    keys = found.sales["property_id"].to_numpy()[np.where(there, found.chosen, 0)]
    own = frame.index.to_numpy()[:, None]
    assert not (there & (keys == own)).any()
    groups = frame["group"]
    assert (
        groups.reindex(keys[there]).to_numpy()
        == np.broadcast_to(groups.to_numpy()[:, None], keys.shape)[there]
    ).all()
    for row in found.chosen:
        kept = [sale for sale in row if sale >= 0]
        assert len(set(kept)) == len(kept)


def test_the_last_sale_of_a_property_counts_and_few_sales_give_few_comparables() -> None:
    frame = valued()
    twice = pd.DataFrame(
        {
            "property_id": [frame.index[10], frame.index[10], frame.index[12]],
            "price": [200_000.0, 260_000.0, 240_000.0],
            "sold_on": [VALUED_ON.toordinal() - 600, VALUED_ON.toordinal() - 10, VALUED_ON.toordinal() - 50],
        }
    )
    found = choose(frame, twice)
    assert sorted(found.sales["price"]) == [240_000.0, 260_000.0]
    assert (found.chosen[11] >= 0).sum() == 2
    assert (found.chosen[10] >= 0).sum() == 1
    none = choose(frame, twice.iloc[:0])
    assert (none.chosen == -1).all()
    assert (none.indicated == 0).all()


def test_the_chosen_are_those_that_a_search_of_all_sales_finds() -> None:
    frame = valued(600, 5)
    sales = sales_of(frame, 400, 6)
    fast = choose(frame, sales)
    from valuation.comparables.rules import grid

    whole = pytest.MonkeyPatch()
    with whole.context() as patch:
        patch.setattr(grid, "_CANDIDATES", 400)
        slow = choose(frame, sales)
    same = (fast.chosen == slow.chosen).mean()
    assert same > 0.97
    worse = fast.dissimilarity.sum(axis=1) / slow.dissimilarity.sum(axis=1)
    assert worse.max() < 1.25


def test_two_towns_valued_together_or_apart_get_the_same_grids() -> None:
    frame = valued()
    part = frame.iloc[:50]
    sales = sales_of(part, 25)
    apart = choose(part, sales)
    again = choose(part.copy(), sales.copy())
    assert (apart.adjustments == again.adjustments).all()
    assert dataclasses.replace(apart, index=again.index).indicated.tolist() == again.indicated.tolist()
