"""Spreading a new total, the second person's limits, the gate's checks, and two runs side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.review.rules.closing import Standing, checks_of, still_shut
from valuation.review.rules.comparing import change_map, compare_runs, summarise
from valuation.review.rules.overriding import review_policy, second_person_because
from valuation.runs.rules.splitting import spread

POLICY = review_policy()
PARTS = st.lists(st.integers(0, 5_000_000), min_size=1, max_size=6)


@given(PARTS, st.integers(0, 20_000_000), st.sampled_from([1, 10, 100]))
def test_the_parts_sum_to_the_new_total_and_none_is_negative(
    dollars: list[int], total: int, unit: int
) -> None:
    parts = [[str(at), each, 1.5, "acre"] for at, each in enumerate(dollars)]
    found = spread(total, parts, unit=unit)
    assert sum(part[1] for part in found) == total
    assert all(part[1] >= 0 for part in found)
    assert [[part[0], *part[2:]] for part in found] == [[part[0], *part[2:]] for part in parts]


@given(PARTS, st.integers(1, 20_000_000))
def test_no_part_is_further_than_a_dollar_from_its_share(dollars: list[int], total: int) -> None:
    before = sum(dollars)
    for part, was in zip(spread(total, [["1", each, None, ""] for each in dollars]), dollars, strict=True):
        if before:
            assert abs(part[1] - total * was / before) < 1


def test_the_same_total_changes_no_part() -> None:
    parts = [["11", 100_100, 0.5, "acre"], ["13", 250_300, None, ""], ["14", 0, None, ""]]
    assert spread(350_400, parts) == parts


def test_a_value_out_of_nothing_goes_to_the_first_part() -> None:
    assert spread(500, [["51", 0, None, ""], ["55", 0, None, ""]]) == [
        ["51", 500, None, ""],
        ["55", 0, None, ""],
    ]


@pytest.mark.parametrize(("before", "after", "count"), [
    (400_000, 460_000, 0), (400_000, 460_001, 1), (400_000, 339_999, 1), (2_000_000, 2_100_000, 0),
    (2_000_000, 2_100_001, 1), (1_000_000, 800_000, 2), (0, 90_000, 1), (90_000, 0, 2),
])  # fmt: skip
def test_a_change_over_a_limit_needs_a_second_person_and_one_at_it_does_not(
    before: int, after: int, count: int
) -> None:
    assert len(second_person_because(before, after, POLICY)) == count


def test_changing_many_at_once_always_needs_a_second_person() -> None:
    assert second_person_because(100_000, 100_100, POLICY, is_bulk=True) == [
        "it changes many properties at once"
    ]


GOOD = {
    "properties": 10, "without_conclusion": 0, "without_value": 0, "parts_out_of_sum": 0, "waiting_overrides": 0,
    "unreviewed": {}, "changed_since": 0, "is_adopted": True, "decisive_misses": [], "other_misses": [], "sales": 30,
}  # fmt: skip


def test_a_run_in_order_has_no_check_that_keeps_it_shut() -> None:
    checks = checks_of(Standing(**GOOD))
    assert [check.state for check in checks] == ["met"] * len(checks)
    assert still_shut(checks, {}) == []


@pytest.mark.parametrize(("changed", "name"), [
    ({"without_conclusion": 1}, "concluded"), ({"without_value": 2}, "valued"), ({"parts_out_of_sum": 1}, "parts"),
    ({"waiting_overrides": 1}, "overrides"), ({"unreviewed": {"no_value": 3}}, "reviewed"),
    ({"changed_since": 4}, "current"), ({"is_adopted": False}, "adopted"), ({"decisive_misses": ["level"]}, "rules"),
])  # fmt: skip
def test_each_fault_keeps_the_gate_shut_until_it_is_accepted_with_a_reason(changed: dict, name: str) -> None:
    checks = checks_of(Standing(**{**GOOD, **changed}))
    assert [check.id for check in still_shut(checks, {})] == [name]
    assert [check.id for check in still_shut(checks, {name: "  "})] == [name]
    assert still_shut(checks, {name: "known, and agreed with the board"}) == []


def test_what_nobody_has_verified_and_a_town_without_sales_are_worth_a_look_and_decide_nothing() -> None:
    looked = checks_of(Standing(**{**GOOD, "other_misses": ["COD 16"]}))
    none = checks_of(Standing(**{**GOOD, "sales": 0, "decisive_misses": []}))
    assert {check.id for check in looked if check.state == "look"} == {"unverified_rules"}
    assert {check.id for check in none if check.state == "look"} == {"rules"}
    assert still_shut([*looked, *none], {}) == []


def frame(values: dict[str, float]) -> pd.DataFrame:
    rows = [{"property_id": key, "value": value, "neighbourhood": key[0], "x": 100.0 * at, "y": 50.0 * at}
            for at, (key, value) in enumerate(values.items())]  # fmt: skip
    return pd.DataFrame(rows).set_index("property_id")


def test_two_runs_are_paired_by_property_and_not_by_row() -> None:
    found = compare_runs(frame({"a1": 100, "a2": 200, "b1": 300}), frame({"b1": 330, "a1": 100, "c1": 50}))
    assert found.loc["b1", "percent"] == pytest.approx(10)
    assert found.loc["a1", "change"] == 0
    assert np.isnan(found.loc["a2", "after"])
    assert np.isnan(found.loc["c1", "before"])
    assert found.loc["c1", "neighbourhood"] == "c"
    (everything,) = summarise(found)
    assert (everything.n, everything.changed, everything.before, everything.after) == (2, 1, 400, 430)
    assert [(row.name, row.n) for row in summarise(found, "neighbourhood")] == [("a", 1), ("b", 1)]


def test_a_property_named_twice_is_an_error() -> None:
    twice = pd.concat([frame({"a1": 1}), frame({"a1": 2})])
    with pytest.raises(ValueError, match="twice"):
        compare_runs(twice, frame({"a1": 1}))


def test_the_map_classes_the_median_change_of_each_square_and_counts_every_property_once() -> None:
    before = frame({f"a{n:03}": 100 for n in range(200)})
    after = before.assign(value=[100.0 + (n >= 100) * 20 for n in range(200)])
    drawn = change_map(compare_runs(before, after), across=10)
    assert sum(cell.n for cell in drawn.cells) == 200
    assert {cell.step for cell in drawn.cells} == {3, 6}
    assert max(cell.column for cell in drawn.cells) == 9
