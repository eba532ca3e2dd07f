"""Vertical equity: a fitted correction, so that dear and cheap properties are valued at one level.

A model of noisy prices draws values to the middle: the cheap are valued high, the dear low (PRB below 0). The
correction stretches the logarithm of value about its middle by one number and sets the level by another. Both
are fitted on predictions of sales that the predicting model had not seen and that were later than all it had.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from valuation.market.rules import Floats
from valuation.ratio.rules import prb

_LEAST, _LOW, _HIGH = 1000, 0.8, 1.35


@dataclass(frozen=True)
class EquityCorrection:
    """``log value = level + middle + stretch * (log prediction - middle)``.

    Attributes
    ----------
    stretch : float
        1 changes nothing; above 1 takes regression out.
    middle, level : float
        Logarithms of dollars.
    n : int
        Sales it was fitted on; 0 for none.
    prb_before, prb_after : float or None
        On those sales.
    """

    stretch: float = 1.0
    middle: float = 0.0
    level: float = 0.0
    n: int = 0
    prb_before: float | None = None
    prb_after: float | None = None

    def apply(self, predicted: Floats) -> Floats:
        """Return corrected dollars; the order of values is kept."""
        if not self.n:
            return predicted
        log = np.log(predicted)
        return np.asarray(
            np.exp(self.level + self.middle + self.stretch * (log - self.middle)), dtype=np.float64
        )

    def as_json(self) -> dict[str, float | int | None]:
        """Return plain values."""
        return {
            "stretch": round(self.stretch, 6),
            "level": round(float(np.exp(self.level)), 6),
            "middle_dollars": round(float(np.exp(self.middle)), 2),
            "n": self.n,
            "prb_before": self.prb_before,
            "prb_after": self.prb_after,
        }


def fit_equity(predicted: Floats, prices: Floats, *, target: float = 0.0) -> EquityCorrection:
    """Find the stretch at which PRB is the target, by halving, and the level at which the median ratio is 1.

    Under 1,000 sales only the level is fitted: a slope of so few is noise, and the rolling models of a small table regress
    more than the one that is used, so that the correction would overshoot (Lebanon: PRB from -0.01 to +0.11).
    """
    log = np.log(predicted)
    middle = float(np.median(log))

    def stretched(stretch: float) -> Floats:
        return np.asarray(np.exp(middle + stretch * (log - middle)), dtype=np.float64)

    stretch = 1.0
    if len(predicted) >= _LEAST and float(np.ptp(log)) > 0:
        low, high = _LOW, _HIGH
        for _ in range(40):
            stretch = (low + high) / 2
            if prb(stretched(stretch), prices) < target:
                low = stretch
            else:
                high = stretch
    level = -float(np.log(np.median(stretched(stretch) / prices)))
    return EquityCorrection(
        stretch,
        middle,
        level,
        len(predicted),
        prb(predicted, prices) if len(predicted) >= _LEAST else None,
        prb(stretched(stretch), prices) if len(predicted) >= _LEAST else None,
    )
