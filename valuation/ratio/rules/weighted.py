"""Statistics of weighted sales: a weight of two counts a sale twice, of one half counts it half.

For samples that are drawn unevenly (one class sold more often than its share of the roll). With whole weights
each figure equals the plain statistic of the sales repeated so often, except that the interval of a weighted
study comes from draws in proportion to the weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from valuation.ratio.rules.errors import RatioStudyError
from valuation.ratio.rules.point import Floats, pairs


def check_weights(weights: ArrayLike, n: int) -> Floats:
    """Return weights as numbers.

    Raises
    ------
    RatioStudyError
        ``bad_weight``: not one finite number of zero or more for each sale, or all zero.
    """
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (n,):
        raise RatioStudyError("length_mismatch", f"{array.size} weights for {n} sales")
    if not np.isfinite(array).all() or (array < 0).any() or array.sum() <= 0:
        raise RatioStudyError("bad_weight", "weights must be finite, zero or more, and not all zero")
    return array


def weighted_median(figures: ArrayLike, weights: ArrayLike) -> float:
    """Return the figure with half of the weight below it; the middle of two where the half falls between."""
    array = np.asarray(figures, dtype=np.float64)
    given = check_weights(weights, len(array))
    order = np.argsort(array, kind="stable")
    array, given = array[order], given[order]
    keep = given > 0
    array, running = array[keep], np.cumsum(given[keep])
    half = running[-1] / 2
    at = int(np.searchsorted(running, half * (1 - 1e-12)))
    if at + 1 < len(array) and abs(running[at] - half) <= 1e-9 * running[-1]:
        return float((array[at] + array[at + 1]) / 2)
    return float(array[at])


def weighted_statistics(values: ArrayLike, prices: ArrayLike, weights: ArrayLike) -> dict[str, float]:
    """Return median, mean, weighted mean, COD, COV, PRD, PRB, MKI and KI of weighted sales.

    Raises
    ------
    RatioStudyError
        As `pairs` and `check_weights` say; ``no_spread`` when all prices are equal.
    """
    sales = pairs(values, prices, least=3)
    w = check_weights(weights, sales.n)
    keep = w > 0
    a, s, r, w = sales.values[keep], sales.prices[keep], sales.ratios[keep], w[keep]
    if len(a) < 3:
        raise RatioStudyError("too_few", f"{len(a)} sales have a weight; this needs at least 3")
    if np.ptp(s) == 0.0:
        raise RatioStudyError("no_spread", "all sales have the same price; PRB and MKI have no meaning")
    total = w.sum()
    median = weighted_median(r, w)
    mean = float(w @ r / total)
    weighted_mean = float(w @ a / (w @ s))
    x = np.log2(0.5 * s + 0.5 * a / median)
    y = r / median - 1.0
    dx, dy = x - w @ x / total, y - w @ y / total
    value_gini, price_gini = _weighted_gini(a, s, w), _weighted_gini(s, s, w)
    return {
        "median": median,
        "mean": mean,
        "weighted_mean": weighted_mean,
        "cod": float(100.0 * (w @ np.abs(r - median)) / total / median),
        "cov": float(100.0 * np.sqrt(w @ (r - mean) ** 2 / max(total - 1, 1e-12)) / mean),
        "prd": mean / weighted_mean,
        "prb": float((w * dx) @ dy / ((w * dx) @ dx)),
        "mki": value_gini / price_gini,
        "ki": value_gini - price_gini,
    }


def _weighted_gini(amounts: Floats, prices: Floats, weights: Floats) -> float:
    """Return the Gini of amounts in price order; equal prices share the mean rank of their copies."""
    _, group = np.unique(prices, return_inverse=True)
    held = np.bincount(group, weights=weights)
    ranks = (np.cumsum(held) - 0.5 * held + 0.5)[group]
    total = weights.sum()
    return float(2.0 * ((weights * amounts) @ ranks) / (weights @ amounts) - (total + 1)) / float(total)
