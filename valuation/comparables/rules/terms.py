"""The value of each property as terms of factors, so that two values can be compared factor by factor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.comparables.sheet import COMPONENTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAND, BASE, FIXTURES = 0, 1, 2
FACTORS: tuple[tuple[int, str, str], ...] = (
    (LAND, "land", "step_land_from_curve"),
    (LAND, "site", "step_land_site_factor"),
    (LAND, "neighbourhood", "step_land_place_factor"),
    (LAND, "neighbourhood", "factor"),
    (BASE, "size", "step_area_sqft"),
    (BASE, "size", "step_size_factor"),
    (BASE, "style", "step_rate"),
    (BASE, "grade", "step_grade_factor"),
    (BASE, "age", "step_percent_good"),
    (BASE, "obsolescence", "step_obsolescence_factor"),
    (BASE, "condition", "step_condition_factor"),
    (BASE, "neighbourhood", "step_location_factor"),
    (BASE, "neighbourhood", "factor"),
    (BASE, "completion", "step_percent_complete"),
    (FIXTURES, "fixtures", "step_additives"),
    (FIXTURES, "age", "step_percent_good"),
    (FIXTURES, "obsolescence", "step_obsolescence_factor"),
    (FIXTURES, "condition", "step_condition_factor"),
    (FIXTURES, "neighbourhood", "step_location_factor"),
    (FIXTURES, "neighbourhood", "factor"),
    (FIXTURES, "completion", "step_percent_complete"),
)
"""Term, component and column of each factor: a term is the product of its factors (percents as shares)."""

_DIRECT = {LAND: "land", BASE: "size", FIXTURES: "fixtures"}
_PERCENTS = frozenset({"step_percent_good", "step_percent_complete"})


@dataclass(frozen=True)
class Terms:
    """What values are made of; one row for a property.

    Attributes
    ----------
    value : ndarray of int, shape (n,)
        Whole dollars.
    products : ndarray, shape (3, n)
        Dollars of land, of the main building without fixtures, and of its fixtures.
    logs : ndarray, shape (len(FACTORS), n)
        Logarithm of each factor; 0 where the factor is 0, whose term is then 0.
    rest : ndarray, shape (4, n)
        Dollars of other buildings (or of a typical building where no area is known), of outbuildings, of all
        land, and of the land that is valued by line.
    """

    value: Ints
    products: Floats
    logs: Floats
    rest: Floats

    def take(self, at: NDArray[np.intp]) -> Terms:
        """Return the terms of some rows."""
        return Terms(self.value[at], self.products[:, at], self.logs[:, at], self.rest[:, at])


def terms_of(valued: pd.DataFrame) -> Terms:
    """Take values apart.

    Parameters
    ----------
    valued : DataFrame
        As of `valuation.runs.rules.appraisal.Valued`: parts in whole dollars, ``value``, local ``factor``, steps.
    """
    n = len(valued)
    products, logs = np.ones((3, n)), np.zeros((len(FACTORS), n))
    for at, (term, _, column) in enumerate(FACTORS):
        cells = valued[column].to_numpy(dtype=np.float64)
        cells = np.nan_to_num(cells / 100 if column in _PERCENTS else cells)
        products[term] *= cells
        logs[at] = np.log(np.where(cells > 0, cells, 1.0))
    lines = (valued["step_land_lines"] * valued["factor"]).to_numpy(dtype=np.float64)
    land = (valued["primary_land"] + valued["excess_land"]).to_numpy(dtype=np.float64)
    building = valued["building"].to_numpy(dtype=np.float64)
    # Land without an area has a typical value, which is no product: it is compared whole.
    products[LAND] = np.where(valued["no_land_area"].to_numpy(dtype=bool), 0.0, products[LAND])
    main = products[BASE] + products[FIXTURES]
    several = valued["buildings"].to_numpy() != 1
    other = np.where(several | valued["no_building_area"].to_numpy(dtype=bool), building - main, 0.0)
    return Terms(
        value=valued["value"].to_numpy(dtype=np.int64),
        products=products,
        logs=logs,
        rest=np.vstack([other, valued["outbuildings"].to_numpy(dtype=np.float64), land, lines]),
    )


def exact_differences(subject: Terms, sale: Terms) -> Floats:
    """Return what each component makes of the difference subject minus sale, in unrounded dollars.

    Each term is a product, and its difference is shared among its factors by the logarithmic mean
    (``L(a, b) ln(f_a / f_b)``, with ``L(a, b) = (a - b) / ln(a / b)``): exact, the same whichever factor
    comes first, and the negative when the two change places. A term that is zero for one of the two is one
    difference of its main component. Source: Ang (2004), Energy Policy 32, 1131-1139, the LMDI method.

    Parameters
    ----------
    subject, sale : Terms
        Of the same length m.

    Returns
    -------
    ndarray, shape (m, len(COMPONENTS))
        ``time`` is zero here.
    """
    out = np.zeros((len(subject.value), len(COMPONENTS)))
    index = {name: at for at, name in enumerate(COMPONENTS)}
    means, both = np.zeros_like(subject.products), np.zeros(subject.products.shape, dtype=bool)
    for term in (LAND, BASE, FIXTURES):
        mine, theirs = subject.products[term], sale.products[term]
        both[term] = (mine > 0) & (theirs > 0)
        safe_mine, safe_theirs = np.where(both[term], mine, 1.0), np.where(both[term], theirs, 1.0)
        ratio = np.log(safe_mine / safe_theirs)
        near = np.abs(ratio) < 1e-9
        mean = np.where(near, safe_mine, (safe_mine - safe_theirs) / np.where(near, 1.0, ratio))
        means[term] = np.where(both[term], mean, 0.0)
        whole_mine, whole_theirs = (subject.rest[2], sale.rest[2]) if term == LAND else (mine, theirs)
        out[:, index[_DIRECT[term]]] += np.where(both[term], 0.0, whole_mine - whole_theirs)
    out[:, index["land"]] += np.where(both[LAND], subject.rest[3] - sale.rest[3], 0.0)
    for at, (term, component, _) in enumerate(FACTORS):
        out[:, index[component]] += means[term] * (subject.logs[at] - sale.logs[at])
    out[:, index["other_buildings"]] += subject.rest[0] - sale.rest[0]
    out[:, index["outbuildings"]] += subject.rest[1] - sale.rest[1]
    return out


def whole_dollars(exact: Floats, totals: Ints) -> Ints:
    """Round rows to whole dollars that sum to given totals.

    What a row lacks of its total (values are rounded to $100 by part) is spread in proportion to the size of
    its cells; then every cell is rounded down and the dollars left go to the largest fractions, the earlier
    cell first among equals. Cells of zero stay zero unless all are.

    Parameters
    ----------
    exact : ndarray, shape (m, k)
    totals : ndarray of int, shape (m,)
    """
    size = np.abs(exact)
    whole = size.sum(axis=1)
    size[:, 0] = np.where(whole > 0, size[:, 0], 1.0)
    share = size / np.where(whole > 0, whole, 1.0)[:, None]
    spread = exact + (totals - exact.sum(axis=1))[:, None] * share
    floors = np.floor(spread)
    left = np.rint(totals - floors.sum(axis=1)).astype(np.int64)
    order = np.argsort(-np.round(spread - floors, 9), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    out: Ints = floors.astype(np.int64) + (rank < left[:, None])
    # Rounding errors of the sums can leave more than one dollar a cell; the first cell takes it.
    out[:, 0] += totals - out.sum(axis=1)
    return out
