"""The grid of one property's comparables as plain values: what page, paper and panel show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valuation.runs.rules.reconciling import Reconciliation

COMPONENTS = (
    "time",
    "land",
    "site",
    "neighbourhood",
    "style",
    "size",
    "grade",
    "fixtures",
    "age",
    "condition",
    "completion",
    "other_buildings",
    "outbuildings",
    "obsolescence",
)
"""What an adjustment is for, in the order of the grid; ``time`` is between the day of sale and the valuation date."""

LABELS = {
    "time": "Time of sale",
    "land": "Land area",
    "site": "Site",
    "neighbourhood": "Neighbourhood",
    "style": "Style",
    "size": "Living area",
    "grade": "Grade",
    "fixtures": "Baths and fixtures",
    "age": "Age",
    "condition": "Condition",
    "completion": "Percent complete",
    "other_buildings": "Other buildings",
    "outbuildings": "Outbuildings",
    "obsolescence": "Obsolescence",
}
FACTS = (
    ("neighbourhood", "Neighbourhood", ""),
    ("land_sqft", "Land", "sq ft"),
    ("style", "Style", ""),
    ("grade", "Grade", ""),
    ("condition", "Condition", ""),
    ("year_built", "Built (effective)", "year"),
    ("living_sqft", "Living area", "sq ft"),
    ("baths", "Baths", ""),
    ("bedrooms", "Bedrooms", ""),
)
"""Facts beside the adjustments: column of the frame, label, unit."""
_NOT_POSTED = "This run is not posted to the grand list yet."


@dataclass(frozen=True)
class Sale:
    """One comparable sale against the property.

    Attributes
    ----------
    then : int
        What the model says the sold property was worth on its day of sale; the adjustments sum to the
        subject's value less this.
    adjustments : tuple of int
        Dollars, one for each of `COMPONENTS`.
    """

    property_id: str
    transfer_id: str | None
    address: str
    facts: Mapping[str, Any]
    price: int
    sold_on: dt.date
    then: int
    dissimilarity: float
    weight: int
    adjustments: tuple[int, ...]

    @property
    def net(self) -> int:
        """Return the sum of the adjustments."""
        return sum(self.adjustments)

    @property
    def gross(self) -> int:
        """Return the sum of their sizes."""
        return sum(abs(dollars) for dollars in self.adjustments)

    @property
    def net_percent(self) -> float:
        """Return the net adjustment in percent of the price."""
        return 100 * self.net / self.price

    @property
    def gross_percent(self) -> float:
        """Return the gross adjustment in percent of the price."""
        return 100 * self.gross / self.price

    @property
    def adjusted(self) -> int:
        """Return the price as the property would have fetched it: price and net adjustment."""
        return self.price + self.net


@dataclass(frozen=True)
class Grid:
    """A property beside its comparables, best first."""

    address: str
    value: int
    indicated: int
    facts: Mapping[str, Any]
    sales: Sequence[Sale]
    year: int
    made_by: str
    reconciliation: Reconciliation | None = None
    is_posted: bool = False

    @property
    def supports(self) -> str:
        """Return which value the sales support, in words, and whether the list holds what the run concluded."""
        return self._supports() if self.is_posted else f"{self._supports()} {_NOT_POSTED}"

    def _supports(self) -> str:
        text = "These sales support the value by the cost approach: the adjustments are its own dollars."
        told = self.reconciliation
        if told is None or not told.weighs_others:
            return f"{text} It is the value of record." if told else text
        made = "is concluded from it" if told.rests_on_cost else "is not made from it"
        return f"{text} The value of record, ${told.value:,}, {made}, as the lines show."

    def fact_rows(self) -> list[tuple[str, list[str]]]:
        """Return label and text for the property and each sale; rows that nobody fills are left out."""
        rows = []
        for name, label, unit in FACTS:
            cells = [_shown(facts.get(name), unit) for facts in (self.facts, *(s.facts for s in self.sales))]
            if any(cells):
                rows.append((label, cells))
        return rows

    def adjustment_rows(self) -> list[tuple[str, list[int]]]:
        """Return label and dollars of each sale; components that adjust nothing are left out."""
        return [
            (LABELS[name], dollars)
            for at, name in enumerate(COMPONENTS)
            if any(dollars := [sale.adjustments[at] for sale in self.sales])
        ]


def _shown(fact: Any, unit: str) -> str:
    if fact is None or fact == "":
        return ""
    if not isinstance(fact, int | float):
        return str(fact)
    text = f"{fact:.0f}" if unit == "year" else f"{fact:,.1f}".removesuffix(".0")
    return f"{text} sq ft" if unit == "sq ft" else text
