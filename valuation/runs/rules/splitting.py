"""Spreading a total over the parts of a value, to the dollar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Component = list[Any]
"""``[state detail code, dollars, quantity, unit]``."""


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
