"""The best sales for each property, adjusted in the model's own dollars."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from valuation.comparables.rules.nearest import Places, nearest_sales, place_percent, places_of
from valuation.comparables.rules.terms import Terms, exact_differences, terms_of, whole_dollars
from valuation.comparables.sheet import COMPONENTS
from valuation.runs.rules.local import LocalFactors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_CANDIDATES, _BLOCK, _NONE = 24, 10_000, -1
_WEIGHT_FLOOR = 5.0
"""Percent of dissimilarity at which a sale weighs a quarter of an equal one: no sale is the only voice."""


@dataclass(frozen=True)
class Comparables:
    """Comparable sales of ``n`` properties, best first; ``k`` places each, unused ones hold -1 and zeros.

    Attributes
    ----------
    sales : DataFrame
        The sales that could be chosen, in a fixed order: ``property_id``, ``price``, ``sold_on``, ``then``
        (what the model says the sold property was worth on its day of sale), and their other columns.
    chosen : ndarray of int, shape (n, k)
        Rows of ``sales``.
    adjustments : ndarray of int, shape (n, k, len(COMPONENTS))
        Whole dollars from the sale to the property; a row sums to the value of the property less ``then``.
    dissimilarity : ndarray, shape (n, k)
        Percent: gross adjustment of value, with distance and age of the sale.
    weights : ndarray of int, shape (n, k)
        Percent; they sum to 100 where there is a sale.
    indicated : ndarray of int, shape (n,)
        Weighted adjusted prices in whole dollars; 0 without any sale.
    """

    index: pd.Index
    values: Ints
    sales: pd.DataFrame
    chosen: NDArray[np.int64]
    adjustments: NDArray[np.int32]
    dissimilarity: Floats
    weights: Ints
    indicated: Ints

    def rows(self, at: int) -> list[dict[str, Any]]:
        """Return the comparables of one property as plain values."""
        return [
            {
                "sale": int(sale),
                "dissimilarity": round(float(self.dissimilarity[at, place]), 1),
                "weight": int(self.weights[at, place]),
                "adjustments": self.adjustments[at, place].tolist(),
            }
            for place, sale in enumerate(self.chosen[at])
            if sale != _NONE
        ]


@cache
def comparables_defaults() -> Mapping[str, float]:
    """Return how comparables are chosen unless a spec says otherwise."""
    path = Path(__file__).parents[1] / "parameters" / "comparables.yaml"
    plain: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: float(entry["value"]) for name, entry in plain.items()}


def comparables_of(
    valued: pd.DataFrame,
    sales: pd.DataFrame,
    local: LocalFactors,
    *,
    valued_on: dt.date,
    settings: Mapping[str, float],
) -> Comparables:
    """Choose and adjust the best sales of each property.

    A sale is eligible when it is valid, on or before the valuation date and not too old, the last of its
    property, and not far off the model's value on its day. Among the eligible sales of its own group, other
    than its own, a property gets those that differ least: gross adjustment in percent of its value, plus
    percents for distance, another neighbourhood and the age of the sale. Equal ones go by property id.

    Parameters
    ----------
    valued : DataFrame
        Of `Valued`, index ``property_id``.
    sales : DataFrame
        Valid sales: ``property_id``, ``price``, ``sold_on`` (ordinal day); in any order.
    """
    settings = {**comparables_defaults(), **settings}
    count = int(settings["comparables_count"])
    usable, then = _eligible(valued, sales, local, valued_on, settings)
    at_sale = valued.index.get_indexer(pd.Index(usable["property_id"]))
    terms, places = terms_of(valued), places_of(valued)
    n = len(valued)
    chosen = np.full((n, count), _NONE, dtype=np.int64)
    adjustments = np.zeros((n, count, len(COMPONENTS)), dtype=np.int32)
    dissimilarity = np.zeros((n, count))
    age = (valued_on.toordinal() - usable["sold_on"].to_numpy(dtype=np.float64)) / 365.25
    late = age * settings["comparables_percent_per_year"]
    groups = valued["group"].to_numpy()
    for group in sorted(set(groups[at_sale])):
        rows, among = np.flatnonzero(groups == group), np.flatnonzero(groups[at_sale] == group)
        found = nearest_sales(
            terms, places, rows, at_sale[among], late[among], settings, count=_CANDIDATES + count
        )
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            near = found[start : start + _BLOCK]
            candidates = np.where(near >= 0, among[near], _NONE)
            best, scores = _best(terms, places, block, candidates, at_sale, late, settings, count)
            width = best.shape[1]
            chosen[block, :width], dissimilarity[block, :width] = best, scores
            adjustments[block, :width] = _adjusted(terms, block, best, at_sale, then)
    weights = _weights(dissimilarity, chosen != _NONE)
    prices = usable["price"].to_numpy(dtype=np.int64)
    safe = np.where(chosen == _NONE, 0, chosen)
    adjusted = prices[safe] + adjustments.sum(axis=2) if len(prices) else np.zeros_like(chosen)
    indicated = np.floor((weights * adjusted).sum(axis=1) / 100 + 0.5).astype(np.int64)
    return Comparables(
        valued.index,
        terms.value,
        usable.assign(then=then),
        chosen,
        adjustments,
        dissimilarity,
        weights,
        indicated,
    )


def _eligible(
    valued: pd.DataFrame,
    sales: pd.DataFrame,
    local: LocalFactors,
    valued_on: dt.date,
    settings: Mapping[str, float],
) -> tuple[pd.DataFrame, Ints]:
    """Return the sales that may be chosen in a fixed order, and the model's values on their days."""
    last = valued_on.toordinal()
    first = last - round(365.25 * settings["comparables_years"])
    usable = sales[(sales["sold_on"] <= last) & (sales["sold_on"] > first) & (sales["price"] > 0)]
    usable = usable[usable["property_id"].isin(valued.index)]
    keys = [usable["property_id"].map(str), usable["sold_on"], usable["price"]]
    usable = usable.iloc[np.lexsort([np.asarray(key) for key in reversed(keys)])]
    usable = usable[~usable["property_id"].duplicated(keep="last")].reset_index(drop=True)
    values = valued["value"].reindex(pd.Index(usable["property_id"])).to_numpy(dtype=np.float64)
    then = np.floor(values * local.level(usable["sold_on"].to_numpy(dtype=np.int64)) + 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(np.log(usable["price"].to_numpy(dtype=np.float64) / then))
    kept = (then > 0) & (off <= np.log1p(settings["comparables_outlier_percent"] / 100))
    return usable[kept].reset_index(drop=True), then[kept].astype(np.int64)


def _best(
    terms: Terms,
    places: Places,
    block: NDArray[np.intp],
    candidates: NDArray[np.int64],
    at_sale: NDArray[np.intp],
    late: Floats,
    settings: Mapping[str, float],
    count: int,
) -> tuple[NDArray[np.int64], Floats]:
    """Return the best of the candidates by their exact dissimilarity, equal ones in the order of the sales."""
    width = candidates.shape[1]
    safe = np.where(candidates == _NONE, 0, candidates)
    mine, theirs = np.repeat(block, width), at_sale[safe].ravel()
    gross = np.abs(exact_differences(terms.take(mine), terms.take(theirs))).sum(axis=1)
    value = np.maximum(terms.value[mine], 1)
    score = 100 * gross / value + place_percent(places, mine, theirs, settings) + late[safe].ravel()
    score = np.round(score, 6).reshape(len(block), width)
    score[(candidates == _NONE) | (mine == theirs).reshape(score.shape)] = np.inf
    order = np.lexsort([candidates, score], axis=1)[:, :count]
    best = np.take_along_axis(candidates, order, axis=1)
    scores = np.take_along_axis(score, order, axis=1)
    none = ~np.isfinite(scores)
    return np.where(none, _NONE, best), np.where(none, 0.0, scores)


def _adjusted(
    terms: Terms, block: NDArray[np.intp], best: NDArray[np.int64], at_sale: NDArray[np.intp], then: Ints
) -> NDArray[np.int64]:
    """Return whole-dollar adjustments, shape (len(block), best.shape[1], components)."""
    out = np.zeros((*best.shape, len(COMPONENTS)), dtype=np.int64)
    row, place = np.nonzero(best != _NONE)
    if not len(row):
        return out
    sale = best[row, place]
    mine, theirs = terms.take(block[row]), terms.take(at_sale[sale])
    exact = exact_differences(mine, theirs)[:, 1:]
    out[row, place, 1:] = whole_dollars(exact, mine.value - theirs.value)
    out[row, place, 0] = theirs.value - then[sale]
    return out


def _weights(dissimilarity: Floats, there: NDArray[np.bool_]) -> Ints:
    """Return whole percents that sum to 100 in each row with a sale."""
    exact = np.where(there, 1 / (_WEIGHT_FLOOR + dissimilarity) ** 2, 0.0)
    whole = exact.sum(axis=1, keepdims=True)
    exact = 100 * exact / np.where(whole > 0, whole, 1.0)
    out: Ints = whole_dollars(exact, np.where(there.any(axis=1), 100, 0))
    return out
