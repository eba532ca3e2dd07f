"""Reading returns and rates. Returns are confidential: every reader says who asks, but for a run's medians."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from assessment.region.actors import Actor
from assessment.region.rules import Permission
from valuation.income.models import IncomeRates, IncomeReturn
from valuation.income.rules import Rates, default_rates, defaults


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


def list_returns(property_id: UUID, town_code: int, *, actor: Actor, limit: int = 50) -> list[IncomeReturn]:
    """Return the returns of a property, newest year first.

    Raises
    ------
    Forbidden
        Without the permission to see confidential things (CGS 12-63c).
    """
    actor.require(Permission.VIEW_CONFIDENTIAL, town_code)
    return list(IncomeReturn.objects.filter(town_id=town_code, property_id=property_id)[:limit])


def find_town_rates(town_code: int, list_year: int) -> TownRates | None:
    """Return the rates of a town for a list year or the newest before; None where it has set none."""
    row = IncomeRates.objects.filter(town_id=town_code, list_year__lte=list_year).first()
    if row is None:
        return None
    base = default_rates()
    rates = {
        group: Rates.from_json({**known.as_json(), "verified": row.verified, **row.rates.get(group, {})})
        if group in row.rates
        else known
        for group, known in base.items()
    }
    weights = {group: float(each["income_percent"]) for group, each in defaults()["weights"].items()}
    named = {group: frozenset(figures) for group, figures in row.rates.items()}
    return TownRates(float(row.mill_rate), rates, {**weights, **row.weights}, row.source, row.verified, named)
