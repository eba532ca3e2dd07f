"""The models that a spec describes, not yet fitted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.cost.rules import Calibrator, Roles, Schedule
from valuation.cost.rules.arithmetic import components
from valuation.fitting.spec import FitSpec
from valuation.frames.rules import CATEGORIES
from valuation.market.composite import Market
from valuation.market.rules import Boosted, Hedonic

Floats = NDArray[np.float64]


class FitError(ValueError):
    """Sales that cannot be split or fitted; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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


def columns_of(spec: FitSpec, frame: pd.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the numbers and the categories that the market models of a spec learn from."""
    named = spec.market.get("features")
    columns = [name for name in frame.columns if named is None or name in named]
    categories = tuple(
        name for name in columns if name in CATEGORIES or not pd.api.types.is_numeric_dtype(frame[name])
    )
    return tuple(name for name in columns if name not in categories), categories


def market_of(
    spec: FitSpec,
    kind: str,
    frame: pd.DataFrame,
    *,
    seed: int,
    threads: int = 1,
    on_step: Callable[[str], object] | None = None,
) -> Hedonic | Boosted | Market:
    """Return an unfitted market model over the facts of a frame.

    Raises
    ------
    FitError
        ``bad_spec`` for an option that names no feature.
    """
    numeric, categories = columns_of(spec, frame)
    if kind == "hedonic":
        return Hedonic(numeric, categories, hold=float(spec.market.get("hold", 4.0)))
    if kind == "boosted":
        keys = ("trees", "leaves", "learning_rate", "least_in_leaf")
        options = {key: spec.market[key] for key in keys if key in spec.market}
        return Boosted(numeric, categories, seed=seed, threads=threads, **options)
    if kind == "plain":
        # LightGBM as it comes, to compare: nothing made of place or time, nothing tuned.
        plain = {"feature_fraction": 1.0, "bagging_freq": 0, "lambda_l2": 0.0, "cat_smooth": 10.0}
        return Boosted(
            numeric, categories, trees=1500, leaves=63, learning_rate=0.05, least_in_leaf=20,
            seed=seed, threads=threads, options=plain,
        )  # fmt: skip
    wanted = spec.model_options.get("features")
    if wanted is not None:
        numeric = tuple(name for name in numeric if name in wanted)
        categories = tuple(name for name in categories if name in wanted)
    directed = {*spec.model_options.get("increasing", ()), *spec.model_options.get("decreasing", ())}
    if not directed <= set(numeric):
        wrong = ", ".join(map(repr, sorted(directed - set(numeric))))
        raise FitError("bad_spec", f"[market_model] names {wrong}, which is no number of the facts")
    options = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in spec.model_options.items()
        if key != "features"
    }
    return Market(numeric, categories, seed=seed, threads=threads, on_step=on_step, **options)


def cost_values(schedule: Schedule, frame: pd.DataFrame, on: NDArray[np.int64]) -> Floats:
    """Return cost values at the price level and building age of each row's own day."""
    years = np.array([dt.date.fromordinal(int(day)).year for day in on])
    values = np.zeros(len(frame))
    for year in np.unique(years):
        rows = years == year
        values[rows] = components(schedule, frame[rows], as_of=dt.date(int(year), 10, 1)).total
    return np.maximum(values * schedule.price_level(on), 1.0)
