"""Bootstrap intervals of several statistics at once.

Sales are sorted by ratio once. A resample is a row of weights (how often each sale was drawn), so the median
comes from a running sum, the sums from one matrix product and MKI from the mean rank of the weighted copies.
Resamples are worked in blocks that fit a processor's cache. One seed gives one answer on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from valuation.ratio.rules.errors import RatioStudyError
from valuation.ratio.rules.intervals import Interval
from valuation.ratio.rules.point import Floats, pairs

STATISTICS = ("median", "mean", "weighted_mean", "cod", "prd", "prb", "mki")
_BLOCK_CELLS = 131_072


@dataclass(frozen=True)
class _Sorted:
    """Sales in order of ratio, with what every resample needs of them."""

    ratios: Floats
    sums: Floats
    ones_and_ratios: Floats
    half_prices: Floats
    half_values: Floats
    by_price: NDArray[np.intp]
    tie_starts: NDArray[np.intp]
    tie_prices: Floats
    values_by_price: Floats


def _sorted(values: Floats, prices: Floats, ratios: Floats) -> _Sorted:
    order = np.argsort(ratios, kind="stable")
    a, s, r = values[order], prices[order], ratios[order]
    by_price = np.argsort(s, kind="stable")
    ordered_prices = s[by_price]
    starts = np.flatnonzero(np.concatenate(([True], ordered_prices[1:] != ordered_prices[:-1])))
    return _Sorted(
        ratios=r,
        sums=np.column_stack((r, a, s)),
        ones_and_ratios=np.column_stack((np.ones(len(r)), r)),
        half_prices=0.5 * s,
        half_values=0.5 * a,
        by_price=by_price,
        tie_starts=starts,
        tie_prices=ordered_prices[starts],
        values_by_price=a[by_price],
    )


def _block(sales: _Sorted, weights: Floats, only: Collection[str] = STATISTICS) -> dict[str, Floats]:
    """Return each wanted statistic of each resample; ``weights`` has shape (resamples, n)."""
    n = len(sales.ratios)
    running = np.cumsum(weights, axis=1)
    lower = np.array([row.searchsorted((n - 1) // 2, side="right") for row in running])
    upper = np.array([row.searchsorted(n // 2, side="right") for row in running])
    median = 0.5 * (sales.ratios[lower] + sales.ratios[upper])

    ratio_sum, value_sum, price_sum = (weights @ sales.sums).T
    mean = ratio_sum / n
    weighted_mean = value_sum / price_sum
    found = {"median": median, "mean": mean, "weighted_mean": weighted_mean, "prd": mean / weighted_mean}
    if "cod" in only:
        found["cod"] = 100.0 * _deviations(sales, weights, running, upper, median, ratio_sum) / n / median
    if "prb" in only:
        found["prb"] = _prb(sales, weights, median, mean)
    if "mki" in only:
        found["mki"] = _mki(sales, weights, value_sum, price_sum)
    return {name: found[name] for name in only}


def _deviations(
    sales: _Sorted,
    weights: Floats,
    running: Floats,
    upper: NDArray[np.intp],
    median: Floats,
    ratio_sum: Floats,
) -> Floats:
    """Return the sum of absolute deviations from each draw's median; sales are sorted, so it is two sums.

    The sum below the median is one product up to a common place, and the few sales between it and each median.
    """
    n, common = len(sales.ratios), int(np.median(upper))
    below = weights[:, :common] @ sales.ratios[:common]
    for row, end in enumerate(upper):
        if end > common:
            below[row] += weights[row, common:end] @ sales.ratios[common:end]
        elif end < common:
            below[row] -= weights[row, end:common] @ sales.ratios[end:common]
    count = np.where(upper > 0, running[np.arange(len(upper)), np.maximum(upper, 1) - 1], 0.0)
    return np.asarray(ratio_sum - 2.0 * below - median * (n - 2.0 * count), dtype=np.float64)


def _prb(sales: _Sorted, weights: Floats, median: Floats, mean: Floats) -> Floats:
    """Return the slopes; natural logarithms inside, since processors are quicker at them."""
    n = len(sales.ratios)
    x = np.log(sales.half_prices + sales.half_values * (1.0 / median)[:, None])
    wx = weights * x
    sum_x, sum_xr = (wx @ sales.ones_and_ratios).T
    mean_x, mean_y = sum_x / n, mean / median - 1.0
    sxx = np.einsum("ij,ij->i", wx, x) / n - mean_x**2
    sxy = (sum_xr / median - sum_x) / n - mean_x * mean_y
    return np.asarray(np.log(2.0) * sxy / sxx, dtype=np.float64)


def _mki(sales: _Sorted, weights: Floats, value_sum: Floats, price_sum: Floats) -> Floats:
    n = len(sales.ratios)
    drawn = weights[:, sales.by_price]
    drawn_values = np.add.reduceat(drawn * sales.values_by_price, sales.tie_starts, axis=1)
    drawn = np.add.reduceat(drawn, sales.tie_starts, axis=1)
    ranks = np.cumsum(drawn, axis=1) - 0.5 * drawn + 0.5
    value_gini = 2.0 * np.einsum("ij,ij->i", drawn_values, ranks) / value_sum - (n + 1)
    price_gini = 2.0 * np.einsum("ij,ij,j->i", drawn, ranks, sales.tie_prices) / price_sum - (n + 1)
    return np.asarray(value_gini / price_gini, dtype=np.float64)


def resample(
    values: ArrayLike,
    prices: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    weights: Floats | None = None,
    only: Collection[str] = STATISTICS,
    on_block: Callable[[int], object] | None = None,
) -> dict[str, Floats]:
    """Draw the sales with replacement and return every statistic of every draw.

    Parameters
    ----------
    resamples : int
        Number of draws.
    seed : int
        Start of the random numbers (PCG64).
    weights : ndarray, shape (n,), optional
        Chance of each sale to be drawn, in proportion; all alike by default.
    only : collection of str
        The statistics that are wanted, of ``STATISTICS``; MKI takes a third of the time.
    on_block : callable, optional
        Told the number of draws done, for a progress bar.

    Returns
    -------
    dict of str to ndarray, shape (resamples,)
        Keys of ``only``.

    Raises
    ------
    RatioStudyError
        ``too_few`` under three sales, ``no_spread`` when all prices are equal.
    """
    checked = pairs(values, prices, least=3)
    if np.ptp(checked.prices) == 0.0:
        raise RatioStudyError("no_spread", "all sales have the same price; PRB and MKI have no meaning")
    sales = _sorted(checked.values, checked.prices, checked.ratios)
    n = checked.n
    random = np.random.default_rng(seed)
    chances = None if weights is None else _chances(weights, checked.ratios)
    rows = max(1, _BLOCK_CELLS // n)
    blocks: list[dict[str, Floats]] = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for start in range(0, resamples, rows):
            size = min(rows, resamples - start)
            if chances is None:
                draws = random.integers(0, n, size=(size, n), dtype=np.int32)
            else:
                draws = np.searchsorted(chances, random.random((size, n)), side="right").astype(np.int32)
            draws += (np.arange(size, dtype=np.int32) * np.int32(n))[:, None]
            drawn = np.bincount(draws.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
            blocks.append(_block(sales, drawn, only))
            if on_block is not None:
                on_block(size)
    return {name: np.concatenate([block[name] for block in blocks]) for name in only}


def _chances(weights: Floats, ratios: Floats) -> Floats:
    """Return the running chance of being drawn, in order of ratio; the last is a hair above 1."""
    running = np.cumsum(weights[np.argsort(ratios, kind="stable")])
    chances = running / running[-1]
    chances[-1] = 2.0
    return np.asarray(chances, dtype=np.float64)


def percentile_intervals(draws: dict[str, Floats], *, confidence: float = 0.95) -> dict[str, Interval]:
    """Return the percentile interval of each statistic; draws without a finite value are left out."""
    tail = 50.0 * (1 - confidence)
    limits = {}
    for name, figures in draws.items():
        finite = figures[np.isfinite(figures)]
        if len(finite):
            low, high = np.percentile(finite, [tail, 100.0 - tail])
            limits[name] = Interval(
                float(low), float(high), confidence, f"bootstrap, {len(figures)} resamples"
            )
    return limits
