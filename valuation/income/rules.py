"""Income to value: rents, vacancy, expenses, reserves, and a rate loaded with the effective tax rate.

::

    potential gross income  = area x market rent (+ other income)
    effective gross income  = potential gross income - vacancy and collection loss
    net operating income    = effective gross income - operating expenses (without property tax) - reserves
    loaded rate             = capitalisation rate + mill rate / 1000 x assessment rate
    value                   = net operating income / loaded rate

Source: CGS 12-63b (market rent, expenses, capitalisation), 12-62a (70 %); worked example: net operating income
100,000, rate 8 %, 30 mills: 0.08 + 0.021 = 0.101, hence 990,099.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from valuation.runs.rules.splitting import spread


class IncomeError(ValueError):
    """Rates or amounts from which no value can be made."""


@dataclass(frozen=True)
class Rates:
    """Market figures of one kind of property.

    Attributes
    ----------
    rent_dollars : float, optional
        Market rent for a square foot and a year; None where it is not known, and nothing is valued by it.
    vacancy_percent : float
        Of potential gross income.
    expense_percent, reserves_percent : float
        Of effective gross income; property tax is not among the expenses.
    rate_percent : float
        Capitalisation rate before taxes.
    gross_rent_multiplier : float, optional
        Price by yearly gross rent, for two to six families.
    returns : int
        Returns of owners that the rent was found from; 0 when somebody set it.
    rate_sales, multiplier_sales : int
        Sales that the capitalisation rate and the multiplier were found from; 0 when they were not.
    verified : bool
        Somebody checked the figures against a source.
    """

    vacancy_percent: float
    expense_percent: float
    reserves_percent: float
    rate_percent: float
    rent_dollars: float | None = None
    gross_rent_multiplier: float | None = None
    returns: int = 0
    rate_sales: int = 0
    multiplier_sales: int = 0
    verified: bool = False

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Rates:
        """Read rates.

        Raises
        ------
        IncomeError
            A name is not known, a percent is not between 0 and 100, or another amount is not positive.
        """
        try:
            found = cls(**plain)
        except TypeError as error:
            raise IncomeError(f"the rates are not as they should be: {error}") from error
        for name in ("vacancy_percent", "expense_percent", "reserves_percent", "rate_percent"):
            if not 0 <= getattr(found, name) < 100:
                raise IncomeError(f"{name} is {getattr(found, name)}")
        if found.rate_percent <= 0:
            raise IncomeError("a capitalisation rate is above zero")
        for name in ("rent_dollars", "gross_rent_multiplier"):
            amount = getattr(found, name)
            if amount is not None and amount <= 0:
                raise IncomeError(f"{name} is {amount}")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Statement:
    """One owner's return of income and expenses for a year (CGS 12-63c); confidential.

    Dollars of a year; ``expenses`` without property tax and without interest.
    """

    group: str
    area_sqft: float
    gross_rent: float
    other_income: float = 0.0
    vacancy_loss: float = 0.0
    expenses: float = 0.0
    reserves: float = 0.0

    @property
    def effective_gross_income(self) -> float:
        """Return rents and other income less vacancy and collection loss."""
        return self.gross_rent + self.other_income - self.vacancy_loss

    @property
    def net_operating_income(self) -> float:
        """Return effective gross income less expenses and reserves."""
        return self.effective_gross_income - self.expenses - self.reserves


@dataclass(frozen=True)
class IncomeValue:
    """A value by income with its steps, unrounded dollars of a year but for ``value``."""

    potential_gross_income: float
    vacancy: float
    expenses: float
    reserves: float
    net_operating_income: float
    loaded_rate: float
    value: float

    def explanation(self, *, rounded: int) -> list[list[object]]:
        """Return ``[[words, dollars], ...]`` that sum to ``rounded``: each step, capitalised."""
        steps = (
            ("Potential gross income", self.potential_gross_income),
            ("less vacancy and collection loss", -self.vacancy),
            ("less operating expenses", -self.expenses),
            ("less reserves", -self.reserves),
        )
        rate = f"at {100 * self.loaded_rate:.3f} %, taxes included"
        told: list[list[object]] = [
            [f"{words}: ${amount:,.0f} a year {rate}", round(amount / self.loaded_rate)]
            for words, amount in steps
            if amount
        ]
        if told:
            told[0][1] = int(told[0][1]) + rounded - sum(int(row[1]) for row in told)  # type: ignore[call-overload]
        return told


@cache
def defaults() -> Mapping[str, Any]:
    """Return the product's placeholders; none of the rates is verified."""
    path = Path(__file__).parent / "parameters" / "income.yaml"
    plain: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return plain


def setting(name: str) -> float:
    """Return one of the defaults that is a single number."""
    return float(defaults()[name]["value"])


def default_rates() -> dict[str, Rates]:
    """Return the placeholders by group; they hold no rent, so nothing is valued by them alone."""
    return {group: Rates.from_json(row) for group, row in defaults()["groups"].items()}


def effective_tax_rate(mill_rate: float, *, assessment_percent: float = 70.0) -> float:
    """Return yearly tax as a share of market value: mills of the assessment, which is 70 % of it."""
    return mill_rate / 1000 * assessment_percent / 100


def loaded_rate(rate_percent: float, mill_rate: float) -> float:
    """Return the capitalisation rate with the town's effective tax rate on top, as a share."""
    percent = setting("assessment_percent")
    return rate_percent / 100 + effective_tax_rate(mill_rate, assessment_percent=percent)


def capitalise(
    potential_gross_income: float, rates: Rates, *, mill_rate: float, points: float = 0.0
) -> IncomeValue:
    """Return the value of an income at market vacancy, expenses and rate.

    Parameters
    ----------
    points : float
        Added to the capitalisation rate, for the ends of an interval.

    Raises
    ------
    IncomeError
        The loaded rate is not above zero.
    """
    rate = loaded_rate(rates.rate_percent + points, mill_rate)
    if rate <= 0:
        raise IncomeError("the loaded rate is not above zero")
    vacancy = potential_gross_income * rates.vacancy_percent / 100
    effective = potential_gross_income - vacancy
    expenses, reserves = effective * rates.expense_percent / 100, effective * rates.reserves_percent / 100
    net = effective - expenses - reserves
    return IncomeValue(potential_gross_income, vacancy, expenses, reserves, net, rate, max(net, 0.0) / rate)


def value_by_multiplier(yearly_gross_rent: float, multiplier: float) -> float:
    """Return the value of two to six families: yearly gross rent by the market's multiplier."""
    return yearly_gross_rent * multiplier


def rates_from_statements(statements: Sequence[Statement], base: Mapping[str, Rates]) -> dict[str, Rates]:
    """Put the market's rents, vacancy and expenses where enough owners returned theirs.

    Medians of at least `least_returns` statements of a group replace the base's figures, so that no single
    owner's figures can be read off; groups with fewer keep the base's.
    """
    out = dict(base)
    for group in sorted({statement.group for statement in statements}):
        rows = [row for row in statements if row.group == group and row.area_sqft > 0 and row.gross_rent > 0]
        if len(rows) < setting("least_returns") or group not in base:
            continue
        earning = [row for row in rows if row.effective_gross_income > 0]
        known = replace(
            base[group],
            rent_dollars=median(row.gross_rent / row.area_sqft for row in rows),
            vacancy_percent=min(median(100 * row.vacancy_loss / row.gross_rent for row in rows), 99.0),
            returns=len(rows),
        )
        if earning:
            share = median(100 * row.expenses / row.effective_gross_income for row in earning)
            known = replace(known, expense_percent=min(share, 99.0))
        out[group] = known
    return out


def whole_lines(lines: Sequence[Sequence[Any]], total: int, *, kept: frozenset[str]) -> list[list[Any]]:
    """Return lines of an assessment that sum to another total.

    Lines of the codes in ``kept`` (land) stay where they can, and the others take the difference in
    proportion; where these would be below zero, or there are none, all lines are scaled. Whole dollars, with
    the remainder on the largest fractions.
    """
    out = [list(line) for line in lines]
    moving = [at for at, line in enumerate(out) if line[0] not in kept]
    fixed = sum(int(out[at][1]) for at in range(len(out)) if at not in moving)
    if not moving or total < fixed or not sum(int(out[at][1]) for at in moving):
        moving, fixed = list(range(len(out))), 0
    parts = [out[at] for at in moving]
    if not any(int(part[1]) for part in parts):
        parts = [[part[0], 1, *part[2:]] for part in parts]  # parts of nothing share alike
    for at, part in zip(moving, spread(total - fixed, parts), strict=True):
        out[at] = part
    return out
