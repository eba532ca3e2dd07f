"""Finding the few sales that can be the best, among thousands, for hundreds of thousands of properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.comparables.rules.terms import BASE, FACTORS, FIXTURES, LAND, Terms
from valuation.comparables.sheet import COMPONENTS

Floats = NDArray[np.float64]
_FEET_A_MILE, _BLOCK = 5280.0, 20_000


@dataclass(frozen=True)
class Places:
    """Where properties are: feet (NaN where not known) and neighbourhood as a number."""

    x: Floats
    y: Floats
    neighbourhood: NDArray[np.int64]


def places_of(valued: pd.DataFrame) -> Places:
    """Return the places of valued properties."""
    n = len(valued)

    def feet(name: str) -> Floats:
        return valued[name].to_numpy(dtype=np.float64) if name in valued.columns else np.full(n, np.nan)

    codes, _ = pd.factorize(valued["neighbourhood"].astype(str), sort=True)
    return Places(feet("x"), feet("y"), codes.astype(np.int64))


def place_percent(
    places: Places, mine: NDArray[np.intp], theirs: NDArray[np.intp], settings: Mapping[str, float]
) -> Floats:
    """Return the dissimilarity of two places in percent: by the mile and by neighbourhood.

    Miles are those of a street grid (east-west plus north-south), as the search counts them.
    """
    away = np.abs(places.x[mine] - places.x[theirs]) + np.abs(places.y[mine] - places.y[theirs])
    away = away / _FEET_A_MILE
    by_mile = away * settings["comparables_percent_per_mile"]
    other = places.neighbourhood[mine] != places.neighbourhood[theirs]
    by_name = np.where(other, settings["comparables_other_neighbourhood_percent"], 0.0)
    return np.asarray(np.where(np.isfinite(by_mile), by_mile, 0.0) + by_name, dtype=np.float64)


def nearest_sales(
    terms: Terms,
    places: Places,
    rows: NDArray[np.intp],
    sold: NDArray[np.intp],
    late: Floats,
    settings: Mapping[str, float],
    *,
    count: int,
) -> NDArray[np.int64]:
    """Return for each row the ``count`` nearest of the sold properties, by position among them; -1 for none.

    Every property is a point whose axes are the components of its value in percent of the typical value,
    its place and the age of its sale, in the same percents as the dissimilarity that decides in the end. A
    k-d tree of the sales finds the nearest in about log(sales) steps each, so the work grows with the
    properties and not with properties times sales.
    """
    from scipy.spatial import cKDTree

    axes = _axes(terms, places, np.concatenate([rows, sold]), settings)
    mine, theirs = axes[: len(rows)], axes[len(rows) :]
    # A sale's age is a distance on an axis of its own, on which the property stands at zero.
    mine = np.column_stack([mine, np.zeros(len(mine))])
    theirs = np.column_stack([theirs, late])
    tree = cKDTree(theirs, compact_nodes=True, balanced_tree=True)
    width = min(count, len(sold))
    out = np.empty((len(rows), width), dtype=np.int64)
    for start in range(0, len(rows), _BLOCK):
        _, found = tree.query(mine[start : start + _BLOCK], k=np.arange(1, width + 1), p=1)
        out[start : start + _BLOCK] = found
    return out


def _axes(terms: Terms, places: Places, rows: NDArray[np.intp], settings: Mapping[str, float]) -> Floats:
    """Return coordinates in percent of the typical value; axes on which nothing differs are left out."""
    typical = max(float(np.median(terms.value[rows])), 1.0)
    columns: dict[str, Floats] = {name: np.zeros(len(rows)) for name in COMPONENTS[1:]}
    for term in (LAND, BASE, FIXTURES):
        dollars = terms.products[term, rows]
        usual = float(np.median(dollars[dollars > 0])) if (dollars > 0).any() else 0.0
        for at, (owner, component, _) in enumerate(FACTORS):
            if owner == term:
                columns[component] = columns[component] + 100 * usual / typical * terms.logs[at, rows]
    columns["land"] = columns["land"] + np.where(
        terms.products[LAND, rows] > 0, 0.0, 100 * terms.rest[2, rows] / typical
    )
    columns["other_buildings"] = 100 * terms.rest[0, rows] / typical
    columns["outbuildings"] = 100 * terms.rest[1, rows] / typical
    mile = settings["comparables_percent_per_mile"] / _FEET_A_MILE
    columns["x"], columns["y"] = _filled(places.x[rows]) * mile, _filled(places.y[rows]) * mile
    kept = [cells for cells in columns.values() if np.ptp(cells) > 0]
    return np.column_stack(kept) if kept else np.zeros((len(rows), 1))


def _filled(feet: Floats) -> Floats:
    known = np.isfinite(feet)
    middle = float(np.median(feet[known])) if known.any() else 0.0
    out = np.where(known, feet, middle) - middle
    return np.clip(out, -(2**20), 2**20)
