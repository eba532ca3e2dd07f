"""Comparable sales as a page that prints, a PDF and a panel of the card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from valuation.comparables.selectors import find_comparables, get_grid


@town_page("view")
def comparables(request: HttpRequest, scope: PageScope, property_id: UUID) -> HttpResponse:
    """Show the grid: facts, adjustments in dollars, adjusted prices, and what they indicate."""
    grid = get_grid(scope.town.code, property_id)
    card = reverse("property", kwargs={"town": scope.town.slug, "property_id": property_id})
    values = {
        "grid": grid,
        "card_url": card,
        "pdf_url": reverse("comparables-pdf", kwargs={"town": scope.town.slug, "property_id": property_id}),
        "crumbs": crumbs(scope, (grid.address or "Card", card), "Comparable sales"),
    }
    return render(request, "valuation/comparables.html", values)


@town_page("view")
def comparables_pdf(request: HttpRequest, scope: PageScope, property_id: UUID) -> HttpResponse:
    """Give the grid on paper."""
    from valuation.comparables.paper import grid_pdf

    del request
    grid = get_grid(scope.town.code, property_id)
    answer = HttpResponse(grid_pdf(grid, town=scope.town.name), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="comparables-{property_id}.pdf"'
    return answer


def comparables_panel(property_id: UUID, page_scope: PageScope) -> Mapping[str, Any] | None:
    """Return the newest comparables of a property in short, with a link to the grid."""
    found = find_comparables(property_id)
    if found is None:
        return None
    return {
        "value": found.value,
        "indicated": found.indicated,
        "gap_percent": 100 * (found.value / found.indicated - 1) if found.indicated else None,
        "sales": [
            {
                "price": row[2],
                "sold_on": row[3],
                "net": sum(row[7]),
                "adjusted": row[2] + sum(row[7]),
                "weight": row[6],
            }
            for row in found.sales
        ],
        "url": reverse("comparables", kwargs={"town": page_scope.town.slug, "property_id": property_id}),
    }
