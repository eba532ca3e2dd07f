"""The vertical equity indicator: do low and high properties stand at one level?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from valuation.ratio.rules.errors import RatioStudyError
from valuation.ratio.rules.intervals import _median_limits
from valuation.ratio.rules.point import pairs


@dataclass(frozen=True)
class ValueGroup:
    """One band of the value proxy: its sales, median ratio and the limits of that median."""

    n: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class VerticalEquity:
    """The indicator and what is sure of it.

    Attributes
    ----------
    vei_percent : float
        100 (median of the dearest group - median of the cheapest) / median of all. Within 10 is acceptable.
    sure_gap_percent : float
        Part of |VEI| outside both groups' intervals (nearest limits), 0 when these overlap.
    sure_difference_percent : float
        |VEI| less the half-widths of both intervals added as squares, 0 when less than nothing.
    groups : tuple of ValueGroup
        From cheapest to dearest.
    """

    vei_percent: float
    sure_gap_percent: float
    sure_difference_percent: float
    groups: tuple[ValueGroup, ...]

    def verdict(self, *, limit_percent: float = 10.0) -> str:
        """Return ``acceptable``, ``regressive`` or ``progressive``; a miss must be sure to count."""
        if abs(self.vei_percent) <= limit_percent or self.sure_difference_percent <= limit_percent:
            return "acceptable"
        return "progressive" if self.vei_percent > 0 else "regressive"


def _group_count(n: int) -> int:
    if n < 20:
        raise RatioStudyError("too_few", f"{n} sales; the VEI is not defined under 20")
    if n <= 50:
        return 2
    return 4 if n <= 500 else 10


def vertical_equity(values: ArrayLike, prices: ArrayLike, *, confidence: float = 0.90) -> VerticalEquity:
    """Return the VEI with its groups (Standard on Ratio Studies, newer edition, appendix E as told by peers).

    Sales are ordered by ``price / 2 + value / (2 median)``; halves to 50 sales, quarters to 500, tenths
    above; cut after position ``floor(P (n - 1) + 1)`` (R7).
    """
    sales = pairs(values, prices)
    count = _group_count(sales.n)
    proxy = 0.5 * sales.prices + 0.5 * sales.values / sales.median
    ordered = sales.ratios[np.argsort(proxy, kind="stable")]
    cuts = [math.floor(part / count * (sales.n - 1) + 1) for part in range(1, count)]
    groups = []
    for ratios in np.split(ordered, cuts):
        low, high = _median_limits(np.sort(ratios), confidence)
        groups.append(ValueGroup(len(ratios), float(np.median(ratios)), low, high))
    first, last = groups[0], groups[-1]
    difference = last.median - first.median
    gap = (last.low - first.high) if difference > 0 else (first.low - last.high)
    error = math.hypot((first.high - first.low) / 2, (last.high - last.low) / 2)
    return VerticalEquity(
        vei_percent=100.0 * difference / sales.median,
        sure_gap_percent=100.0 * max(gap, 0.0) / sales.median,
        sure_difference_percent=100.0 * max(abs(difference) - error, 0.0) / sales.median,
        groups=tuple(groups),
    )
