"""What a ratio study's charts are drawn from: a histogram, and medians by size of property. No drawing here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from valuation.ratio.rules.errors import RatioStudyError
from valuation.ratio.rules.intervals import median_interval
from valuation.ratio.rules.point import pairs


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram: ratios from ``low`` up to and without ``high``; the ends hold what lies beyond."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Band:
    """One band of sales by size: proxy dollars from lowest to highest, and its median ratio with 95 % limits."""

    lowest: float
    highest: float
    n: int
    median: float
    low: float
    high: float


def histogram(values: ArrayLike, prices: ArrayLike, *, level: float = 1.0, bars: int = 20) -> list[Bar]:
    """Return counts of ratios between half and one and a half of the level, in bars of one width.

    Ratios beyond are counted in the first and the last bar, so that the counts sum to the sales.
    """
    ratios = pairs(values, prices).ratios / level
    edges = np.linspace(0.5, 1.5, bars + 1)
    at = np.clip(np.searchsorted(edges, ratios, side="right") - 1, 0, bars - 1)
    counts = np.bincount(at, minlength=bars)
    return [
        Bar(float(level * low), float(level * high), int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def bands(values: ArrayLike, prices: ArrayLike, *, count: int = 5) -> list[Band]:
    """Return median ratios by size, from the least to the dearest; equal counts, at least five sales each.

    Size is half the price and half the value at the median ratio, as in the PRB, so that chance in the price
    alone does not look like bias.
    """
    sales = pairs(values, prices)
    count = min(count, sales.n // 5)
    if count < 2:
        raise RatioStudyError("too_few", f"{sales.n} sales; bands of five need at least 10")
    size = 0.5 * sales.prices + 0.5 * sales.values / sales.median
    found = []
    for rows in np.array_split(np.argsort(size, kind="stable"), count):
        limits = None
        if len(rows) >= 6:
            limits = median_interval(sales.values[rows], sales.prices[rows])
        middle = float(np.median(sales.ratios[rows]))
        found.append(
            Band(
                float(size[rows].min()),
                float(size[rows].max()),
                len(rows),
                middle,
                limits.low if limits else middle,
                limits.high if limits else middle,
            )
        )
    return found
