"""Reading returns and rates. Returns are confidential: every reader says who asks, but for a run's medians."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assessment.region.actors import Actor
from assessment.region.rules import Permission
from valuation.income.models import IncomeRates, IncomeReturn
from valuation.income.rules import Rates, default_rates, defaults
from valuation.runs.models import Run


@dataclass(frozen=True)
class TownRates:
    """What a town values income by: its mill rate, figures by group, weights, and where they come from.

    ``named`` holds, by group, which figures the town set itself; the others are the product's placeholders.
    """

    mill_rate: float
    rates: dict[str, Rates]
    weights: dict[str, float]
    source: str
    verified: bool
    named: dict[str, frozenset[str]]


@dataclass(frozen=True)
class UsedFigures:
    """The income figures that a run kept."""

    run_id: UUID
    started_at: dt.datetime
    told: dict[str, Any]


def list_returns(property_id: UUID, town_code: int, *, actor: Actor, limit: int = 50) -> list[IncomeReturn]:
    """Return the returns of a property, newest year first.

    Raises
    ------
    Forbidden
        Without the permission to see confidential things (CGS 12-63c).
    """
    actor.require(Permission.VIEW_CONFIDENTIAL, town_code)
    return list(IncomeReturn.objects.filter(town_id=town_code, property_id=property_id)[:limit])


def list_income_rates(town_code: int, *, limit: int = 100) -> list[IncomeRates]:
    """Return what a town has set, the newest list year and there the newest first."""
    return list(IncomeRates.objects.filter(town_id=town_code)[:limit])


def find_income_rates(town_code: int, list_year: int) -> IncomeRates | None:
    """Return what a town set last for a list year or the newest before; None where it has set nothing."""
    return IncomeRates.objects.filter(town_id=town_code, list_year__lte=list_year).first()


def find_town_rates(town_code: int, list_year: int) -> TownRates | None:
    """Return the rates of a town for a list year or the newest before; None where it has set none."""
    row = find_income_rates(town_code, list_year)
    return town_rates_of(row) if row else None


def town_rates_of(row: IncomeRates) -> TownRates:
    """Return what a town set with the product's placeholders where it named no figure."""
    base = default_rates()
    rates = {
        group: Rates.from_json({**known.as_json(), "verified": row.verified, **row.rates.get(group, {})})
        if group in row.rates
        else known
        for group, known in base.items()
    }
    weights = default_weights()
    named = {group: frozenset(figures) for group, figures in row.rates.items()}
    return TownRates(float(row.mill_rate), rates, {**weights, **row.weights}, row.source, row.verified, named)


def default_weights() -> dict[str, float]:
    """Return the placeholders of the weight of income beside cost, in percent by group."""
    return {group: float(each["income_percent"]) for group, each in defaults()["weights"].items()}


def find_used_figures(town_code: int, list_year: int) -> UsedFigures | None:
    """Return the income figures of the newest finished run of a list; None where it valued nothing by income."""
    runs = Run.objects.filter(
        town_id=town_code, list_year=list_year, state__in=(Run.State.DONE, Run.State.POSTED)
    )
    found = runs.order_by("-started_at").values_list("pk", "started_at", "tables__income").first()
    return UsedFigures(*found) if found and found[2] else None
