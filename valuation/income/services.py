"""Taking in returns of income and expenses, and setting a town's rates."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.rules import Permission
from valuation.income.errors import IncomeRefused
from valuation.income.models import IncomeRates, IncomeReturn
from valuation.income.rules import IncomeError, Rates, Statement, default_rates

FIGURES = (
    "rent_dollars",
    "vacancy_percent",
    "expense_percent",
    "reserves_percent",
    "rate_percent",
    "gross_rent_multiplier",
)
"""What a town may set of a group; how many returns or sales a figure was found from, only a run can say."""
AMOUNTS = ("gross_rent", "other_income", "vacancy_loss", "expenses", "reserves")


@transaction.atomic
def record_return(
    subject: Property,
    *,
    actor: Actor,
    income_year: int,
    received_on: dt.date,
    area_sqft: int,
    gross_rent: int,
    other_income: int = 0,
    vacancy_loss: int = 0,
    expenses: int = 0,
    reserves: int = 0,
    note: str = "",
) -> IncomeReturn:
    """Keep an owner's return; a second one of the same year takes the place of the first and leaves it there.

    Raises
    ------
    Forbidden
        Without the permissions to see confidential things and to edit the record.
    IncomeRefused
        A negative amount, no area, a vacancy loss over the rent, or a year after that of the receipt.
    """
    actor.require(Permission.VIEW_CONFIDENTIAL, subject.town_id)
    actor.require(Permission.EDIT_RECORD, subject.town_id)
    amounts = dict(zip(AMOUNTS, (gross_rent, other_income, vacancy_loss, expenses, reserves), strict=True))
    below = [name for name, amount in amounts.items() if amount < 0]
    if below:
        raise IncomeRefused(f"{below[0].replace('_', ' ')} cannot be negative.")
    if area_sqft <= 0:
        raise IncomeRefused("A return needs the area that the rent is for.")
    if vacancy_loss > gross_rent + other_income:
        raise IncomeRefused("The vacancy loss is more than the income.")
    if not 1990 <= income_year <= received_on.year:
        raise IncomeRefused(f"The return of {income_year} cannot have come on {received_on}.")
    return IncomeReturn.objects.create(
        town_id=subject.town_id,
        property=subject,
        income_year=income_year,
        received_on=received_on,
        area_sqft=area_sqft,
        note=note,
        recorded_by_name=actor.name,
        **amounts,
    )


@transaction.atomic
def set_income_rates(
    town: Town,
    *,
    actor: Actor,
    list_year: int,
    mill_rate: Decimal,
    source: str,
    rates: Mapping[str, Mapping[str, Any]] | None = None,
    weights: Mapping[str, float] | None = None,
    verified: bool = False,
) -> IncomeRates:
    """Set a town's mill rate and market figures for a list year; groups not named keep the placeholders.

    Raises
    ------
    Forbidden
        Without the permission to edit models in the town.
    IncomeRefused
        A rate out of range, an unknown group, a weight that is no percent, or no source.
    """
    actor.require(Permission.EDIT_MODELS, town.code)
    known = default_rates()
    if not source.strip():
        raise IncomeRefused("Rates need their source.")
    if not 0 < mill_rate < 200:
        raise IncomeRefused(f"{mill_rate} is no mill rate.")
    for group, row in (rates or {}).items():
        if group not in known:
            raise IncomeRefused(f"{group!r} is no rented kind of property; there are: {', '.join(known)}.")
        unknown = sorted(set(row) - {*FIGURES, "verified"})
        if unknown:
            raise IncomeRefused(f"{group}: {unknown[0]} cannot be set; there are: {', '.join(FIGURES)}.")
        try:
            Rates.from_json({**known[group].as_json(), **row})
        except IncomeError as error:
            raise IncomeRefused(f"{group}: {error}.") from error
    for group, percent in (weights or {}).items():
        if group not in known or not 0 <= percent <= 100:
            raise IncomeRefused(f"{percent} is no weight of {group!r}.")
    return IncomeRates.objects.create(
        town=town,
        list_year=list_year,
        mill_rate=mill_rate,
        rates={group: dict(row) for group, row in (rates or {}).items()},
        weights=dict(weights or {}),
        source=source,
        verified=verified,
        recorded_by_name=actor.name,
    )


def statement_of(row: IncomeReturn, group: str) -> Statement:
    """Return the figures of a return."""
    return Statement(
        group=group,
        area_sqft=row.area_sqft,
        gross_rent=row.gross_rent,
        other_income=row.other_income,
        vacancy_loss=row.vacancy_loss,
        expenses=row.expenses,
        reserves=row.reserves,
    )


@dataclass
class ReturnsReport:
    """What an import of returns did."""

    rows: int = 0
    recorded: int = 0
    refused: list[str] = field(default_factory=list)


@transaction.atomic
def import_returns(town: Town, path: Path, *, actor: Actor, received_on: dt.date) -> ReturnsReport:
    """Take in returns from a CSV file: ``account``, ``income_year``, ``area_sqft``, ``gross_rent`` and the rest.

    A row that cannot be used is told by its number and does not stop the others.

    Raises
    ------
    IncomeRefused
        The file lacks a column.
    """
    report = ReturnsReport()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"account", "income_year", "area_sqft", "gross_rent"} - set(reader.fieldnames or ())
        if missing:
            raise IncomeRefused(f"The file has no column {', '.join(sorted(missing))}.")
        for number, row in enumerate(reader, start=2):
            report.rows += 1
            found = Property.objects.filter(town=town, account_number=(row["account"] or "").strip()).first()
            if found is None:
                report.refused.append(f"line {number}: no account {row['account']!r}")
                continue
            try:
                amounts = {name: _dollars(row.get(name)) for name in ("area_sqft", *AMOUNTS)}
                record_return(
                    found,
                    actor=actor,
                    income_year=int(row["income_year"]),
                    received_on=received_on,
                    note=(row.get("note") or "").strip(),
                    **amounts,
                )
            except (IncomeRefused, ValueError) as error:
                report.refused.append(f"line {number}: {getattr(error, 'detail', error)}")
            else:
                report.recorded += 1
    return report


def _dollars(cell: str | None) -> int:
    text = (cell or "").replace("$", "").replace(",", "").strip()
    return round(float(text)) if text else 0
