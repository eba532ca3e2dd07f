"""Credibility believes a group as far as its sales go, and agrees with a published worked example."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.pooling.credibility import credibility


def test_two_groups_by_hand() -> None:
    # By hand: means 2 and 8, within (2 + 2) / 2 = 2, between = ((3 * 9 + 3 * 9) - 2) / (6 - 18 / 6) = 52 / 3,
    # credibility 3 * (52 / 3) / (52 + 2) = 52 / 54, collective 5.
    found = credibility(np.array([1.0, 2, 3, 7, 8, 9]), ["a", "a", "a", "b", "b", "b"])
    assert found.within == pytest.approx(1.0)
    assert found.between_towns == pytest.approx((54 - 1) / 3)
    assert found.towns["a"].credibility == pytest.approx(53 / 54)
    assert found.collective == pytest.approx(5)
    assert found.towns["a"].level == pytest.approx(5 - 3 * 53 / 54)


def test_groups_that_do_not_differ_are_not_believed_at_all() -> None:
    found = credibility(np.array([1.0, 3, 1, 3, 1, 3]), ["a", "a", "b", "b", "c", "c"])
    assert found.between_towns == 0
    assert found.level_of(["a", "b", "never seen"]) == pytest.approx([2, 2, 2])


def test_the_fallback_goes_from_neighbourhood_to_town_to_region() -> None:
    random = np.random.default_rng(1)
    towns = np.repeat([f"t{at}" for at in range(40)], 16)
    places = np.tile(np.repeat([f"p{at}" for at in range(4)], 4), 40)
    truth = np.repeat(random.normal(0, 0.3, 40), 16) + np.repeat(random.normal(0, 0.2, 160), 4)
    found = credibility(truth + random.normal(0, 0.2, 640), list(towns), list(places))
    known, town, region = found.level_of(["t0", "t0", "t99"], ["p0", "p99", "p0"])
    assert known == found.places[("t0", "p0")].level
    assert town == found.towns["t0"].level
    assert region == found.collective
    assert found.within == pytest.approx(0.04, rel=0.2)
    assert found.between_places == pytest.approx(0.04, rel=0.5)
    levels = found.level_of(list(towns), list(places))
    own = np.array([found.places[(t, p)].own for t, p in zip(towns, places, strict=True)])
    assert np.mean((levels - truth) ** 2) < np.mean((own - truth) ** 2)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.floats(-2, 2)), min_size=1, max_size=60
    )
)
def test_a_level_is_always_between_its_own_mean_and_the_level_above(rows) -> None:
    towns, places, values = zip(*rows, strict=True)
    found = credibility(np.array(values), list(towns), list(places))
    for (town, _), place in found.places.items():
        above = found.towns[town].level
        assert min(above, place.own) - 1e-9 <= place.level <= max(above, place.own) + 1e-9
        assert 0 <= place.credibility <= 1
