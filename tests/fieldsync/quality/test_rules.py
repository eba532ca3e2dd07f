"""Drawing at random, hiding, and comparing."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from fieldsync.quality.parameters import agreement_on
from fieldsync.quality.rules import Seen, agreement_percent, compare, draw_sample, mask_card

BY = agreement_on(dt.date(2026, 10, 1))


def test_the_same_seed_draws_the_same_whatever_the_order() -> None:
    keys = [f"k{n}" for n in range(200)]
    drawn = draw_sample(keys, Decimal("7.5"), 42)
    assert len(drawn) == len(set(drawn)) == 15
    assert draw_sample(reversed(keys), Decimal("7.5"), 42) == drawn
    assert draw_sample(keys, Decimal("7.5"), 43) != drawn
    assert len(draw_sample(keys[:3], Decimal(5), 1)) == 1


def test_every_property_is_as_likely_as_another() -> None:
    counts = dict.fromkeys(range(20), 0)
    for seed in range(2000):
        counts[draw_sample(list(counts), Decimal(5), seed)[0]] += 1
    # 2,000 draws of 1 in 20: 100 each, give or take five times the standard deviation of 9.7.
    assert all(50 < count < 150 for count in counts.values())


@pytest.mark.parametrize("percent", ["4.9", "10.1"])
def test_a_share_outside_of_five_to_ten_percent_is_refused(percent: str) -> None:
    with pytest.raises(ValueError, match="5 to 10"):
        draw_sample(["a"], Decimal(percent), 1)


def test_what_the_first_person_entered_is_not_on_the_card() -> None:
    card = {
        "building": [{"id": "b", "grade": "A", "style": "Cape"}, {"id": "new", "grade": "B"}],
        "photo": [{"id": "p"}],
        "property": {"comment": "mine", "address": "1 MAIN"},
    }
    seen = [Seen("building", "b", "grade"), Seen("building", "new", "*"), Seen("photo", "p", "*"),
            Seen("property", "x", "comment"), Seen("building", "gone", "grade"), Seen("section", "s", "*")]  # fmt: skip
    assert json.loads(mask_card(json.dumps(card), seen)) == {
        "building": [{"id": "b", "grade": None, "style": "Cape"}],
        "photo": [],
        "property": {"comment": None, "address": "1 MAIN"},
        "section": [],
    }


@pytest.mark.parametrize(
    ("field", "first", "second", "agrees"),
    [
        ("living_area_sqft", 2000, 2060, True), ("living_area_sqft", 2000, 2061, False),
        ("year_built", 1950, 1952, True), ("year_built", 1950, 1953, False),
        ("stories", "1.50", "1.75", True), ("stories", "1.50", 2, False),
        ("bedrooms", 3, 3, True), ("bedrooms", 3, 4, False), ("bedrooms", 3, "3.0", True),
        ("style", "Cape Cod", " cape cod", True), ("style", "Cape Cod", "Ranch", False),
        ("style", None, "", True), ("year_built", None, 1950, False),
    ],
)  # fmt: skip
def test_two_values_agree_within_the_fields_tolerance(
    field: str, first: object, second: object, agrees: bool
) -> None:
    assert BY.agrees(field, first, second) is agrees


def test_only_what_both_entered_is_compared() -> None:
    first = {("building", "b", "grade"): "A", ("building", "b", "style"): "Cape", ("feature", "f", "*"): {},
             ("property", "p", "comment"): "x"}  # fmt: skip
    second = {("building", "b", "grade"): "B", ("building", "b", "bedrooms"): 3, ("feature", "f", "*"): {},
              ("property", "p", "comment"): "y"}  # fmt: skip
    [found] = compare(first, second, BY)
    assert (found.path, found.first, found.second, found.agrees) == ("building/b/grade", "A", "B", False)


def test_the_share_of_nothing_is_not_a_share() -> None:
    assert agreement_percent(0, 0) is None
    assert agreement_percent(24, 23) == Decimal("95.8")
