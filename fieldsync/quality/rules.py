"""Re-checks: drawing them at random, hiding what is not to be seen, and comparing what two people saw."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

T = TypeVar("T")
WHOLE_ROW = "*"
LEAST_PERCENT, MOST_PERCENT = 5, 10


@dataclass(frozen=True, slots=True)
class Seen:
    """A field that an inspection entered; ``*`` stands for a whole row that it added."""

    kind: str
    row_id: str
    field: str


def mask_card(text: str, seen: Iterable[Seen]) -> str:
    """Return a card with the fields in ``seen`` empty and the rows that were added left out."""
    card: dict[str, Any] = json.loads(text)
    for each in seen:
        if each.kind == "property":
            if each.field in card["property"]:
                card["property"][each.field] = None
        elif each.field == WHOLE_ROW:
            card[each.kind] = [row for row in card.get(each.kind, []) if row["id"] != each.row_id]
        else:
            for row in card.get(each.kind, []):
                if row["id"] == each.row_id and each.field in row:
                    row[each.field] = None
    return json.dumps(card, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far values may differ and still agree, and what share of the fields must agree.

    ``shares`` are of the first value, ``amounts`` in the field's unit; any other field must be the same.
    """

    needed_percent: Decimal
    shares: Mapping[str, Decimal]
    amounts: Mapping[str, Decimal]
    not_compared: frozenset[str]

    def agrees(self, field: str, first: Any, second: Any) -> bool:
        """Say whether two values of a field are the same for all that matters."""
        if field in self.shares or field in self.amounts:
            one, two = _number(first), _number(second)
            if one is not None and two is not None:
                allowed: Decimal = (
                    self.shares[field] * abs(one) if field in self.shares else self.amounts[field]
                )
                return bool(abs(one - two) <= allowed)
        return bool(_plain(first) == _plain(second))


@dataclass(frozen=True, slots=True)
class Compared:
    """One field that both people entered."""

    path: str
    first: Any
    second: Any
    agrees: bool


def compare(
    first: Mapping[tuple[str, str, str], Any], second: Mapping[tuple[str, str, str], Any], by: Agreement
) -> list[Compared]:
    """Compare what two people entered, field by field, in the order of the paths.

    Only a field that both entered counts, and no whole row: two people give a shed two ids.
    """
    both = sorted(key for key in first.keys() & second.keys() if key[2] != WHOLE_ROW)
    return [
        Compared(
            name if kind == "property" else f"{kind}/{row}/{name}",
            first[kind, row, name],
            second[kind, row, name],
            by.agrees(name, first[kind, row, name], second[kind, row, name]),
        )
        for kind, row, name in both
        if name not in by.not_compared
    ]


def agreement_percent(compared: int, agreeing: int) -> Decimal | None:
    """Return the share of fields that agree, to a tenth of a percent; None where none was compared."""
    if not compared:
        return None
    return (Decimal(100 * agreeing) / compared).quantize(Decimal("0.1"))


def draw_sample(keys: Iterable[T], percent: Decimal, seed: int) -> list[T]:
    """Return ``percent`` of ``keys``, at least one, drawn at random; the same seed draws the same.

    Raises
    ------
    ValueError
        The share is not 5 to 10 percent, or there is nothing to draw from.
    """
    if not LEAST_PERCENT <= percent <= MOST_PERCENT:
        raise ValueError(f"{percent} % is not {LEAST_PERCENT} to {MOST_PERCENT} %")
    population = sorted(keys, key=str)
    if not population:
        raise ValueError("there is nothing to draw from")
    count = max(1, math.ceil(len(population) * percent / 100))
    # Random.sample depends on the version of Python; an order by hash does not.
    order = sorted(population, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())
    return order[:count]


def _number(value: Any) -> Decimal | None:
    try:
        return None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None


def _plain(value: Any) -> Any:
    number = _number(value)
    if number is not None:
        return number
    return value.strip().casefold() if isinstance(value, str) else "" if value is None else value
