"""An override: how a new total is spread over the parts, and when a second person has to agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Component = list[Any]
"""``[state detail code, dollars, quantity, unit]``."""


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


def spread(total: int, components: Sequence[Component], *, unit: int = 1) -> list[Component]:
    """Spread a new total over the parts in proportion to what they were, so that they sum to it exactly.

    Parts are multiples of ``unit`` except for what the total itself has beyond one, which goes to the largest;
    the remaining units go to the largest fractions, ties to the first part (largest-remainder method).

    Parameters
    ----------
    total : int
        Dollars, zero or more.
    components : sequence of [code, dollars, quantity, unit]
        The parts as they are; at least one.
    unit : int
        Dollars that parts are rounded to.

    Raises
    ------
    ValueError
        No parts, a negative total, or a unit below 1.
    """
    if not components or total < 0 or unit < 1:
        raise ValueError("a total of zero or more is spread over at least one part in units of at least 1")
    before = sum(int(part[1]) for part in components)
    shares = [int(part[1]) for part in components] if before else [1] + [0] * (len(components) - 1)
    whole = before or 1
    units, rest = divmod(total, unit)
    exact = [divmod(units * share, whole) for share in shares]
    dollars = [quotient for quotient, _ in exact]
    by_fraction = sorted(range(len(shares)), key=lambda at: (-exact[at][1], at))
    for at in by_fraction[: units - sum(dollars)]:
        dollars[at] += 1
    amounts = [each * unit for each in dollars]
    amounts[max(range(len(shares)), key=lambda at: (shares[at], -at))] += rest
    return [[part[0], amount, *part[2:]] for part, amount in zip(components, amounts, strict=True)]


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
