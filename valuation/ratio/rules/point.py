"""The statistics of a ratio study, each as one number.

A ratio is a value divided by the price it is judged by. Every function takes two arrays of one length,
values and prices in the same money, paired by position; labels are never aligned. NaN, infinity, zero and
negative figures are errors, since a statistic that skips them in silence is about another set of sales.

Formulas: docs/formulas.md. Golden tests: tests/valuation/ratio/test_conformance.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from valuation.ratio.rules.errors import RatioStudyError

Floats = NDArray[np.float64]
TieOrder = Literal["average", "file"]


@dataclass(frozen=True)
class Pairs:
    """Values and prices that have passed the checks, with their ratios and the median ratio.

    Attributes
    ----------
    values, prices, ratios : ndarray, shape (n,)
        Dollars, dollars, and values / prices.
    median : float
        Median ratio.
    """

    values: Floats
    prices: Floats
    ratios: Floats
    median: float

    @property
    def n(self) -> int:
        """Return the number of sales."""
        return len(self.ratios)


def _checked(name: str, figures: ArrayLike) -> Floats:
    try:
        array = np.asarray(figures, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RatioStudyError("not_a_number", f"{name} are not all numbers: {error}") from error
    if array.ndim != 1:
        raise RatioStudyError("wrong_shape", f"{name} must be one column, not {array.ndim} dimensions")
    if not np.isfinite(array).all():
        bad = int(np.argmin(np.isfinite(array)))
        raise RatioStudyError("not_a_number", f"{name} have no finite number at position {bad}")
    if (array <= 0).any():
        bad = int(np.argmax(array <= 0))
        raise RatioStudyError(
            "not_positive", f"{name} have {array[bad]:g} at position {bad}; need more than 0"
        )
    return array


def pairs(values: ArrayLike, prices: ArrayLike, *, least: int = 1) -> Pairs:
    """Check two columns and pair them by position.

    Parameters
    ----------
    values, prices : array_like, shape (n,)
        Assessed or estimated values, and sale prices (or any other standard).
    least : int
        Fewest sales that the caller can use.

    Raises
    ------
    RatioStudyError
        ``not_a_number``, ``not_positive``, ``wrong_shape``, ``length_mismatch``, ``too_few``.
    """
    checked_values, checked_prices = _checked("values", values), _checked("prices", prices)
    if len(checked_values) != len(checked_prices):
        raise RatioStudyError(
            "length_mismatch", f"{len(checked_values)} values for {len(checked_prices)} prices"
        )
    if len(checked_values) < least:
        raise RatioStudyError("too_few", f"{len(checked_values)} sales; this needs at least {least}")
    ratios = checked_values / checked_prices
    return Pairs(checked_values, checked_prices, ratios, float(np.median(ratios)))


def median_ratio(values: ArrayLike, prices: ArrayLike) -> float:
    """Return the median ratio: the level of appraisal (IAAO 2013, 5.1)."""
    return pairs(values, prices).median


def mean_ratio(values: ArrayLike, prices: ArrayLike) -> float:
    """Return the mean ratio."""
    return float(pairs(values, prices).ratios.mean())


def weighted_mean_ratio(values: ArrayLike, prices: ArrayLike) -> float:
    """Return sum of values over sum of prices (Connecticut's *aggregate mean ratio*, RCSA 12-62i-1)."""
    sales = pairs(values, prices)
    return float(sales.values.sum() / sales.prices.sum())


def cod(values: ArrayLike, prices: ArrayLike) -> float:
    """Return the coefficient of dispersion about the median, in percent; lower is more even.

    IAAO Standard on Ratio Studies 2013, 5.2; RCSA 12-62i-1. Range 0 and up.
    """
    sales = pairs(values, prices)
    return float(100.0 * np.abs(sales.ratios - sales.median).mean() / sales.median)


def cov(values: ArrayLike, prices: ArrayLike) -> float:
    """Return the coefficient of variation about the mean, in percent, with n - 1 (RCSA 12-62f-4)."""
    sales = pairs(values, prices, least=2)
    return float(100.0 * sales.ratios.std(ddof=1) / sales.ratios.mean())


def prd(values: ArrayLike, prices: ArrayLike) -> float:
    """Return the price-related differential: mean over weighted mean ratio.

    Above 1 dear properties are valued lower in relation to price (regressive). IAAO 2013, 5.3.
    """
    sales = pairs(values, prices)
    return float(sales.ratios.mean() / (sales.values.sum() / sales.prices.sum()))


@dataclass(frozen=True)
class Slope:
    """A fitted line with the standard error of its slope."""

    slope: float
    intercept: float
    standard_error: float
    r_squared: float
    n: int


def prb_line(values: ArrayLike, prices: ArrayLike) -> Slope:
    """Fit relative ratio against the binary logarithm of the value proxy.

    ``(r - m) / m`` on ``log2(price / 2 + value / (2 m))`` by least squares (IAAO 2013, appendix B.2).

    Raises
    ------
    RatioStudyError
        ``too_few`` under three sales, ``no_spread`` when all proxies are equal.
    """
    sales = pairs(values, prices, least=3)
    y = sales.ratios / sales.median - 1.0
    x = np.log2(0.5 * sales.prices + 0.5 * sales.values / sales.median)
    dx, dy = x - x.mean(), y - y.mean()
    sxx = float(dx @ dx)
    if sxx <= 1e-12:
        raise RatioStudyError("no_spread", "all sales have the same price; PRB has no meaning")
    slope = float(dx @ dy) / sxx
    residual = dy - slope * dx
    sse, syy = float(residual @ residual), float(dy @ dy)
    return Slope(
        slope=slope,
        intercept=float(y.mean() - slope * x.mean()),
        standard_error=float(np.sqrt(sse / (sales.n - 2) / sxx)),
        r_squared=1.0 - sse / syy if syy > 0 else 1.0,
        n=sales.n,
    )


def prb(values: ArrayLike, prices: ArrayLike) -> float:
    """Return the price-related bias: relative change of the ratio when value doubles; 0 is fair.

    Negative is regressive. The logarithm is exact; code that divides by 0.693 differs by 2 in 10,000.
    """
    return prb_line(values, prices).slope


def price_ranks(prices: Floats, *, ties: TieOrder) -> Floats:
    """Return ranks 1..n by price; equal prices share their average rank, or keep the order given."""
    order = np.argsort(prices, kind="stable")
    ranks = np.empty(len(prices), dtype=np.float64)
    ranks[order] = np.arange(1, len(prices) + 1, dtype=np.float64)
    if ties == "file":
        return ranks
    _, group = np.unique(prices, return_inverse=True)
    return np.asarray((np.bincount(group, weights=ranks) / np.bincount(group))[group], dtype=np.float64)


def _ginis(values: ArrayLike, prices: ArrayLike, ties: TieOrder) -> tuple[float, float]:
    sales = pairs(values, prices, least=2)
    if np.ptp(sales.prices) == 0.0:
        raise RatioStudyError("no_spread", "all sales have the same price; MKI and KI have no meaning")
    ranks = price_ranks(sales.prices, ties=ties)

    def gini(amounts: Floats) -> float:
        return float(2.0 * (amounts @ ranks) / amounts.sum() - (sales.n + 1)) / sales.n

    return gini(sales.values), gini(sales.prices)


def mki(values: ArrayLike, prices: ArrayLike, *, ties: TieOrder = "average") -> float:
    """Return the modified Kakwani index: Gini of values over Gini of prices, both in price order.

    1 is fair, below 1 regressive (Quintos 2020). With ``ties="average"`` the answer does not depend on the
    order of rows; ``"file"`` exists to agree with published figures of software that keeps file order.
    """
    value_gini, price_gini = _ginis(values, prices, ties)
    return value_gini / price_gini


def ki(values: ArrayLike, prices: ArrayLike, *, ties: TieOrder = "average") -> float:
    """Return the Kakwani index: Gini of values less Gini of prices; 0 is fair, negative regressive."""
    value_gini, price_gini = _ginis(values, prices, ties)
    return value_gini - price_gini
