"""A whole valuation on frames: schedule, local factors, market check, ratio studies, flags.

The same function serves the service, the benchmark and the tests; it reads no database and no clock.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.comparables.rules import Comparables, comparables_of
from valuation.cost.rules import Schedule
from valuation.fitting.making import calibrator_from
from valuation.fitting.rules import split_by_day
from valuation.runs.rules.appraisal import RawValues, Valued, flags_of, raw_values, value_properties
from valuation.runs.rules.judging import Study, judge_held_out
from valuation.runs.rules.levelling import LEAST_TO_LEVEL, Tables, levelled, market_levelled
from valuation.runs.rules.local import Pooling, fit_local_factors
from valuation.runs.rules.market import LEAST_SALES, market_estimates

Floats = NDArray[np.float64]
_LEAST_TO_SPLIT, _LEAST_TO_CALIBRATE = 40, 120


@dataclass
class Valuation:
    """The outcome of `value_frame`; frames are indexed by ``property_id``."""

    tables: Tables
    valued: Valued
    market: pd.DataFrame
    flags: list[list[str]]
    studies: list[Study]
    counts: dict[str, Any]
    first_held_on: dt.date | None
    last_held_on: dt.date | None
    stages: list[dict[str, Any]] = field(default_factory=list)
    comparables: Comparables | None = None


class TooFewSalesError(ValueError):
    """The tables are to be calibrated from the town's own sales, and there are too few."""

    code = "too_few_sales"


def value_frame(
    frame: pd.DataFrame,
    sales: pd.DataFrame,
    *,
    valued_on: dt.date,
    schedule: Schedule | None,
    calibration: Mapping[str, Any],
    settings: Mapping[str, Any],
    base: Tables | None = None,
    features: pd.DataFrame | None = None,
    land_lines: pd.DataFrame | None = None,
    previous: pd.Series | None = None,
    cards: pd.Series | None = None,
    seed: int = 0,
    resamples: int = 500,
    on_stage: Callable[[str], object] | None = None,
) -> Valuation:
    """Value every property of a frame.

    Parameters
    ----------
    frame : DataFrame
        As of `valuation.runs.reading.facts_frame`.
    sales : DataFrame
        ``property_id``, ``price``, ``sold_on`` (ordinal day). The last ``holdout_share`` of them by day is
        used for the ratio studies, and for one last factor: the level of the town.
    schedule : Schedule, optional
        Tables to value at; None calibrates them from the sales that are not held out.
    base : Tables, optional
        Schedule and local factors of the base revaluation: an interim year values at these and fits nothing.
    features, land_lines : DataFrame, optional
        Outbuildings and extra features, and land by line, one row each.
    previous, cards : Series, optional
        Appraised values on the previous list (for flags) and on the cards (compared), by property.

    Raises
    ------
    TooFewSalesError
        When there is neither a schedule nor enough sales to calibrate one.
    """
    stages: list[dict[str, Any]] = []

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        if on_stage is not None:
            on_stage(name)
        started = time.perf_counter()
        yield
        stages.append({"name": name, "seconds": round(time.perf_counter() - started, 3)})

    known = set(frame["property_id"])
    sales = sales[sales["property_id"].isin(known)].reset_index(drop=True)
    held = np.zeros(len(sales), dtype=bool)
    if len(sales) >= _LEAST_TO_SPLIT and sales["sold_on"].nunique() > 1:
        held, first_day = split_by_day(sales["sold_on"].to_numpy(), settings["holdout_share"])
        # Beyond a year the tables would be older than they need be.
        year = sales["sold_on"].to_numpy() >= max(first_day, int(sales["sold_on"].max()) - 365)
        held = year if year.sum() >= 30 else held
    fitted = ~held

    with stage("cost"):
        raw, tables = _cost(
            frame, (features, land_lines), sales[fitted], valued_on, schedule, calibration, base,
            Pooling.from_settings(settings.get("pooling", {})),
        )  # fmt: skip
        valued = value_properties(raw, tables.local, rounding=int(settings["rounding_dollars"]))
    with stage("market"):
        market = pd.DataFrame()
        if base is None:
            market = _market(frame, sales[fitted], valued.frame, valued_on, settings.get("market", {}), seed)
    check = market["value"] if len(market) else pd.Series(dtype=np.float64)
    with stage("ratio study"):
        studies = judge_held_out(
            valued, check, cards, frame, sales, fitted, tables.local, seed=seed, resamples=resamples
        )
    level = 1.0
    if base is None and held.sum() >= LEAST_TO_LEVEL:
        with stage("level"):
            level, tables = levelled(tables, valued.frame, sales[held], coverage=settings["confidence"])
            valued = value_properties(raw, tables.local, rounding=int(settings["rounding_dollars"]))
            if len(market):
                market = market_levelled(market, sales[held])
                check = market["value"]
    with stage("comparables"):
        comparables = comparables_of(
            valued.frame, sales, tables.local, valued_on=valued_on, settings=settings
        )
    with stage("flags"):
        before = previous if previous is not None else pd.Series(dtype=np.float64)
        said = pd.Series(comparables.indicated, index=comparables.index)
        flags = flags_of(valued, check, before, said, limits=settings)
    days = sales["sold_on"][held]
    flat = [flag for row in flags for flag in row]
    return Valuation(
        tables=tables,
        valued=valued,
        market=market,
        flags=flags,
        studies=studies,
        counts={
            "properties": len(valued.frame),
            "by_group": valued.frame["group"].value_counts().sort_index().to_dict(),
            "sales": len(sales),
            "sales_fitted": int(fitted.sum()),
            "sales_held": int(held.sum()),
            "final_level": level,
            "fallback": int(valued.frame["fallback"].sum()),
            "appraised_dollars": int(valued.frame["value"].sum()),
            "market_estimates": len(market),
            "flags": {name: flat.count(name) for name in sorted(set(flat))},
        },
        first_held_on=dt.date.fromordinal(int(days.min())) if len(days) else None,
        last_held_on=dt.date.fromordinal(int(days.max())) if len(days) else None,
        stages=stages,
        comparables=comparables,
    )


def _cost(
    frame: pd.DataFrame,
    rest: tuple[pd.DataFrame | None, pd.DataFrame | None],
    fitted: pd.DataFrame,
    valued_on: dt.date,
    schedule: Schedule | None,
    calibration: Mapping[str, Any],
    base: Tables | None,
    pooling: Pooling,
) -> tuple[RawValues, Tables]:
    features, lines = rest
    if base is not None:
        raw = raw_values(base.schedule, frame, as_of=base.aged_on, features=features, land_lines=lines)
        return raw, base
    if schedule is None:
        schedule = _calibrated(frame, fitted, calibration, valued_on)
    raw = raw_values(schedule, frame, as_of=valued_on, features=features, land_lines=lines)
    at = raw.parts.index.get_indexer(pd.Index(fitted["property_id"]))
    local = fit_local_factors(
        raw.total[at],
        fitted["price"].to_numpy(dtype=np.float64),
        fitted["sold_on"].to_numpy(dtype=np.int64),
        raw.facts["group"].iloc[at].reset_index(drop=True),
        raw.facts["neighbourhood"].iloc[at].reset_index(drop=True),
        valued_on=valued_on,
        pooling=pooling,
    )
    return raw, Tables(schedule, local, valued_on)


def _sold_facts(frame: pd.DataFrame, sales: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return the main building's facts of each sale, and which have a living area."""
    first = frame[~frame["property_id"].duplicated()].set_index("property_id", drop=False)
    facts = first.loc[sales["property_id"]].reset_index(drop=True)
    return facts, (facts["living_sqft"] > 0).to_numpy()


def _calibrated(
    frame: pd.DataFrame, fitted: pd.DataFrame, calibration: Mapping[str, Any], valued_on: dt.date
) -> Schedule:
    facts, usable = _sold_facts(frame, fitted)
    usable = usable & ~facts["is_synthetic"].to_numpy(dtype=bool)
    if usable.sum() < _LEAST_TO_CALIBRATE:
        raise TooFewSalesError(
            f"{int(usable.sum())} sales of real buildings with an area; calibrating needs {_LEAST_TO_CALIBRATE}"
        )
    sold = fitted["sold_on"].to_numpy(dtype=np.int64)[usable]
    base_on = min(valued_on, dt.date.fromordinal(int(sold.max())))
    calibrator = calibrator_from(calibration, name="calibrated from the town's sales", base_on=base_on)
    return calibrator.fit(facts[usable], fitted["price"].to_numpy()[usable], sold).schedule_


def _market(
    frame: pd.DataFrame,
    fitted: pd.DataFrame,
    valued: pd.DataFrame,
    valued_on: dt.date,
    options: Mapping[str, Any],
    seed: int,
) -> pd.DataFrame:
    """Return market estimates of properties with a living area, or nothing when sales are too few."""
    facts, usable = _sold_facts(frame, fitted)
    if usable.sum() < LEAST_SALES:
        return pd.DataFrame(columns=["value", "low", "high"])
    sold = facts[usable].reset_index(drop=True)
    rows = frame[~frame["property_id"].duplicated() & (frame["living_sqft"] > 0)]
    rows = rows[rows["group"].isin(sold["group"].unique())].set_index("property_id", drop=False)
    found = market_estimates(
        rows,
        sold,
        fitted["price"].to_numpy(dtype=np.float64)[usable],
        fitted["sold_on"].to_numpy(dtype=np.int64)[usable],
        valued_on=valued_on.toordinal(),
        options=options,
        seed=seed,
    )
    whole = (100 * (found / 100).round()).astype(np.int64)
    whole.attrs.update(found.attrs)
    return whole.loc[valued.index.intersection(whole.index, sort=False)]
