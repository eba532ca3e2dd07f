"""Reading the comparables of a run."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from assessment.property.models import Property
from assessment.region.errors import NotFound
from valuation.comparables.models import ComparableSet
from valuation.comparables.sheet import COMPONENTS, Grid, Sale
from valuation.review.reconciling import find_reconciliation
from valuation.runs.models import Run


def find_comparables(property_id: UUID) -> ComparableSet | None:
    """Return the comparables of a property in its newest run that has any."""
    rows = ComparableSet.objects.filter(property_id=property_id).select_related("run__spec")
    return rows.order_by("-run__started_at", "-id").first()


def get_grid(town_code: int, property_id: UUID) -> Grid:
    """Return the grid of a property of a town, in a fixed number of queries.

    Raises
    ------
    NotFound
        The town has no such property, or no run chose comparables for it.
    """
    found = find_comparables(property_id)
    if found is None or found.town_id != town_code:
        raise NotFound("No run has chosen comparable sales for this property.")
    keys = [UUID(row[0]) for row in found.sales]
    addresses = dict(
        Property.objects.filter(town_id=town_code, pk__in=[property_id, *keys]).values_list("pk", "address")
    )
    facts = dict(
        ComparableSet.objects.filter(run=found.run, property_id__in=keys).values_list("property_id", "facts")
    )
    return Grid(
        address=addresses.get(property_id, ""),
        value=found.value,
        indicated=found.indicated,
        facts=found.facts,
        sales=[
            Sale(
                property_id=key,
                transfer_id=transfer,
                address=addresses.get(UUID(key), ""),
                facts=facts.get(UUID(key), {}),
                price=price,
                sold_on=dt.date.fromisoformat(day),
                then=then,
                dissimilarity=dissimilarity,
                weight=weight,
                adjustments=tuple(adjustments) + (0,) * (len(COMPONENTS) - len(adjustments)),
            )
            for key, transfer, price, day, then, dissimilarity, weight, adjustments in found.sales
        ],
        year=found.run.list_year,
        made_by=str(found.run.spec),
        reconciliation=find_reconciliation(found.run, property_id),
        is_posted=found.run.state == Run.State.POSTED,
    )
