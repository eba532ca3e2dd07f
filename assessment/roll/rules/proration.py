"""Proration of new construction and demolition within an assessment year, CGS 12-53a and 12-64a."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Literal, get_args

from assessment.roll.rules.rounding import DOLLAR, RoundingPolicy, round_dollars

Basis = Literal["days_365", "days_actual", "months"]
BASES: tuple[str, ...] = get_args(Basis)


def assessment_year_of(day: date) -> int:
    """Return the grand list year Y whose assessment year, 1 October Y to 30 September Y+1, holds `day`."""
    return day.year if day.month >= 10 else day.year - 1


def share_of_year(from_on: date, *, basis: Basis = "days_365") -> Fraction:
    """Return the share of the assessment year from `from_on` to the next 30 September, both counted.

    Parameters
    ----------
    from_on
        Day of the certificate of occupancy or of first use, whichever is earlier; day of the demolition.
    basis
        ``days_365``: days over 365, never above one; ``days_actual``: over the days of that year;
        ``months``: months, that of `from_on` included, over twelve (parameter ``proration_basis``).
    """
    year = assessment_year_of(from_on)
    end_on = date(year + 1, 9, 30)
    if basis == "months":
        return Fraction((end_on.year - from_on.year) * 12 + end_on.month - from_on.month + 1, 12)
    days = (end_on - from_on + timedelta(days=1)).days
    if basis == "days_365":
        return min(Fraction(days, 365), Fraction(1))
    if basis == "days_actual":
        return Fraction(days, (end_on - date(year, 10, 1) + timedelta(days=1)).days)
    raise ValueError(f"unknown proration basis {basis!r}: one of {', '.join(BASES)}")


def prorated_change(
    before: int,
    after: int,
    from_on: date,
    *,
    basis: Basis = "days_365",
    policy: RoundingPolicy = DOLLAR,
) -> int:
    """Return the dollars by which the list in force on `from_on` changes: its share of `after` - `before`.

    Negative for a demolition. Golden test: an increment of 100,000 from 1 March is 58,630.
    """
    change = after - before
    size = round_dollars(abs(change) * share_of_year(from_on, basis=basis), policy)
    return size if change >= 0 else -size
