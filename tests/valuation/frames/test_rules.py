"""Values already on the cards are never a feature, whatever they are called."""

from __future__ import annotations

import pandas as pd
import pytest

from valuation.cost.rules import Roles
from valuation.frames.rules import CATEGORIES, NUMBERS, FeatureRefused, digest, refuse_roll_values
from valuation.market.rules import Boosted, Hedonic

ROLL_VALUES = [
    "avalue", "value", "Assessed Value", "assessed_total", "prc ttl assess", "prc ttl assess bldg",
    "ahd ttl assess lnd", "appraised_value", "Appraised Land", "market_value", "land_value", "total value",
    "taxable", "saleprice", "ID1 Prior Sale Price", "price", "Sale Amount value", "sale_ratio", "rcnld", "RCN",
    "consideration", "bldg_val", "PRICE",
]  # fmt: skip


@pytest.mark.parametrize("name", ROLL_VALUES)
def test_a_value_or_price_is_refused_as_a_feature_by_every_model(name: str) -> None:
    for refuse in (
        lambda: refuse_roll_values(["living_sqft", name]),
        lambda: Hedonic(numbers=("living_sqft", name), categories=()),
        lambda: Boosted(numbers=("living_sqft", name), categories=()),
        lambda: Roles(additives=(name,)),
        lambda: Roles(base_rate=name),
    ):
        with pytest.raises(FeatureRefused) as caught:
            refuse()
        assert caught.value.columns == [name]


def test_every_fact_of_the_frame_is_allowed() -> None:
    refuse_roll_values([*NUMBERS, *CATEGORIES, "valley_view", "evaluation_zone", "interval"])


def test_a_declared_column_is_refused_under_any_name() -> None:
    with pytest.raises(FeatureRefused):
        refuse_roll_values(["nice_number"], declared=["nice_number"])


def test_equal_facts_have_equal_hashes_and_one_changed_cell_another() -> None:
    frame = pd.DataFrame({"living_sqft": [1000.0, None], "style": ["Ranch", "Cape"]})
    same = pd.DataFrame({"style": ["Ranch", "Cape"], "living_sqft": [1000, float("nan")]})
    assert digest(frame) == digest(same)
    for column, cell in (("living_sqft", 1001.0), ("style", "ranch")):
        changed = frame.copy()
        changed.loc[0, column] = cell
        assert digest(changed) != digest(frame)
    assert digest(frame.iloc[::-1]) != digest(frame)
