"""Closed-form confidence intervals of ratio statistics.

Median: ranks above 30 sales, the interpolated binomial table of Clapp at 30 and fewer; mean, weighted mean
and PRB: Student's t; COD: Bonett and Seier (2006). docs/formulas.md gives each formula with its source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from valuation.ratio.rules.errors import RatioStudyError
from valuation.ratio.rules.point import Floats, pairs, prb_line


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval and how it was made."""

    low: float
    high: float
    confidence: float
    method: str


# SOURCE: interpolated binomial table for medians of small samples (Clapp), as in IAAO Standard on Ratio
# Studies, appendix D; n -> (weight, rank, next rank); the upper bound mirrors the lower one.
_SMALL_SAMPLE: dict[float, dict[int, tuple[float, int]]] = {
    0.90: {
        5: (0.8800, 1), 6: (0.6333, 1), 7: (0.2286, 1), 8: (0.8643, 2), 9: (0.5667, 2), 10: (0.1067, 2),
        11: (0.7855, 3), 12: (0.4282, 3), 13: (0.9558, 4), 14: (0.6511, 4), 15: (0.2217, 4), 16: (0.8261, 5),
        17: (0.4603, 5), 18: (0.9735, 6), 19: (0.6480, 6), 20: (0.2072, 6), 21: (0.8048, 7), 22: (0.4156, 7),
        23: (0.9413, 8), 24: (0.5884, 8), 25: (0.1203, 8), 26: (0.7371, 9), 27: (0.3161, 9), 28: (0.8687, 10),
        29: (0.4831, 10), 30: (0.9876, 11),
    },
    0.95: {
        6: (0.9000, 1), 7: (0.6857, 1), 8: (0.3250, 1), 9: (0.9222, 2), 10: (0.6756, 2), 11: (0.2873, 2),
        12: (0.8936, 3), 13: (0.6056, 3), 14: (0.1659, 3), 15: (0.8218, 4), 16: (0.4827, 4), 17: (0.9899, 5),
        18: (0.7076, 5), 19: (0.3059, 5), 20: (0.8835, 6), 21: (0.5479, 6), 22: (0.0697, 6), 23: (0.7381, 7),
        24: (0.3373, 7), 25: (0.8958, 8), 26: (0.5481, 8), 27: (0.0677, 8), 28: (0.7221, 9), 29: (0.3063, 9),
        30: (0.8709, 10),
    },
}  # fmt: skip


def _median_limits(ordered: Floats, confidence: float) -> tuple[float, float]:
    """Return the limits for ratios in ascending order."""
    n = len(ordered)
    table = _SMALL_SAMPLE.get(round(confidence, 4))
    if n <= 30:
        if table is None:
            raise RatioStudyError(
                "no_table", "medians of 30 sales or fewer have tables at 0.90 and 0.95 only"
            )
        if n not in table:
            raise RatioStudyError(
                "too_few", f"{n} sales; a {confidence:.0%} interval of the median needs {min(table)}"
            )
        weight, rank = table[n]
        low = weight * ordered[rank - 1] + (1 - weight) * ordered[rank]
        high = weight * ordered[n - rank] + (1 - weight) * ordered[n - rank - 1]
        return float(low), float(high)
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    if n % 2:
        steps = math.ceil(z * math.sqrt(n) / 2)
        middle = (n + 1) // 2
        low_rank, high_rank = middle - steps, middle + steps
    else:
        steps = math.ceil(z * math.sqrt(n) / 2 + 0.5)
        low_rank, high_rank = n // 2 - steps + 1, n // 2 + steps
    return float(ordered[max(low_rank, 1) - 1]), float(ordered[min(high_rank, n) - 1])


def median_interval(values: ArrayLike, prices: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return the interval of the median ratio by order statistics (IAAO 2013, appendix D.2 and D.4)."""
    ordered = np.sort(pairs(values, prices).ratios)
    low, high = _median_limits(ordered, confidence)
    return Interval(
        low, high, confidence, "interpolated binomial" if len(ordered) <= 30 else "order statistics"
    )


def mean_interval(values: ArrayLike, prices: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return Student's t interval of the mean ratio."""
    sales = pairs(values, prices, least=2)
    half = _t(sales.n - 1, confidence) * float(sales.ratios.std(ddof=1)) / math.sqrt(sales.n)
    mean = float(sales.ratios.mean())
    return Interval(mean - half, mean + half, confidence, "Student t")


def weighted_mean_interval(values: ArrayLike, prices: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return the t interval of the weighted mean ratio (a ratio of sums; Cochran)."""
    sales = pairs(values, prices, least=2)
    a, s, n = sales.values, sales.prices, sales.n
    ratio = float(a.sum() / s.sum())
    spread = float(((a - ratio * s) ** 2).sum())
    half = _t(n - 1, confidence) * math.sqrt(spread) / (float(s.mean()) * math.sqrt(n * (n - 1)))
    return Interval(ratio - half, ratio + half, confidence, "ratio of sums, Student t")


def prb_interval(values: ArrayLike, prices: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return Student's t interval of the PRB slope."""
    line = prb_line(values, prices)
    half = _t(line.n - 2, confidence) * line.standard_error
    return Interval(line.slope - half, line.slope + half, confidence, "regression, Student t")


def cod_interval(values: ArrayLike, prices: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return the interval of the COD, in percent, for ratios of any distribution.

    Bonett, D. G. and Seier, E. (2006), *Confidence interval for a coefficient of dispersion in nonnormal
    distributions*, Biometrical Journal 48: logarithms of mean deviation and median, with their covariance.

    Raises
    ------
    RatioStudyError
        ``too_few`` under five sales, ``no_spread`` when all ratios are equal.
    """
    sales = pairs(values, prices, least=5)
    n, median = sales.n, sales.median
    ordered = np.sort(sales.ratios)
    deviation = float(np.abs(ordered - median).mean())
    if deviation <= 1e-12 * median:
        raise RatioStudyError("no_spread", "all ratios are equal; the COD has no interval")
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    skew = (float(ordered.mean()) - median) / deviation
    spread = float(ordered.var(ddof=1)) / deviation**2

    rank = max(round((n + 1) / 2 - math.sqrt(n)), 1)
    se_median = abs(math.log(ordered[rank - 1]) - math.log(ordered[n - rank])) / 4
    se_deviation = math.sqrt(max(spread + skew**2 - 1, 0.0) / n)
    covariance = skew * se_median / math.sqrt(n)
    joint = math.sqrt(max(se_median**2 + se_deviation**2 - 2 * covariance, 0.0)) / (se_median + se_deviation)

    limit_rank = min(max(round((n + 1) / 2 - joint * z * math.sqrt(n / 4)), 1), n)
    scaled = n / (n - 1) * deviation
    low = scaled * math.exp(-joint * z * se_deviation) / ordered[n - limit_rank]
    high = scaled * math.exp(joint * z * se_deviation) / ordered[limit_rank - 1]
    return Interval(100.0 * float(low), 100.0 * float(high), confidence, "Bonett-Seier")


def _t(degrees: int, confidence: float) -> float:
    return float(stats.t.ppf(0.5 + confidence / 2, degrees))
