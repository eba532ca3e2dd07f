"""Fit on earlier sales, judge on later ones, beside baselines and the cards' own values."""

from __future__ import annotations

import datetime as dt
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.cost.rules import Calibrator, Roles, Schedule
from valuation.cost.rules.arithmetic import components, number
from valuation.fitting.spec import FitSpec, Sales, day_text
from valuation.frames.rules import CATEGORIES
from valuation.market.rules import Boosted, Hedonic, MarketModel, fixed_value, value_per_area
from valuation.ratio.rules import RatioStudy, study

Floats = NDArray[np.float64]
BASELINES = ("fixed_value", "value_per_area")


class FitError(ValueError):
    """Sales that cannot be split or fitted; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def split_by_day(sold_on: NDArray[np.int64], share: float) -> tuple[NDArray[np.bool_], int]:
    """Return which sales are held out, and the first held-out day.

    The last ``share`` of sales by date is held out, cut between days: no day is on both sides, and every
    held-out sale is later than every other.

    Raises
    ------
    FitError
        ``one_day`` when all sales are of one day.
    """
    ordered = np.sort(sold_on)
    first = int(ordered[min(int(np.floor(len(ordered) * (1 - share))), len(ordered) - 1)])
    if first == ordered[0]:
        later = ordered[ordered > first]
        if not len(later):
            raise FitError("one_day", "all sales are of one day; nothing is later")
        first = int(later[0])
    return sold_on >= first, first


@dataclass(frozen=True)
class Judged:
    """One way of valuing, judged on the held-out sales."""

    name: str
    study: RatioStudy
    mape_percent: float
    r2: float
    seconds: float
    values: Floats

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        figures = {key: self.study[key].as_json() for key in ("median", "cod", "prd", "prb", "mki")}
        return {
            "n": self.study.n,
            "median_ratio": self.study["median"].value,
            **{key: self.study[key].value for key in ("cod", "prd", "prb", "mki")},
            "mape": self.mape_percent,
            "r2": self.r2,
            "intervals": {key: [f.get("low"), f.get("high")] for key, f in figures.items()},
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class FitReport:
    """The outcome of a fit."""

    spec: FitSpec
    train_rows: int
    holdout_from: str
    left_out: dict[str, int]
    judged: dict[str, Judged]
    schedule: Schedule
    notes: list[str] = field(default_factory=list)

    @property
    def chosen(self) -> Judged:
        """Return the model that the spec names."""
        return self.judged[self.spec.model]

    def beats(self, model: str, baseline: str) -> bool:
        """Return whether the model's COD interval lies wholly below the baseline's."""
        ours, theirs = self.judged[model].study["cod"].interval, self.judged[baseline].study["cod"].interval
        return ours is not None and theirs is not None and ours.high < theirs.low

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        models = [name for name in self.judged if name not in (*BASELINES, "cards")]
        return {
            "name": self.spec.name,
            "model": self.spec.model,
            "train": {"n": self.train_rows, "rows_left_out": self.left_out},
            "holdout_from": self.holdout_from,
            "holdout": self.chosen.as_json(),
            "compared": {name: judged.as_json() for name, judged in self.judged.items()},
            "beats_baselines_beyond_intervals": {
                name: all(self.beats(name, baseline) for baseline in BASELINES) for name in models
            },
            "schedule": self.schedule.as_json(),
            "notes": self.notes,
            "peak_memory_mb": round(peak_memory_mb(), 1),
        }


def peak_memory_mb() -> float:
    """Return the largest resident size of this process so far, in MB (10**6 bytes)."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 1e6 if sys.platform == "darwin" else size * 1024 / 1e6


def make_neighbourhoods(
    train: pd.DataFrame, others: list[pd.DataFrame], *, count: int, seed: int = 0
) -> tuple[pd.Series, list[pd.Series]]:
    """Group places by ``x`` and ``y`` alone (k-means on the training rows; no price is looked at)."""
    from sklearn.cluster import KMeans

    place = train[["x", "y"]].to_numpy(dtype=np.float64)
    middle = np.nanmedian(place, axis=0)
    groups = KMeans(n_clusters=min(count, len(train)), n_init=2, random_state=seed)
    groups.fit(np.where(np.isnan(place), middle, place))

    def named(frame: pd.DataFrame) -> pd.Series:
        at = frame[["x", "y"]].to_numpy(dtype=np.float64)
        codes = groups.predict(np.where(np.isnan(at), middle, at))
        return pd.Series([f"k{code:03d}" for code in codes], index=frame.index, dtype=object)

    return named(train), [named(frame) for frame in others]


def calibrator_from(plain: Mapping[str, Any], *, name: str, base_on: dt.date) -> Calibrator:
    """Return the calibrator that the ``[cost]`` table of a spec describes."""
    roles = Roles(
        base_rate=plain.get("base_rate", "style"),
        factors=tuple(plain.get("factors", ("grade",))),
        building_factors=tuple(plain.get("building_factors", ("condition",))),
        land_factors=tuple(plain.get("land_factors", ())),
        additives=tuple(plain.get("additives", {})),
        neighbourhood=plain.get("neighbourhood", "neighbourhood"),
    )
    return Calibrator(
        roles=roles,
        name=name,
        base_on=base_on,
        land_share=float(plain.get("land_share", 0.3)),
        additive_start=plain.get("additives", {}),
        orders={name: tuple(map(str, levels)) for name, levels in plain.get("orders", {}).items()},
        spreads=plain.get("spreads", {}),
        trend_months=int(plain.get("trend_months", 6)),
        least=int(plain.get("least", 8)),
    )


def market_of(spec: FitSpec, kind: str, frame: pd.DataFrame, *, seed: int) -> MarketModel:
    """Return an unfitted market model over the facts of a frame."""
    named = spec.market.get("features")
    columns = [name for name in frame.columns if named is None or name in named]
    categories = tuple(
        name for name in columns if name in CATEGORIES or not pd.api.types.is_numeric_dtype(frame[name])
    )
    numeric = tuple(name for name in columns if name not in categories)
    if kind == "hedonic":
        return Hedonic(numeric, categories, hold=float(spec.market.get("hold", 4.0)))
    keys = ("trees", "leaves", "learning_rate", "least_in_leaf")
    return Boosted(numeric, categories, seed=seed, **{k: spec.market[k] for k in keys if k in spec.market})


def fit(
    sales: Sales,
    spec: FitSpec,
    *,
    seed: int = 0,
    resamples: int = 500,
    market_models: tuple[str, ...] = ("hedonic", "boosted"),
    on_stage: Callable[[str], object] | None = None,
) -> FitReport:
    """Fit the cost and both market models on earlier sales and judge all on the later ones.

    The held-out rows reach no ``fit``: models get the training rows only, and predict the others afterwards.

    Raises
    ------
    FitError
        ``one_day``, or ``too_few`` under 40 training or 20 held-out sales.
    """
    tell = on_stage or (lambda _stage: None)
    held, first_day = split_by_day(sales.sold_on, spec.holdout_share)
    if held.sum() < 20 or (~held).sum() < 40:
        raise FitError("too_few", f"{int((~held).sum())} sales to fit on and {int(held.sum())} to judge on")
    train, test = sales.frame[~held].copy(), sales.frame[held].copy()
    prices, asked = sales.prices[~held], sales.prices[held]
    sold, later = sales.sold_on[~held], sales.sold_on[held]
    if spec.cluster:
        train["neighbourhood"], (test["neighbourhood"],) = make_neighbourhoods(
            train, [test], count=spec.cluster, seed=seed
        )
    judged: dict[str, Judged] = {}

    def judge(name: str, values: Floats, started: float) -> None:
        seconds = time.perf_counter() - started
        ratio_study = study(values, asked, stratum=name, resamples=resamples, seed=seed)
        mape = float(100 * np.abs(values / asked - 1).mean())
        r2 = float(1 - ((values - asked) ** 2).sum() / ((asked - asked.mean()) ** 2).sum())
        judged[name] = Judged(name, ratio_study, mape, r2, seconds, values)

    clock = time.perf_counter
    tell("baselines")
    judge("fixed_value", fixed_value(prices, len(test)), clock())
    areas = number(train, "living_sqft"), number(test, "living_sqft")
    judge("value_per_area", value_per_area(prices, *areas), clock())
    notes = []
    if np.isfinite(sales.cards[held]).any():
        usable = np.isfinite(sales.cards[held]) & (sales.cards[held] > 0)
        if usable.all():
            judge("cards", sales.cards[held], clock())
        else:
            notes.append(f"{int((~usable).sum())} held-out sales have no value on the card; cards not judged")
    tell("cost")
    started = clock()
    base_on = dt.date.fromordinal(int(sold.max()))
    schedule = calibrator_from(spec.cost, name=spec.name, base_on=base_on).fit(train, prices, sold).schedule_
    judge("cost", cost_values(schedule, test, later), started)
    for kind in market_models:
        tell(kind)
        started = clock()
        model = market_of(spec, kind, train, seed=seed).fit(train, prices, sold)
        judge(kind, model.predict(test, later), started)
    return FitReport(spec, len(train), day_text(first_day), sales.left_out, judged, schedule, notes)


def cost_values(schedule: Schedule, frame: pd.DataFrame, on: NDArray[np.int64]) -> Floats:
    """Return cost values at the price level and building age of each row's own day."""
    years = np.array([dt.date.fromordinal(int(day)).year for day in on])
    values = np.zeros(len(frame))
    for year in np.unique(years):
        rows = years == year
        values[rows] = components(schedule, frame[rows], as_of=dt.date(int(year), 10, 1)).total
    return np.maximum(values * schedule.price_level(on), 1.0)
