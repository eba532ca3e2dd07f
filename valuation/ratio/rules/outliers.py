"""Trimming: extreme ratios leave once, by a stated rule, and are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from valuation.ratio.rules.errors import RatioStudyError

TrimRule = Literal["none", "extreme", "outlier", "quantile"]
_FENCE = {"extreme": 3.0, "outlier": 1.5}


@dataclass(frozen=True)
class Trimming:
    """Which ratios stay, the fences, and how many left on each side."""

    rule: TrimRule
    keep: NDArray[np.bool_]
    low_fence: float
    high_fence: float
    low_count: int
    high_count: int

    @property
    def count(self) -> int:
        """Return how many ratios were trimmed."""
        return self.low_count + self.high_count


def trim(ratios: ArrayLike, rule: TrimRule) -> Trimming:
    """Mark ratios beyond 3 (``extreme``) or 1.5 (``outlier``) interquartile ranges of the quartiles.

    ``quantile`` marks the lowest and the highest twentieth instead. Quantiles are type 7 (numpy's default); a
    ratio on a fence stays. Applied once, never again to the rest (IAAO 2013, appendix C).
    """
    array = np.asarray(ratios, dtype=np.float64)
    if rule == "none":
        return Trimming(rule, np.ones(len(array), dtype=bool), -np.inf, np.inf, 0, 0)
    if rule == "quantile":
        low, high = (float(each) for each in np.percentile(array, [5, 95]))
    elif rule in _FENCE:
        q1, q3 = np.percentile(array, [25, 75])
        reach = _FENCE[rule] * (q3 - q1)
        low, high = float(q1 - reach), float(q3 + reach)
    else:
        raise RatioStudyError("unknown_rule", f"trim by none, extreme, outlier or quantile, not {rule!r}")
    below, above = array < low, array > high
    return Trimming(rule, ~(below | above), low, high, int(below.sum()), int(above.sum()))
