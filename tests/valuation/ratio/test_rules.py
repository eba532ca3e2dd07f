"""What the statistics refuse, and the properties they must have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valuation.ratio import rules


def sales(n: int = 400, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    prices = np.round(np.exp(random.normal(12.5, 0.6, n)), -3)
    return prices * np.exp(random.normal(-0.05, 0.15, n)), prices


@pytest.mark.parametrize(
    ("values", "prices", "code"),
    [
        ([1.0, float("nan")], [1.0, 1.0], "not_a_number"),
        ([1.0, float("inf")], [1.0, 1.0], "not_a_number"),
        (["a", "b"], [1.0, 1.0], "not_a_number"),
        ([1.0, 1.0], [1.0, 0.0], "not_positive"),
        ([-1.0, 1.0], [1.0, 1.0], "not_positive"),
        ([1.0, 1.0], [1.0], "length_mismatch"),
        ([], [], "too_few"),
        ([[1.0]], [[1.0]], "wrong_shape"),
    ],
)
@pytest.mark.parametrize(
    "statistic", [rules.median_ratio, rules.cod, rules.prd, rules.prb, rules.mki, rules.resample]
)
def test_bad_figures_are_refused_with_a_code(statistic, values, prices, code) -> None:
    with pytest.raises(rules.RatioStudyError) as caught:
        statistic(values, prices)
    assert caught.value.code == code


def test_equal_prices_have_no_bias_and_no_kakwani_index_instead_of_infinity() -> None:
    for statistic in (rules.mki, rules.ki):
        with pytest.raises(rules.RatioStudyError) as caught:
            statistic([1.0, 2.0, 3.0], [5.0, 5.0, 5.0])
        assert caught.value.code == "no_spread"


def test_columns_are_paired_by_position_and_never_by_label() -> None:
    import pandas as pd

    values, prices = sales(50)
    labelled = pd.Series(values, index=range(50, 0, -1))
    assert rules.cod(labelled, pd.Series(prices)) == rules.cod(values, prices)
    assert rules.mki(labelled, pd.Series(prices)) == rules.mki(values, prices)


@given(st.permutations(range(40)), st.floats(0.1, 10))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_order_of_rows_and_unit_of_money_change_nothing_but_the_level(order, factor) -> None:
    values, prices = sales(40)
    moved = list(order)
    for statistic in (rules.cod, rules.cov, rules.prd, rules.prb, rules.mki, rules.ki):
        expected = statistic(values, prices)
        assert statistic(values[moved] * factor, prices[moved]) == pytest.approx(
            expected, rel=1e-9, abs=1e-12
        )
    assert rules.median_ratio(values * factor, prices) == pytest.approx(
        factor * rules.median_ratio(values, prices)
    )


def test_values_that_fall_behind_dear_prices_are_regressive_on_every_index() -> None:
    prices = np.linspace(100_000, 1_000_000, 60)
    values = 100_000 * (prices / 100_000) ** 0.8
    assert rules.prd(values, prices) > 1
    assert rules.prb(values, prices) < 0
    assert rules.mki(values, prices) < 1
    assert rules.ki(values, prices) < 0
    assert rules.vertical_equity(values, prices).verdict() == "regressive"


def test_a_resample_by_weights_equals_the_statistic_of_the_drawn_rows() -> None:
    from valuation.ratio.rules import resampling

    values, prices = sales(57)
    ratios = values / prices
    drawn = np.random.default_rng(9).integers(0, 57, 57)
    order = np.argsort(ratios, kind="stable")
    weights = np.bincount(drawn, minlength=57)[order].astype(float)
    block = resampling._block(resampling._sorted(values, prices, ratios), weights[None, :])
    expected = {
        "median": rules.median_ratio,
        "mean": rules.mean_ratio,
        "weighted_mean": rules.weighted_mean_ratio,
        "cod": rules.cod,
        "prd": rules.prd,
        "prb": rules.prb,
        "mki": rules.mki,
    }
    assert set(block) == set(expected)
    for name, statistic in expected.items():
        assert block[name][0] == pytest.approx(statistic(values[drawn], prices[drawn]), rel=1e-9), name


@pytest.mark.parametrize("count", [3, 4, 57])
def test_every_one_of_many_draws_has_the_cod_and_prb_of_its_rows(count: int) -> None:
    from valuation.ratio.rules import resampling

    values, prices = sales(count)
    draws = np.random.default_rng(2).integers(0, count, (40, count))
    draws = draws[[len(set(row)) > 2 for row in draws]]
    order = np.argsort(values / prices, kind="stable")
    weights = np.array([np.bincount(row, minlength=count)[order] for row in draws], dtype=float)
    block = resampling._block(resampling._sorted(values, prices, values / prices), weights)
    for at, row in enumerate(draws):
        assert block["cod"][at] == pytest.approx(rules.cod(values[row], prices[row]), rel=1e-9, abs=1e-9)
        assert block["prb"][at] == pytest.approx(rules.prb(values[row], prices[row]), rel=1e-8)


def test_the_statistics_that_are_asked_for_are_those_of_the_whole_set() -> None:
    values, prices = sales()
    whole = rules.resample(values, prices, resamples=30, seed=3)
    some = rules.resample(values, prices, resamples=30, seed=3, only=("prb", "median"))
    assert set(some) == {"prb", "median"}
    assert all(np.array_equal(some[name], whole[name]) for name in some)


def test_one_seed_gives_one_bootstrap_and_another_seed_another() -> None:
    values, prices = sales()
    first = rules.resample(values, prices, resamples=50, seed=3)
    assert np.array_equal(first["cod"], rules.resample(values, prices, resamples=50, seed=3)["cod"])
    assert not np.array_equal(first["cod"], rules.resample(values, prices, resamples=50, seed=4)["cod"])


def test_the_number_of_resamples_does_not_change_the_first_ones() -> None:
    values, prices = sales(900)
    few = rules.resample(values, prices, resamples=200, seed=3)["prb"]
    many = rules.resample(values, prices, resamples=400, seed=3)["prb"]
    assert np.array_equal(few, many[:200])


def test_bootstrap_and_closed_form_agree_on_a_large_ordinary_sample() -> None:
    values, prices = sales(4000)
    drawn = rules.percentile_intervals(rules.resample(values, prices, resamples=800))
    for name, closed in (
        ("cod", rules.cod_interval),
        ("median", rules.median_interval),
        ("prb", rules.prb_interval),
    ):
        limits = closed(values, prices)
        width = limits.high - limits.low
        assert drawn[name].low == pytest.approx(limits.low, abs=0.15 * width)
        assert drawn[name].high == pytest.approx(limits.high, abs=0.15 * width)


@pytest.mark.slow
def test_the_interval_of_the_dispersion_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    truth = 100 * 0.2 * np.sqrt(2 / np.pi)
    hits = 0
    for _ in range(400):
        ratios = 1 + random.normal(0, 0.2, 61).clip(-0.9)
        limits = rules.cod_interval(ratios, np.ones(61))
        hits += limits.low <= truth <= limits.high
    assert 0.91 <= hits / 400 <= 0.985


def test_trimming_counts_both_sides_keeps_the_fence_and_is_applied_once() -> None:
    # quartiles 0.95 and 1.05, so the fences at three ranges are 0.65 and 1.35
    ratios = [0.65 - 1e-9, 0.65 + 1e-9, *[0.95] * 20, *[1.0] * 8, *[1.05] * 20, 1.35 - 1e-9, 1.4, 5.0]
    trimming = rules.trim(ratios, "extreme")
    assert (trimming.low_count, trimming.high_count) == (1, 2)
    assert trimming.low_fence == pytest.approx(0.65)
    assert trimming.keep[1]
    assert trimming.keep[-3]


def test_a_study_reports_trimmed_sales_and_says_why_a_figure_is_missing() -> None:
    values, prices = sales(60)
    values[:2] *= 20
    found = rules.study(values, prices, trim_rule="extreme", resamples=100)
    assert (found.n, found.trimmed) == (58, 2)
    assert found["prd"].interval is not None
    small = rules.study(values[10:14], prices[10:14], resamples=0)
    assert small["vei"].value is None
    assert any(note.startswith("vei:") for note in small.notes)


def test_strata_partition_the_sales_and_small_ones_are_counted_apart() -> None:
    values, prices = sales(100)
    names = ["north"] * 60 + ["south"] * 37 + ["tiny"] * 3
    studies, small = rules.study_by(values, prices, names, resamples=0)
    assert {part.stratum: part.n for part in studies} == {"north": 60, "south": 37}
    assert small == {"tiny": 3}
    assert studies[0]["cod"].value == pytest.approx(rules.cod(values[:60], prices[:60]))
