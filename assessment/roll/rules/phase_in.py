"""Phase-in of a revaluation's increases, CGS 12-62c: equal yearly steps for each parcel."""

from fractions import Fraction

from assessment.roll.rules.rounding import DOLLAR, RoundingPolicy, round_dollars


def phased_assessment(
    old: int,
    new: int,
    *,
    year: int,
    years: int,
    at_once: Fraction = Fraction(0),
    policy: RoundingPolicy = DOLLAR,
) -> int:
    """Return the assessment in year `year` (1-based) of a phase-in of `years` years.

    A decrease takes effect at once. Of an increase, the share `at_once` (CGS 12-62c: none, or at least a
    quarter, the same for all classes) takes effect in the first year and the rest in equal steps.

    Raises
    ------
    ValueError
        When the year lies outside the term, or the share between nothing and a quarter, or above one.
    """
    if not 1 <= year <= years:
        raise ValueError(f"year {year} lies outside a phase-in of {years} years")
    if at_once and not Fraction(1, 4) <= at_once <= 1:
        raise ValueError("the share that takes effect at once is none, or at least 25 percent")
    increase = new - old
    if increase <= 0:
        return new
    return old + round_dollars(increase * (at_once + (1 - at_once) * Fraction(year, years)), policy)
