"""A whole ratio study: every statistic with its interval, over all sales and by stratum."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from valuation.ratio.rules import intervals, point
from valuation.ratio.rules.errors import RatioStudyError
from valuation.ratio.rules.intervals import Interval
from valuation.ratio.rules.outliers import TrimRule, trim
from valuation.ratio.rules.resampling import percentile_intervals, resample
from valuation.ratio.rules.vertical import VerticalEquity, vertical_equity


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
    """

    stratum: str
    n: int
    trimmed: int
    trim_rule: TrimRule
    figures: dict[str, Figure]
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> Figure:
        return self.figures[name]

    def as_json(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {
            "stratum": self.stratum,
            "n": self.n,
            "trimmed": self.trimmed,
            "trim_rule": self.trim_rule,
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
) -> RatioStudy:
    """Return the ratio study of one set of sales.

    Intervals are closed-form where the references give one and percentile bootstrap for PRD and MKI;
    ``resamples=0`` leaves the latter without.

    Raises
    ------
    RatioStudyError
        When the figures themselves are bad. A sample too small for a statistic is a note, not an error.
    """
    sales = point.pairs(values, prices)
    trimming = trim(sales.ratios, trim_rule)
    a, s = sales.values[trimming.keep], sales.prices[trimming.keep]
    notes: list[str] = []
    limits: dict[str, Interval] = {}
    if resamples:
        try:
            limits = percentile_intervals(
                resample(a, s, resamples=resamples, seed=seed), confidence=confidence
            )
        except RatioStudyError as error:
            notes.append(f"bootstrap: {error}")
    for name, closed in _CLOSED.items():
        try:
            limits[name] = closed(a, s, confidence=confidence)
        except RatioStudyError as error:
            notes.append(f"{name} interval: {error}")
    figures: dict[str, Figure] = {}
    for name, statistic in _POINT.items():
        try:
            figures[name] = Figure(statistic(a, s), limits.get(name))
        except RatioStudyError as error:
            figures[name] = Figure(None)
            notes.append(f"{name}: {error}")
    figures["vei"] = _vei_figure(a, s, notes)
    return RatioStudy(stratum, len(a), trimming.count, trim_rule, figures, tuple(notes))


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
