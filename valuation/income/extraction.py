"""Capitalisation rates and gross rent multipliers from sales of property whose owners returned their income.

::

    capitalisation rate     = median of net operating income / price - mill rate / 1000 x assessment rate
    gross rent multiplier   = median of price / gross rent

Source: CGS 12-63b (capitalisation rate of the market); 12-63c (what one owner returned is confidential).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from valuation.income.rules import Rates, Statement, loaded_rate, setting


@dataclass(frozen=True)
class Sold:
    """A usable sale of rented property: what was paid, the card's area, and the owner's return."""

    price: float
    card_area_sqft: float
    statement: Statement

    @property
    def is_whole(self) -> bool:
        """Whether the rent is for what was sold: the areas of return and card are within `area_gap_percent`."""
        if self.price <= 0 or self.card_area_sqft <= 0:
            return False
        gap = abs(self.statement.area_sqft / self.card_area_sqft - 1)
        return 100 * gap <= setting("area_gap_percent")

    def net_operating_income(self, reserves_percent: float) -> float:
        """Return the net income; a return without reserves is charged the market's, as a value by income is."""
        stated, income = self.statement.net_operating_income, self.statement.effective_gross_income
        return stated if self.statement.reserves else stated - income * reserves_percent / 100


def market_multiplier(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the median of price by yearly gross rent to a tenth; None for fewer sales than `least_returns`."""
    found = [price / rent for price, rent in pairs if price > 0 and rent > 0]
    return round(median(found), 1) or None if len(found) >= setting("least_returns") else None


def market_rate_percent(pairs: Sequence[tuple[float, float]], *, mill_rate: float) -> float | None:
    """Return the capitalisation rate that sales with returns show, in percent to a tenth of a point.

    Net operating income by price is a rate with the property tax in it, for tax is not among the expenses; the
    town's effective tax rate is taken off, so that the loaded rate gives back the median sale's price. A tenth,
    because prices are public and an exact median of an odd number would be one owner's income. None for fewer
    sales than `least_returns`, and where nothing is left above zero.
    """
    found = [100 * net / price for net, price in pairs if price > 0 and net > 0]
    if len(found) < setting("least_returns"):
        return None
    rate = round(median(found) - 100 * loaded_rate(0.0, mill_rate), 1)
    return rate if 0 < rate < 100 else None


def rates_from_sales(
    sales: Sequence[Sold],
    base: Mapping[str, Rates],
    *,
    mill_rate: float,
    named: Mapping[str, frozenset[str]],
) -> dict[str, Rates]:
    """Put the market's capitalisation rate, and of two to six families the multiplier, where sales show them.

    Figures in ``named`` (by group) were set by the town and stay; what the sales do not show keeps the base's.
    """
    out = dict(base)
    for group, known in base.items():
        rows = [row for row in sales if row.statement.group == group and row.is_whole]
        nets = [(row.net_operating_income(known.reserves_percent), row.price) for row in rows]
        nets = [pair for pair in nets if pair[0] > 0]
        rents = [(row.price, row.statement.gross_rent) for row in rows if row.statement.gross_rent > 0]
        rate, multiplier = market_rate_percent(nets, mill_rate=mill_rate), market_multiplier(rents)
        if rate is not None and "rate_percent" not in named.get(group, ()):
            out[group] = replace(out[group], rate_percent=rate, rate_sales=len(nets))
        if group == "multi" and multiplier and "gross_rent_multiplier" not in named.get(group, ()):
            out[group] = replace(out[group], gross_rent_multiplier=multiplier, multiplier_sales=len(rents))
    return out
