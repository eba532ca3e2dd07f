"""Which sales are out of line with others of their kind, or with the record: for a person to look at.

Each finding shows the group that a sale was compared with, its size, its middle and how far off the sale is, so
that anybody can see why it was flagged. A finding decides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median

_TO_DEVIATION = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution."""

MEASURES = {
    "price": "price",
    "price_per_sqft": "price per square foot of living area",
    "ratio": "assessed value at the sale over price",
}
CHANGES = {
    "permit_after": "a permit was issued after the sale",
    "built_after": "the building is of a year after the sale",
    "sold_as_land": "sold as vacant land, and the card has a building",
    "sold_as_condo": "sold as a condominium, and the card is of none",
    "not_sold_as_condo": "sold as a house, and the card is of a condominium",
}


@dataclass(frozen=True)
class ScreenedSale:
    """What the screen knows of one sale and of its property's card as it is now."""

    key: str
    recorded_on: dt.date
    price: int
    assessed: int | None
    living_area_sqft: float | None
    kind: str
    neighbourhood: str
    sold_as: str
    year_built: int | None
    has_building: bool
    is_condo: bool
    permit_after: dt.date | None


@dataclass(frozen=True)
class Finding:
    """One reason to look at a sale.

    Attributes
    ----------
    code
        Of `MEASURES` or `CHANGES`.
    group, n, middle, deviation
        Of a measure: the sales it was compared with, how many, their median, and how many standard deviations
        (by the median absolute deviation of logarithms) this one is off. Empty and zero for a change.
    figure
        The sale's own figure, or the year or ordinal day of the change.
    """

    key: str
    code: str
    figure: float
    group: str = ""
    n: int = 0
    middle: float = 0.0
    deviation: float = 0.0


def screen(sales: Sequence[ScreenedSale], *, least: int, limit: float) -> list[Finding]:
    """Return the findings on sales, in the order of the sales.

    Parameters
    ----------
    least
        Fewest sales of a group; the neighbourhood's sales of the kind are used where there are so many, else the
        town's, else the sale is not compared.
    limit
        Standard deviations from the middle at which a sale is out of line; at the limit it is.
    """
    out: dict[str, list[Finding]] = defaultdict(list)
    for code in MEASURES:
        for finding in _out_of_line(sales, code, least=least, limit=limit):
            out[finding.key].append(finding)
    for sale in sales:
        out[sale.key] += _changes(sale)
    return [finding for sale in sales for finding in out[sale.key]]


def _figure(sale: ScreenedSale, code: str) -> float | None:
    if sale.price <= 0:
        return None
    if code == "price":
        return float(sale.price)
    if code == "price_per_sqft":
        return sale.price / sale.living_area_sqft if sale.living_area_sqft else None
    return sale.assessed / sale.price if sale.assessed else None


def _out_of_line(sales: Sequence[ScreenedSale], code: str, *, least: int, limit: float) -> Iterable[Finding]:
    figures = {sale.key: figure for sale in sales if (figure := _figure(sale, code))}
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    for sale in sales:
        if sale.key in figures:
            groups[sale.kind, sale.neighbourhood].append(log(figures[sale.key]))
            groups[sale.kind, ""].append(log(figures[sale.key]))
    spreads = {name: _spread(members) for name, members in groups.items() if len(members) >= least}
    for sale in sales:
        if sale.key not in figures:
            continue
        name = (sale.kind, sale.neighbourhood)
        name = name if name in spreads and sale.neighbourhood else (sale.kind, "")
        if name not in spreads:
            continue
        middle, spread = spreads[name]
        if spread <= 0:
            continue
        deviation = (log(figures[sale.key]) - middle) / spread
        if abs(deviation) >= limit:
            words = f"{name[0]}, neighbourhood {name[1]}" if name[1] else f"{name[0]}, whole town"
            yield Finding(
                sale.key, code, figures[sale.key], words, len(groups[name]), exp(middle), round(deviation, 2)
            )


def _spread(logs: Sequence[float]) -> tuple[float, float]:
    middle = median(logs)
    return middle, _TO_DEVIATION * median(abs(each - middle) for each in logs)


def _changes(sale: ScreenedSale) -> list[Finding]:
    found = []
    if sale.permit_after is not None:
        found.append(Finding(sale.key, "permit_after", float(sale.permit_after.toordinal())))
    if sale.year_built and sale.year_built > sale.recorded_on.year:
        found.append(Finding(sale.key, "built_after", float(sale.year_built)))
    sold_as = sale.sold_as.casefold()
    if "vacant" in sold_as and sale.has_building:
        found.append(Finding(sale.key, "sold_as_land", 0.0))
    if "condo" in sold_as and not sale.is_condo and sale.has_building:
        found.append(Finding(sale.key, "sold_as_condo", 0.0))
    if "famil" in sold_as and sale.is_condo:
        found.append(Finding(sale.key, "not_sold_as_condo", 0.0))
    return found
