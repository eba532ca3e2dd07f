"""A whole ratio study: every statistic with its interval, over all sales and by stratum."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from valuation.ratio.rules import intervals, point
from valuation.ratio.rules.errors import RatioStudyError
from valuation.ratio.rules.intervals import Interval
from valuation.ratio.rules.outliers import TrimRule, trim
from valuation.ratio.rules.resampling import percentile_intervals, resample
from valuation.ratio.rules.vertical import VerticalEquity, vertical_equity
from valuation.ratio.rules.weighted import check_weights, weighted_statistics

Missing = Literal["refuse", "omit"]


@dataclass(frozen=True)
class Figure:
    """One statistic, with an interval where one can be given."""

    value: float | None
    interval: Interval | None = None

    def as_json(self) -> dict[str, object]:
        """Return plain values for JSON."""
        if self.interval is None:
            return {"value": self.value}
        return {
            "value": self.value,
            "low": self.interval.low,
            "high": self.interval.high,
            "confidence": self.interval.confidence,
            "method": self.interval.method,
        }


@dataclass(frozen=True)
class RatioStudy:
    """The study of one set of sales.

    Attributes
    ----------
    stratum : str
        ``all`` or the name of the stratum.
    n : int
        Sales after trimming; ``trimmed`` left before.
    figures : dict of str to Figure
        ``median mean weighted_mean cod cov prd prb mki ki vei``; a value is None where the sample is too
        small for the statistic, with the reason in ``notes``.
    omitted : int
        Sales without a positive value and price, left out on request.
    """

    stratum: str
    n: int
    trimmed: int
    trim_rule: TrimRule
    figures: dict[str, Figure]
    notes: tuple[str, ...]
    omitted: int = 0

    def __getitem__(self, name: str) -> Figure:
        return self.figures[name]

    def as_json(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {
            "stratum": self.stratum,
            "n": self.n,
            "trimmed": self.trimmed,
            "trim_rule": self.trim_rule,
            "omitted": self.omitted,
            **{name: figure.as_json() for name, figure in self.figures.items()},
            "notes": list(self.notes),
        }


_POINT: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "median": point.median_ratio,
    "mean": point.mean_ratio,
    "weighted_mean": point.weighted_mean_ratio,
    "cod": point.cod,
    "cov": point.cov,
    "prd": point.prd,
    "prb": point.prb,
    "mki": point.mki,
    "ki": point.ki,
}
_CLOSED: dict[str, Callable[..., Interval]] = {
    "median": intervals.median_interval,
    "mean": intervals.mean_interval,
    "weighted_mean": intervals.weighted_mean_interval,
    "cod": intervals.cod_interval,
    "prb": intervals.prb_interval,
}


def study(
    values: ArrayLike,
    prices: ArrayLike,
    *,
    stratum: str = "all",
    trim_rule: TrimRule = "none",
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    weights: ArrayLike | None = None,
    missing: Missing = "refuse",
) -> RatioStudy:
    """Return the ratio study of one set of sales.

    Intervals are closed-form where the references give one and percentile bootstrap for PRD and MKI;
    ``resamples=0`` leaves the latter without. With weights every interval is a bootstrap one, by draws in
    proportion to them; VEI is that of the sales unweighted.

    Parameters
    ----------
    weights : array_like, shape (n,), optional
        How much each sale counts.
    missing : {"refuse", "omit"}
        What to do with a sale without a positive, finite value, price or weight: an error, or leave it out and
        count it.

    Raises
    ------
    RatioStudyError
        When the figures themselves are bad. A sample too small for a statistic is a note, not an error.
    """
    values, prices, given, omitted = _complete(values, prices, weights, missing)
    sales = point.pairs(values, prices)
    trimming = trim(sales.ratios, trim_rule)
    a, s = sales.values[trimming.keep], sales.prices[trimming.keep]
    w = None if given is None else check_weights(given, sales.n)[trimming.keep]
    notes: list[str] = []
    limits: dict[str, Interval] = {}
    if resamples:
        try:
            limits = percentile_intervals(
                resample(a, s, resamples=resamples, seed=seed, weights=w), confidence=confidence
            )
        except RatioStudyError as error:
            notes.append(f"bootstrap: {error}")
    for name, closed in _CLOSED.items() if w is None else ():
        try:
            limits[name] = closed(a, s, confidence=confidence)
        except RatioStudyError as error:
            notes.append(f"{name} interval: {error}")
    figures: dict[str, Figure] = {}
    weighted = None if w is None else weighted_statistics(a, s, w)
    for name, statistic in _POINT.items():
        try:
            figure = statistic(a, s) if weighted is None else weighted[name]
            figures[name] = Figure(figure, limits.get(name))
        except RatioStudyError as error:
            figures[name] = Figure(None)
            notes.append(f"{name}: {error}")
    figures["vei"] = _vei_figure(a, s, notes)
    return RatioStudy(stratum, len(a), trimming.count, trim_rule, figures, tuple(notes), omitted)


def _complete(
    values: ArrayLike, prices: ArrayLike, weights: ArrayLike | None, missing: Missing
) -> tuple[ArrayLike, ArrayLike, ArrayLike | None, int]:
    if missing == "refuse":
        return values, prices, weights, 0
    columns = [np.asarray(each, dtype=np.float64) for each in (values, prices)]
    if len(columns[0]) != len(columns[1]):
        raise RatioStudyError("length_mismatch", f"{len(columns[0])} values for {len(columns[1])} prices")
    good = np.logical_and.reduce([np.isfinite(each) & (each > 0) for each in columns])
    if weights is None:
        return columns[0][good], columns[1][good], None, int((~good).sum())
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != good.shape:
        raise RatioStudyError("length_mismatch", f"{w.size} weights for {len(good)} sales")
    good &= np.isfinite(w) & (w >= 0)
    return columns[0][good], columns[1][good], w[good], int((~good).sum())


def _vei_figure(values: ArrayLike, prices: ArrayLike, notes: list[str]) -> Figure:
    try:
        vei: VerticalEquity = vertical_equity(values, prices)
    except RatioStudyError as error:
        notes.append(f"vei: {error}")
        return Figure(None)
    notes.append(f"vei: {vei.verdict()}, {vei.sure_difference_percent:.1f} % of it sure at 90 %")
    return Figure(vei.vei_percent)


def study_by(
    values: ArrayLike,
    prices: ArrayLike,
    strata: Sequence[Hashable],
    *,
    least: int = 5,
    trim_rule: TrimRule = "none",
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    on_stratum: Callable[[str], object] | None = None,
) -> tuple[list[RatioStudy], dict[str, int]]:
    """Return one study for each stratum of at least ``least`` sales, and the counts of those with fewer."""
    sales = point.pairs(values, prices)
    if len(strata) != sales.n:
        raise RatioStudyError("length_mismatch", f"{len(strata)} strata for {sales.n} sales")
    names = np.array([str(stratum) for stratum in strata], dtype=object)
    labels, codes = np.unique(names.astype(str), return_inverse=True)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    studies: list[RatioStudy] = []
    small: dict[str, int] = {}
    for label, rows in zip(labels, members, strict=True):
        if len(rows) < least:
            small[str(label)] = len(rows)
            continue
        studies.append(
            study(
                sales.values[rows],
                sales.prices[rows],
                stratum=str(label),
                trim_rule=trim_rule,
                confidence=confidence,
                resamples=resamples,
                seed=seed,
            )
        )
        if on_stratum is not None:
            on_stratum(str(label))
    return studies, small
