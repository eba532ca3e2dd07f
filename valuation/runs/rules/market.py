"""The market approach of a run: which model, its limits, and the level of the latest sales.

A spec's settings choose it under ``market``: ``{"model": "hedonic"}`` (the default: a regression one can print) or
``{"model": "trees", ...}`` with options of `valuation.market.composite.Market`, such as ``"correct_equity": false``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.frames.rules import CATEGORIES, NUMBERS
from valuation.intervals.rules import Conformal, TooFewErrorsError
from valuation.market.composite import Market
from valuation.market.equity import EquityCorrection, fit_equity
from valuation.market.neighbours import blocks_by_day
from valuation.market.rules import Hedonic

Floats = NDArray[np.float64]
Days = NDArray[np.int64]
LEAST_SALES = 80
MODELS = ("hedonic", "trees")
_NOT_A_MARKET_FACT = ("percent_complete", "outbuildings_value_new")
_LEAST_TO_ROLL = 60


class BadMarketOptionsError(ValueError):
    """The market settings of a spec cannot be used."""

    code = "bad_market_options"


def checked_options(options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the kind of model and its options.

    Raises
    ------
    BadMarketOptionsError
        For a model or an option that there is not.
    """
    others = dict(options)
    kind = str(others.pop("model", "hedonic"))
    if kind not in MODELS:
        raise BadMarketOptionsError(f"the market model is one of {', '.join(MODELS)}, not {kind!r}")
    known = {"correct_equity", "coverage"}
    if kind == "trees":
        known = {one.name for one in fields(Market)}
        known -= {"numbers", "categories", "seed", "threads", "on_step"}
    if not set(others) <= known:
        wrong = ", ".join(map(repr, sorted(set(others) - known)))
        raise BadMarketOptionsError(f"the {kind} model has no option {wrong}")
    return kind, {key: tuple(value) if isinstance(value, list) else value for key, value in others.items()}


def market_estimates(
    facts: pd.DataFrame,
    sold: pd.DataFrame,
    prices: Floats,
    sold_on: Days,
    *,
    valued_on: int,
    options: Mapping[str, Any],
    seed: int,
) -> pd.DataFrame:
    """Return ``value low high`` of properties by the market model, unrounded, indexed as ``facts``.

    Parameters
    ----------
    facts, sold : DataFrame
        Facts of the properties to value and of the sales; nothing is returned under 80 sales.
    options : mapping
        ``market`` of a spec's settings.

    Raises
    ------
    BadMarketOptionsError
        For a model or an option that there is not.
    """
    kind, others = checked_options(options)
    numbers = tuple(
        name
        for name in NUMBERS
        if name in sold.columns and name not in _NOT_A_MARKET_FACT and sold[name].notna().mean() > 0.5
    )
    categories = tuple(name for name in (*CATEGORIES, "group") if name in sold.columns)
    days = np.full(len(facts), valued_on)
    if kind == "trees":
        model = Market(numbers, categories, seed=seed, threads=1, **others)
        value, low, high = model.fit(sold, prices, sold_on).predict_interval(facts, days)
        about: Mapping[str, Any] = {"model": "trees", **model.about()}
    else:
        value, low, high, about = _hedonic(
            facts, days, sold, prices, sold_on, numbers, categories, others, seed
        )
    found = pd.DataFrame({"value": value, "low": low, "high": high}, index=facts.index)
    if not np.isfinite(low).all():
        error = np.log(prices) - np.log(np.median(prices))
        found["low"], found["high"] = value * np.exp(error.min()), value * np.exp(error.max())
    found.attrs.update(sales=len(prices), about=about, name=kind)
    return found


def _hedonic(
    facts: pd.DataFrame,
    days: Days,
    sold: pd.DataFrame,
    prices: Floats,
    sold_on: Days,
    numbers: tuple[str, ...],
    categories: tuple[str, ...],
    options: Mapping[str, Any],
    seed: int,
) -> tuple[Floats, Floats, Floats, Mapping[str, Any]]:
    """Return values and limits of the additive model; limits and correction are fitted on rolling predictions."""
    model = Hedonic(numbers, categories).fit(sold, prices, sold_on)
    predicted, paid = np.zeros(0), np.zeros(0)
    for block in blocks_by_day(sold_on, count=5, first_share=0.4):
        if len(block.earlier) < _LEAST_TO_ROLL:
            continue
        past = block.earlier
        earlier = Hedonic(numbers, categories).fit(sold.iloc[past], prices[past], sold_on[past])
        found = earlier.predict(sold.iloc[block.rows], sold_on[block.rows])
        predicted, paid = np.concatenate([predicted, found]), np.concatenate([paid, prices[block.rows]])
    correction = EquityCorrection()
    if options.get("correct_equity", False) and len(paid):
        correction = fit_equity(predicted, paid)
        predicted = correction.apply(predicted)
    value = correction.apply(model.predict(facts, days))
    nothing = np.zeros((len(paid), 0)), np.zeros((len(value), 0))
    try:
        conformal = Conformal(float(options.get("coverage", 0.90)), seed=seed).fit(
            nothing[0], predicted, paid
        )
        low, high = conformal.limits(nothing[1], value)
    except TooFewErrorsError:
        low = high = np.full(len(value), np.nan)
    about = {
        "model": "hedonic",
        "equity_correction": correction.as_json() if correction.n else None,
        "intervals_from": len(paid),
    }
    return value, low, high, about
