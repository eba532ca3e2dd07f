"""Income estimates of a run, and the values reconciled from them and the cost approach."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from valuation.income.extraction import Sold, rates_from_sales
from valuation.income.models import IncomeReturn
from valuation.income.rules import (
    Rates,
    Statement,
    capitalise,
    rates_from_statements,
    setting,
    value_by_multiplier,
    whole_lines,
)
from valuation.income.selectors import find_town_rates
from valuation.income.services import statement_of
from valuation.runs.reading import sales_frame
from valuation.runs.rules.groups import codes_of

_YEARS = 3


@dataclass(frozen=True)
class Joined:
    """One property's income estimate, and what is concluded from it and cost."""

    value: int
    low: int
    high: int
    explanation: list[list[object]]
    concluded: int
    weights: Mapping[str, float]
    reason: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class IncomeJoin:
    """Income in a run.

    Attributes
    ----------
    told : mapping
        Mill rate, figures by group, weights and source: kept with the run, so that an interim year uses them.
    by_property : mapping
        Only properties of groups whose market rent is known.
    """

    told: Mapping[str, Any] = field(default_factory=dict)
    by_property: Mapping[UUID, Joined] = field(default_factory=dict)

    def lines_of(self, key: UUID, lines: list[list[Any]], state_class: str, group: str) -> list[list[Any]]:
        """Return a property's lines brought to its concluded value; land keeps its dollars where it can."""
        codes = codes_of(state_class, group)
        land = {codes["primary_land"], codes["excess_land"]} - {codes["building"]}
        return whole_lines(lines, self.by_property[key].concluded, kept=frozenset(land))


def income_join(
    town_code: int,
    year: int,
    frame: pd.DataFrame,
    valued: pd.DataFrame,
    *,
    base: Mapping[str, Any] | None,
    settings: Mapping[str, float],
) -> IncomeJoin:
    """Value rented property by income where the town has set its mill rate and a market rent is known.

    Estimates rest on market figures only (medians of at least three owners' returns or of sales with returns, or
    what the town set): what one owner returned is confidential (CGS 12-63c), and an estimate made from it would
    show it.

    Parameters
    ----------
    frame : DataFrame
        Facts, a row for each building.
    valued : DataFrame
        Cost values by property.
    base : mapping, optional
        ``told`` of the base revaluation's run: an interim year uses its figures.
    """
    areas = frame["living_sqft"].fillna(0.0).groupby(frame["property_id"], sort=False).sum()
    told = dict(base) if base is not None else _figures(town_code, year, valued, areas)
    if not told:
        return IncomeJoin()
    rates = {group: Rates.from_json(row) for group, row in told["rates"].items()}
    found: dict[UUID, Joined] = {}
    wanted = valued[valued["group"].isin([name for name, row in rates.items() if row.rent_dollars])]
    for key, group, cost in zip(wanted.index, wanted["group"], wanted["value"], strict=True):
        if areas[key] > 0:
            found[key] = _joined(float(areas[key]), group, int(cost), rates[group], told, settings)
    return IncomeJoin(told, found)


def _joined(
    area: float,
    group: str,
    cost: int,
    rates: Rates,
    told: Mapping[str, Any],
    settings: Mapping[str, float],
) -> Joined:
    unit, mills = int(settings["rounding_dollars"]), float(told["mill_rate"])

    def rounded(amount: float) -> int:
        return unit * int(np.floor(amount / unit + 0.5))

    rent = area * float(rates.rent_dollars or 0.0)
    capitalised = capitalise(rent, rates, mill_rate=mills)
    low, high = (
        rounded(capitalise(rent, rates, mill_rate=mills, points=points).value)
        for points in (
            setting("rate_spread_percent"),
            -min(setting("rate_spread_percent"), rates.rate_percent),
        )
    )
    value, words = rounded(capitalised.value), capitalised.explanation(rounded=rounded(capitalised.value))
    if group == "multi" and rates.gross_rent_multiplier:
        sales = rates.multiplier_sales
        multiplier = f"market's multiplier, of {sales} sales" if sales else "multiplier set by the town"
        value = rounded(value_by_multiplier(rent, rates.gross_rent_multiplier))
        words = [
            [
                f"${rent:,.0f} gross rent a year x {rates.gross_rent_multiplier:.2f}, the {multiplier}",
                value,
            ]
        ]
        low, high = min(low, value), max(high, value)
    share = float(told["weights"].get(group, 0.0)) / 100
    concluded = rounded((1 - share) * cost + share * value)
    flags = []
    if cost and abs(value / cost - 1) * 100 > settings["market_gap_percent"]:
        flags.append("income_disagrees")
    source = f"market figures of {rates.returns} returns" if rates.returns else "figures set by the town"
    if rates.rate_sales:
        source += f", capitalisation rate {rates.rate_percent:g} % of {rates.rate_sales} sales"
    if rates.multiplier_sales:
        source += f", multiplier {rates.gross_rent_multiplier:g} of {rates.multiplier_sales} sales"
    checked = "" if rates.verified else "; rates not verified"
    return Joined(
        value=value,
        low=low,
        high=high,
        explanation=words,
        concluded=concluded,
        weights={"cost": round(1 - share, 4), "income": round(share, 4)},
        reason=f"Rented property (CGS 12-63b): income weighs {100 * share:.0f} % beside cost, by {source}{checked}.",
        flags=tuple(flags),
    )


def _figures(town_code: int, year: int, valued: pd.DataFrame, areas: pd.Series) -> dict[str, Any]:
    town = find_town_rates(town_code, year)
    if town is None:
        return {}
    statements = _statements(town_code, year, valued)
    set_by_town = {group: row for group, row in town.rates.items() if row.rent_dollars}
    rates = {**rates_from_statements([row for _, row in statements], town.rates), **set_by_town}
    for group, named in town.named.items():
        own = {name: getattr(town.rates[group], name) for name in named}
        rates[group] = replace(rates[group], **own)
    rates = rates_from_sales(
        _sold(town_code, year, dict(statements), areas), rates, mill_rate=town.mill_rate, named=town.named
    )
    return {
        "mill_rate": town.mill_rate,
        "rates": {group: row.as_json() for group, row in sorted(rates.items())},
        "weights": dict(sorted(town.weights.items())),
        "source": town.source,
        "verified": town.verified,
    }


def _sold(town_code: int, year: int, statements: Mapping[UUID, Statement], areas: pd.Series) -> list[Sold]:
    """Return the newest sale, at its plain price, of each property with a return; none after the list's day.

    One for each property, so that one owner's figures do not count as three; only what a person found usable.
    """
    if not statements:
        return []
    first, last = dt.date(year - int(setting("sale_years")), 10, 1), dt.date(year, 10, 1)
    sales = sales_frame(town_code, first_on=first, last_on=last, decided=True)
    newest = dict(zip(sales["property_id"], sales["price"], strict=True))
    return [
        Sold(float(price), float(areas.get(key, 0.0)), statements[key])
        for key, price in newest.items()
        if key in statements
    ]


def _statements(town_code: int, year: int, valued: pd.DataFrame) -> list[tuple[UUID, Statement]]:
    """Return the newest return of each property of the last three calendar years, by property."""
    rows = IncomeReturn.objects.filter(
        town_id=town_code,
        income_year__gte=year - _YEARS,
        income_year__lte=year,
        received_on__lte=dt.date(year + 1, 1, 31),
    ).order_by("property_id", "income_year", "recorded_at", "pk")
    newest = {row.property_id: row for row in rows}
    groups = valued["group"].reindex(pd.Index(list(newest), dtype=object))
    return [
        (key, statement_of(row, group))
        for (key, row), group in zip(newest.items(), groups, strict=True)
        if isinstance(group, str)
    ]


def as_text(told: Mapping[str, Any]) -> str:
    """Return the figures as text for the hash of what a run used."""
    return json.dumps(told, sort_keys=True)
