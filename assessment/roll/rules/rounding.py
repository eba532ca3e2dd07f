"""Whole dollars: how a town rounds, and how a rounded total is split so that its parts sum to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

Mode = Literal["nearest", "half_even", "floor", "ceiling"]
Level = Literal["line", "account"]
MODES: tuple[str, ...] = get_args(Mode)
LEVELS: tuple[str, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class RoundingPolicy:
    """How one town rounds the assessments of one list.

    Attributes
    ----------
    unit
        Dollars to which an assessment is rounded (1, 5, 10, 100).
    mode
        ``nearest`` (halves away from zero), ``half_even``, ``floor`` (towns that truncate), ``ceiling``.
    level
        ``line``: every component is rounded and the account is their sum, so it may differ from the
        rounded ratio of the total. ``account``: the total is rounded and split over its components.

    Raises
    ------
    ValueError
        When the unit is not positive, or the mode or level is unknown.
    """

    unit: int = 10
    mode: Mode = "nearest"
    level: Level = "line"

    def __post_init__(self) -> None:
        if self.unit < 1:
            raise ValueError(f"a rounding unit is at least one dollar, not {self.unit}")
        if self.mode not in MODES:
            raise ValueError(f"unknown rounding mode {self.mode!r}: one of {', '.join(MODES)}")
        if self.level not in LEVELS:
            raise ValueError(f"unknown rounding level {self.level!r}: one of {', '.join(LEVELS)}")

    def tolerance(self, parts: int) -> int:
        """Dollars by which an account of `parts` components may differ from the ratio of its total."""
        per_part = self.unit if self.mode in ("floor", "ceiling") else (self.unit + 1) // 2
        return per_part * max(parts, 1)


DOLLAR = RoundingPolicy(unit=1)


def round_quotient(numerator: int, denominator: int, mode: Mode) -> int:
    """Return ``numerator / denominator`` as an integer by `mode`. The denominator must be positive."""
    if denominator < 1:
        raise ValueError("the denominator must be positive")
    whole, rest = divmod(numerator, denominator)
    if mode == "floor" or rest == 0:
        return whole
    if mode == "ceiling":
        return whole + 1
    twice = 2 * rest
    if twice != denominator:
        return whole + (twice > denominator)
    if mode == "half_even":
        return whole + (whole & 1)
    return whole + (numerator >= 0)


def round_dollars(amount: Fraction | int, policy: RoundingPolicy) -> int:
    """Return `amount` in dollars, rounded to the policy's unit by its mode."""
    exact = Fraction(amount)
    return policy.unit * round_quotient(exact.numerator, exact.denominator * policy.unit, policy.mode)


def split(total: int, weights: Sequence[int], *, unit: int = 1) -> list[int]:
    """Split `total` dollars by `weights` into parts that sum to it (largest remainder).

    Parameters
    ----------
    total
        Dollars, zero or more.
    weights
        One for each part, zero or more, not all zero unless `total` is zero.
    unit
        Each part is a multiple of it, except that what is no multiple (a total of 1,003 by tens) goes to
        the part of largest weight.

    Returns
    -------
    list of int
        Dollars; ties go to the earlier part, so the answer depends on nothing but the arguments.

    Raises
    ------
    ValueError
        When something is negative, or a total has nothing to be split by.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("only amounts of zero or more can be split")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("a total cannot be split by weights that are all zero")
        return [0] * len(weights)
    steps, odd = divmod(total, unit)
    parts, remainders = [], []
    for place, weight in enumerate(weights):
        part, rest = divmod(steps * weight, whole)
        parts.append(part)
        remainders.append((-rest, place))
    for _, place in sorted(remainders)[: steps - sum(parts)]:
        parts[place] += 1
    dollars = [part * unit for part in parts]
    if odd:
        dollars[max(range(len(weights)), key=lambda place: (weights[place], -place))] += odd
    return dollars


def assess(appraised: Sequence[int], ratio: Fraction, policy: RoundingPolicy) -> list[int]:
    """Return the assessed dollars of each component of one account.

    Parameters
    ----------
    appraised
        Appraised dollars of each component, zero or more.
    ratio
        Assessed over appraised (CGS 12-62a: 70 percent; parameter ``assessment_ratio``).
    policy
        The list's rounding policy.

    Returns
    -------
    list of int
        One for each component. With level ``account`` they sum to the rounded ratio of the total.
    """
    if any(value < 0 for value in appraised):
        raise ValueError("a component cannot be appraised below zero")
    if policy.level == "line":
        step = ratio.denominator * policy.unit
        return [
            policy.unit * round_quotient(value * ratio.numerator, step, policy.mode) for value in appraised
        ]
    return split(round_dollars(ratio * sum(appraised), policy), appraised, unit=policy.unit)
