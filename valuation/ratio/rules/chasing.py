"""Signs of sales chasing: properties that sold were set near their prices, and the others were not.

Both tests look at ratios near the level aimed at. Neither is proof: homogeneous houses are near it honestly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from valuation.ratio.rules.errors import RatioStudyError


@dataclass(frozen=True)
class Chasing:
    """What two tests found.

    Attributes
    ----------
    jump : float
        Largest share of the sales at one and the same ratio inside the band.
    excess : float
        Share of the sales inside the band, less what a normal distribution of the same mean and standard
        deviation has there. Negative: fewer than that.
    limit : float
        Above which either is a sign.
    """

    n: int
    jump: float
    excess: float
    limit: float

    @property
    def has_jump(self) -> bool:
        """Return whether the ratios pile up at one figure."""
        return self.jump > self.limit

    @property
    def has_excess(self) -> bool:
        """Return whether too many ratios stand near the level."""
        return self.excess > self.limit

    @property
    def is_suspected(self) -> bool:
        """Return whether both tests say so, which spares towns of like houses a false alarm."""
        return self.has_jump and self.has_excess


def sales_chasing(
    ratios: ArrayLike, *, level: float = 1.0, reach: float = 0.02, limit: float = 0.05
) -> Chasing:
    """Test ratios for a jump of their distribution, and for an excess, within ``reach`` of the level.

    The excess test is that of IAAO Standard on Ratio Studies 2013, appendix E.4, with the normal distribution
    in closed form, so that it needs no random numbers; it looks for too many ratios, never for too few.
    Limits as used by the Cook County Assessor.

    Parameters
    ----------
    ratios : array_like, shape (n,)
        Value over price.
    level : float
        Ratio aimed at: 1 for appraised values, 0.70 for Connecticut's assessments.
    reach : float
        Half the width of the band, as a share of the level.

    Raises
    ------
    RatioStudyError
        ``not_a_number``; ``too_few`` under three ratios.
    """
    array = np.asarray(ratios, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise RatioStudyError("not_a_number", "ratios must be one column of numbers")
    if len(array) < 3:
        raise RatioStudyError("too_few", f"{len(array)} sales; this needs at least 3")
    low, high = level * (1 - reach), level * (1 + reach)
    figures, counts = np.unique(array, return_counts=True)
    shares = counts / len(array)
    band = (figures > low) & (figures < high)
    jump = float(shares[band].max()) if band.any() else 0.0
    # A jump elsewhere that is larger says that ties come from rounding, not from prices.
    if jump and float(shares.max()) > jump:
        jump = 0.0
    within = float(((array >= low) & (array <= high)).mean())
    return Chasing(len(array), jump, within - _normal_share(array, low, high), limit)


def _normal_share(array: NDArray[np.float64], low: float, high: float) -> float:
    mean, spread = float(array.mean()), float(array.std())
    if spread == 0.0:
        return 1.0 if low <= mean <= high else 0.0

    def below(x: float) -> float:
        return 0.5 * (1 + erf((x - mean) / spread / sqrt(2)))

    return below(high) - below(low)


@dataclass(frozen=True)
class UnsoldTest:
    """Median changes of value of sold and unsold properties, in percent, and how sure their difference is.

    Attributes
    ----------
    difference : float
        Percentage points by which the sold rose more.
    low, high : float
        Limits of the difference by resampling both groups.
    """

    n_sold: int
    n_unsold: int
    sold_percent: float
    unsold_percent: float
    low: float
    high: float
    confidence: float

    @property
    def difference(self) -> float:
        """Return percentage points by which the sold properties' values rose more."""
        return self.sold_percent - self.unsold_percent

    def is_alike(self, limit_points: float) -> bool:
        """Return whether both changed alike; a miss counts only when the interval confirms it."""
        nearest = max(self.low, 0.0) if self.difference > 0 else -min(self.high, 0.0)
        return abs(self.difference) <= limit_points or nearest <= limit_points


def unsold_test(
    change_sold: ArrayLike,
    change_unsold: ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> UnsoldTest:
    """Compare the change of value of sold with that of unsold properties, by medians.

    IAAO Standard on Ratio Studies 2013, appendix E.1. A sale is one *before* the values were set, so that it
    could have been chased.

    Parameters
    ----------
    change_sold, change_unsold : array_like
        New value over old value, one for each property.

    Raises
    ------
    RatioStudyError
        ``not_positive``; ``too_few`` under five of either.
    """
    sold, unsold = (np.asarray(each, dtype=np.float64) for each in (change_sold, change_unsold))
    for each, name in ((sold, "sold"), (unsold, "unsold")):
        if len(each) < 5:
            raise RatioStudyError("too_few", f"{len(each)} {name} properties; this needs at least 5")
        if not (np.isfinite(each).all() and (each > 0).all()):
            raise RatioStudyError("not_positive", "changes are new value over old, more than 0")
    random = np.random.default_rng(seed)
    draws = np.array(
        [
            _median_percent(random.choice(sold, len(sold)))
            - _median_percent(random.choice(unsold, len(unsold)))
            for _ in range(resamples)
        ]
    )
    tail = 50 * (1 - confidence)
    low, high = np.percentile(draws, [tail, 100 - tail]) if resamples else (np.nan, np.nan)
    return UnsoldTest(
        len(sold),
        len(unsold),
        _median_percent(sold),
        _median_percent(unsold),
        float(low),
        float(high),
        confidence,
    )


def _median_percent(changes: NDArray[np.float64]) -> float:
    return float(100 * (np.median(changes) - 1))
