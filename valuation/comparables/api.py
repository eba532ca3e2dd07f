"""The grid of comparable sales over HTTP, reconciled to the value of record."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from assessment.region.requests import town_of
from assessment.region.rules import Permission
from valuation.comparables.selectors import get_grid
from valuation.comparables.sheet import COMPONENTS, Grid

router = Router(tags=["valuation"])


class ReconciliationLineOut(Schema):
    """One line from the approaches to the value of record; whole dollars."""

    words: str
    estimate: int | None
    weight_percent: float | None
    dollars: int


class ComparableSaleOut(Schema):
    """A comparable sale; the adjustments in dollars sum to the net one."""

    property_id: UUID
    address: str
    price: int
    sold_on: dt.date
    adjustments: dict[str, int]
    net: int
    adjusted: int
    weight_percent: int


class ComparableGridOut(Schema):
    """A property beside its comparables: which value they support, and how that leads to the value of record."""

    address: str
    list_year: int
    made_by: str
    supports: str
    supported_value: int
    indicated: int
    sales: list[ComparableSaleOut]
    reconciliation: list[ReconciliationLineOut]
    value_of_record: int | None
    is_posted: bool


@router.get(
    "/comparables/{uuid:property_id}",
    response=ComparableGridOut,
    operation_id="get_comparables",
    summary="Get Comparables",
)
def get_comparables(request: HttpRequest, property_id: UUID) -> dict[str, Any]:
    """Return the newest grid of a property; 404 when no run has chosen comparables for it."""
    _, here = town_of(request, permission=Permission.VIEW)
    return _plain(get_grid(here.code, property_id))


def _plain(grid: Grid) -> dict[str, Any]:
    told = grid.reconciliation
    return {
        "address": grid.address,
        "list_year": grid.year,
        "made_by": grid.made_by,
        "supports": "cost",
        "supported_value": grid.value,
        "indicated": grid.indicated,
        "sales": [
            {
                "property_id": sale.property_id,
                "address": sale.address,
                "price": sale.price,
                "sold_on": sale.sold_on,
                "adjustments": dict(zip(COMPONENTS, sale.adjustments, strict=True)),
                "net": sale.net,
                "adjusted": sale.adjusted,
                "weight_percent": sale.weight,
            }
            for sale in grid.sales
        ],
        "reconciliation": [
            {
                "words": line.words,
                "estimate": line.estimate,
                "weight_percent": line.weight_percent,
                "dollars": line.dollars,
            }
            for line in (told.lines if told else ())
        ],
        "value_of_record": told.value if told else None,
        "is_posted": grid.is_posted,
    }
