"""Fit on earlier sales, judge on later ones, beside baselines and the cards' own values."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.cost.rules import Schedule
from valuation.cost.rules.arithmetic import number
from valuation.fitting.judging import BASELINES, FitReport, Prediction, judge
from valuation.fitting.making import FitError, calibrator_from, columns_of, cost_values, market_of
from valuation.fitting.spec import FitSpec, Sales, day_text
from valuation.fitting.strata import pooled_three_ways, stratum_errors
from valuation.market.composite import Market
from valuation.market.rules import fixed_value, value_per_area

Floats = NDArray[np.float64]


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


@dataclass(frozen=True)
class Training:
    """All that a fit may see: sales before the first held-out day."""

    frame: pd.DataFrame
    prices: Floats
    sold_on: NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """All that a prediction may see of the held-out sales: facts and days, and no price."""

    frame: pd.DataFrame
    sold_on: NDArray[np.int64]


def predictions_of(
    training: Training,
    asked: Asked,
    spec: FitSpec,
    *,
    kinds: tuple[str, ...],
    seed: int = 0,
    threads: int = 1,
    on_stage: Callable[[str], object] | None = None,
) -> tuple[dict[str, Prediction], Schedule | None]:
    """Fit on the training sales and value the asked ones. No held-out price can reach this function."""
    tell = on_stage or (lambda _stage: None)
    clock = time.perf_counter
    train, prices, sold = training.frame, training.prices, training.sold_on
    found: dict[str, Prediction] = {}
    schedule: Schedule | None = None
    tell("baselines")
    found["fixed_value"] = Prediction(fixed_value(prices, len(asked.frame)), 0.0)
    areas = [
        number(frame, "living_sqft") if "living_sqft" in frame else np.full(len(frame), np.nan)
        for frame in (train, asked.frame)
    ]
    found["value_per_area"] = Prediction(value_per_area(prices, *areas), 0.0)
    for kind in kinds:
        tell(kind)
        started = clock()
        if kind == "cost":
            base_on = dt.date.fromordinal(int(sold.max()))
            calibrator = calibrator_from(spec.cost, name=spec.name, base_on=base_on)
            schedule = calibrator.fit(train, prices, sold).schedule_
            values = cost_values(schedule, asked.frame, asked.sold_on)
            found[kind] = Prediction(values, clock() - started)
            continue
        model = market_of(
            spec, kind, train, seed=seed, threads=threads, on_step=lambda step: tell(f"market: {step}")
        )
        model.fit(train, prices, sold)
        if isinstance(model, Market):
            values, low, high = model.predict_interval(asked.frame, asked.sold_on)
            found[kind] = Prediction(values, clock() - started, low, high, model.about())
        else:
            found[kind] = Prediction(model.predict(asked.frame, asked.sold_on), clock() - started)
    return found, schedule


def kinds_of(spec: FitSpec) -> tuple[str, ...]:
    """Return the models to fit: those the spec compares, and always the one it names."""
    kinds = spec.compare or (("cost",) if spec.cost or spec.model == "cost" else ()) + ("hedonic", "boosted")
    return kinds if spec.model in kinds else (spec.model, *kinds)


def fit(
    sales: Sales,
    spec: FitSpec,
    *,
    seed: int = 0,
    resamples: int = 500,
    kinds: tuple[str, ...] | None = None,
    threads: int = 1,
    on_stage: Callable[[str], object] | None = None,
) -> FitReport:
    """Fit on earlier sales and judge on the later ones, which reach no fit: `predictions_of` is given no price of them.

    Raises
    ------
    FitError
        ``one_day``; ``too_few`` under 40 training or 20 held-out sales; ``bad_spec``.
    """
    started = time.perf_counter()
    held, first_day = split_by_day(sales.sold_on, spec.holdout_share)
    if held.sum() < 20 or (~held).sum() < 40:
        raise FitError("too_few", f"{int((~held).sum())} sales to fit on and {int(held.sum())} to judge on")
    train, test = sales.frame[~held].copy(), sales.frame[held].copy()
    if spec.cluster:
        train["neighbourhood"], (test["neighbourhood"],) = make_neighbourhoods(
            train, [test], count=spec.cluster, seed=seed
        )
    training, asked = (
        Training(train, sales.prices[~held], sales.sold_on[~held]),
        Asked(test, sales.sold_on[held]),
    )
    chosen = kinds or kinds_of(spec)
    found, schedule = predictions_of(
        training, asked, spec, kinds=chosen, seed=seed, threads=threads, on_stage=on_stage
    )
    three: dict[str, Floats] = {}
    about: dict[str, dict[str, Any]] = {}
    stratum = spec.stratum or ("neighbourhood" if "neighbourhood" in train else "")
    if stratum:
        if on_stage is not None:
            on_stage("pooling")
        numeric, categories = columns_of(spec, train)
        three, about = pooled_three_ways(
            train, training.prices, training.sold_on, test, asked.sold_on,
            stratum=stratum, numbers=numeric, categories=categories,
        )  # fmt: skip

    # Here the prices of the held-out sales are looked at for the first time.
    prices = sales.prices[held]
    notes = []
    if np.isfinite(sales.cards[held]).any():
        missing = int((~(np.isfinite(sales.cards[held]) & (sales.cards[held] > 0))).sum())
        if missing:
            notes.append(f"{missing} held-out sales have no value on the card; cards not judged")
        else:
            found = {"cards": Prediction(sales.cards[held], 0.0), **found}
    coverage = float(spec.model_options.get("coverage", 0.90))
    order = [*BASELINES, "cards", *chosen]
    judged = {
        name: judge(name, found[name], prices, coverage=coverage, resamples=resamples, seed=seed)
        for name in order
        if name in found
    }
    strata = None
    if stratum:
        strata = {"column": stratum, **stratum_errors(three, about, test[stratum], prices)}
    return FitReport(
        spec,
        len(train),
        day_text(first_day),
        sales.left_out,
        judged,
        schedule,
        held={
            "row": (sales.rows if len(sales.rows) else np.arange(1, len(held) + 1))[held],
            "prices": prices,
            "sold_on": asked.sold_on,
            "stratum": test[stratum].astype(str).tolist() if stratum else [""] * len(test),
        },
        strata=strata,
        notes=notes,
        provenance={"seed": seed, "spec_sha256": spec.sha256, "data_sha256": sales.sha256},
        seconds=time.perf_counter() - started,
    )
