"""979 real sales: what two programs find on them, we find.

SOURCE of the sample: ccao_sample.json. SOURCE of figures: assesspy 2.0.2, unless a test says otherwise.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from valuation.ratio import rules

SAMPLE = json.loads((Path(__file__).parent / "ccao_sample.json").read_text())
A, S = np.array(SAMPLE["A"]), np.array(SAMPLE["S"])
EVANSTON = np.array(list(SAMPLE["township"])) == "E"

FIGURES = {
    "all": (979, 0.9829454545, 17.8145690120, 1.0484192615, 0.0024757874, 0.9114570241, -0.0359924906),
    "Evanston": (469, 0.9806580645, 16.3976363603, 1.0328864226, 0.0109755369, 0.9352303037, -0.0253912305),
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_seven_statistics_agree(name: str) -> None:
    rows = EVANSTON if name == "Evanston" else np.ones(len(A), dtype=bool)
    a, s = A[rows], S[rows]
    n, median, cod, prd, prb, mki, ki = FIGURES[name]
    assert len(a) == n
    assert rules.median_ratio(a, s) == pytest.approx(median, abs=1e-8)
    assert rules.cod(a, s) == pytest.approx(cod, rel=1e-6)
    assert rules.prd(a, s) == pytest.approx(prd, rel=1e-6)
    assert rules.prb(a, s) == pytest.approx(prb, abs=1e-7)
    assert rules.mki(a, s, ties="file") == pytest.approx(mki, abs=1e-6)
    assert rules.ki(a, s, ties="file") == pytest.approx(ki, abs=1e-6)


def test_average_ranks_give_the_index_that_no_order_of_rows_can_move() -> None:
    # SOURCE: 0.911512 with average ranks; file order gives 0.911457 and ratio-study 0.911571
    assert rules.mki(A, S) == pytest.approx(0.911512, abs=1e-6)
    order = np.random.default_rng(1).permutation(len(A))
    assert rules.mki(A[order], S[order]) == pytest.approx(rules.mki(A, S), rel=1e-12)


def test_the_bias_has_the_published_interval_and_error() -> None:
    limits = rules.prb_interval(A, S)
    assert (limits.low, limits.high) == pytest.approx((-0.0140437856, 0.0189953605), abs=1e-7)
    assert rules.prb_line(A, S).standard_error == pytest.approx(0.0084180670, abs=1e-7)


def test_trimming_at_three_interquartile_ranges_leaves_951() -> None:
    kept = rules.trim(A / S, "extreme")
    assert kept.count == 28
    a, s = A[kept.keep], S[kept.keep]
    assert len(a) == 951
    found = (rules.cod(a, s), rules.prd(a, s), rules.prb(a, s))
    assert found == pytest.approx((15.038452, 1.034746, 0.001785), abs=1e-6)
    assert rules.mki(a, s, ties="file") == pytest.approx(0.932978, abs=1e-6)


def test_trimming_by_quantiles_takes_98() -> None:
    assert rules.trim(A / S, "quantile").count == 98


def test_the_bootstrap_limits_agree_within_one_percent() -> None:
    # SOURCE: assesspy with seed 42 and 500 resamples; its own tests allow 1 %
    limits = rules.percentile_intervals(rules.resample(A, S, resamples=2000, seed=1))
    expected = {"cod": (16.3516, 19.1297), "prd": (1.03461, 1.06569), "mki": (0.88397, 0.93464)}
    for name, (low, high) in expected.items():
        assert limits[name].low == pytest.approx(low, rel=0.012)
        assert limits[name].high == pytest.approx(high, rel=0.012)


def test_the_vertical_equity_indicator_agrees_with_ratio_study() -> None:
    # SOURCE: ratio-study 1.0.1
    assert rules.vertical_equity(A, S).vei_percent == pytest.approx(-2.987927, abs=1e-5)


def test_one_sign_of_chasing_alone_raises_no_alarm() -> None:
    # SOURCE: assesspy 2.0.2: distribution function False, distribution True, both False
    found = rules.sales_chasing(A / S)
    assert (found.has_jump, found.has_excess, found.is_suspected) == (False, True, False)
