"""Signs of chased sales, weighted sales, and the tests that a jurisdiction asks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuation.ratio import rules

RANDOM = np.random.default_rng(7)
HONEST = np.exp(RANDOM.normal(0, 0.15, 900))


def test_values_set_at_the_price_are_found_by_both_tests() -> None:
    found = rules.sales_chasing(np.concatenate([HONEST, np.ones(100)]))
    assert found.has_jump
    assert found.has_excess
    assert found.is_suspected
    assert found.jump == pytest.approx(0.1)


def test_honest_values_are_not_suspected() -> None:
    assert not rules.sales_chasing(HONEST).is_suspected


def test_the_band_follows_the_level_aimed_at() -> None:
    chased = 0.7 * np.concatenate([HONEST, np.ones(100)])
    assert rules.sales_chasing(chased, level=0.7).is_suspected
    assert not rules.sales_chasing(chased).is_suspected


def test_like_houses_near_the_level_alone_do_not_raise_the_alarm() -> None:
    alike = np.random.default_rng(3).laplace(1.0, 0.02, 500)
    found = rules.sales_chasing(alike)
    assert found.has_excess
    assert not found.is_suspected


def test_sold_properties_that_rose_more_are_found_and_equal_ones_are_not() -> None:
    random = np.random.default_rng(5)
    unsold = random.normal(1.20, 0.05, 2000)
    chased = rules.unsold_test(random.normal(1.35, 0.10, 80), unsold)
    assert chased.difference == pytest.approx(15, abs=3)
    assert not chased.is_alike(5)
    fair = rules.unsold_test(random.normal(1.20, 0.10, 80), unsold)
    assert fair.is_alike(5)


def test_few_sold_properties_cannot_confirm_a_miss() -> None:
    found = rules.unsold_test([1.0, 1.0, 1.3, 1.35, 1.4], np.full(50, 1.2), seed=1)
    assert found.difference > 5
    assert found.low < 0 < found.high
    assert found.is_alike(5)


@given(
    st.lists(
        st.tuples(st.floats(5e4, 2e6), st.floats(5e4, 2e6), st.integers(min_value=0, max_value=4)),
        min_size=8,
        max_size=40,
    ).filter(
        lambda rows: sum(1 for row in rows if row[2]) > 3 and len({row[1] for row in rows if row[2]}) > 3
    )
)
def test_a_whole_weight_counts_a_sale_so_often(rows: list[tuple[float, float, int]]) -> None:
    a, s, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    times = w.astype(int)
    weighted = rules.weighted_statistics(a, s, w)
    repeated = np.repeat(a, times), np.repeat(s, times)
    plain = {
        "median": rules.median_ratio(*repeated),
        "mean": rules.mean_ratio(*repeated),
        "weighted_mean": rules.weighted_mean_ratio(*repeated),
        "cod": rules.cod(*repeated),
        "cov": rules.cov(*repeated),
        "prd": rules.prd(*repeated),
        "prb": rules.prb(*repeated),
        "mki": rules.mki(*repeated),
        "ki": rules.ki(*repeated),
    }
    assert weighted == pytest.approx(plain, rel=1e-7, abs=1e-9)


def test_weights_move_a_study_towards_the_sales_that_count_more() -> None:
    a, s = np.array([90.0, 95, 100, 105, 110, 140]) * 1000, np.array([100.0, 101, 102, 103, 104, 105]) * 1000
    plain = rules.study(a, s, resamples=200)
    heavy = rules.study(a, s, weights=[1, 1, 1, 1, 1, 30], resamples=200)
    assert plain["median"].value < heavy["median"].value == pytest.approx(140 / 105)
    assert heavy["median"].interval is not None
    assert heavy["median"].interval.method.startswith("bootstrap")


@pytest.mark.parametrize("weights", [[1, 1], [1, -1, 1, 1, 1], [0] * 5, [1, 1, np.nan, 1, 1]])
def test_bad_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(rules.RatioStudyError):
        rules.study(np.arange(1.0, 6), np.arange(2.0, 7), weights=weights)


def test_sales_without_a_figure_are_refused_or_left_out_and_counted() -> None:
    a, s = np.array([90.0, np.nan, 100, 0, 110]), np.array([100.0, 101, 102, 103, np.inf])
    with pytest.raises(rules.RatioStudyError, match="position 1"):
        rules.study(a, s)
    found = rules.study(a, s, missing="omit", resamples=0)
    assert (found.n, found.omitted) == (2, 3)


def _sales(level: float, spread: float = 0.08, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(11)
    prices = np.exp(random.normal(12.5, 0.4, n))
    return prices * level * np.exp(random.normal(0, spread, n)), prices


@pytest.mark.parametrize(("level", "met"), [(0.70, True), (0.60, False), (0.80, False)])
def test_the_overall_level_decides_a_connecticut_revaluation(level: float, met: bool) -> None:
    # SOURCE: RCSA 12-62i-3(b)(1), within ten percent of 70 %
    outcomes = rules.judge(rules.rule_sets()["CT-62i-2001"], *_sales(level), level=0.70)
    overall = next(each for each in outcomes if each.id == "overall_level")
    assert overall.is_met is met
    assert overall.decides is not met
    assert overall.is_verified


def test_limits_belong_to_what_they_allow() -> None:
    test = next(each for each in rules.rule_sets()["CT-62i-2001"].requirements if each.id == "overall_level")
    assert test.allows(0.90)
    assert test.allows(1.10)
    assert not test.allows(0.8999)


def test_a_class_out_of_line_is_reported_by_name_and_decides_nothing_while_unverified() -> None:
    a, s = _sales(1.0)
    classes = ["residential"] * 80 + ["commercial"] * 30 + ["industrial"] * 10
    a[80:110] *= 0.8
    outcomes = rules.judge(rules.rule_sets()["CT-62i-2001"], a, s, classes=classes)
    found = {each.stratum: each for each in outcomes if each.id == "class_level"}
    assert found["residential"].is_met
    assert found["commercial"].is_met is False
    assert not found["commercial"].decides
    assert found["industrial"].is_met is None
    assert found["industrial"].n == 10


def test_every_rule_names_its_source_and_whether_it_was_seen() -> None:
    for rule_set in rules.rule_sets().values():
        for each in rule_set.requirements:
            assert each.source
            assert each.low is not None or each.high is not None
    verified = [each.id for each in rules.rule_sets()["CT-62i-2001"].requirements if each.is_verified]
    assert verified == ["overall_level"]
