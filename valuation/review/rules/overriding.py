"""An override: how a new total is spread over the parts, and when a second person has to agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class ReviewPolicy:
    """Reason codes with their words, the limits above which two persons are needed, and flags that must be seen."""

    reasons: Mapping[str, str]
    change_percent: float
    change_dollars: float
    must_review: tuple[str, ...]


@cache
def review_policy() -> ReviewPolicy:
    """Return the policy that comes with the product."""
    path = Path(__file__).parents[1] / "parameters" / "reasons.yaml"
    plain: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    limits = plain["second_person"]
    return ReviewPolicy(
        plain["reasons"],
        float(limits["change_percent"]["value"]),
        float(limits["change_dollars"]["value"]),
        tuple(plain["must_review"]),
    )


def factored(value: int, factor: Fraction, *, rounding: int) -> int:
    """Return a value times a factor, to the nearest ``rounding`` dollars; a half goes up.

    Exact: a factor of 1.05 is 21/20 here, so that no half is missed by a binary fraction.
    """
    exact = Fraction(value) * factor / rounding
    return rounding * ((2 * exact.numerator + exact.denominator) // (2 * exact.denominator))


def second_person_because(
    before: int, after: int, policy: ReviewPolicy, *, is_bulk: bool = False
) -> list[str]:
    """Return why a second person has to agree; nothing when one is enough.

    A change *at* a limit is still one person's to make.
    """
    found = []
    change = after - before
    if is_bulk:
        found.append("it changes many properties at once")
    if before and abs(change) / before * 100 > policy.change_percent:
        found.append(f"the change of {change / before:+.1%} is more than {policy.change_percent:g} %")
    if abs(change) > policy.change_dollars:
        found.append(f"the change of ${abs(change):,} is more than ${policy.change_dollars:,.0f}")
    if not before and after:
        found.append("there was no value")
    if before and not after:
        found.append("no value is left")
    return found
