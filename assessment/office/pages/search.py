"""Finding properties: a list page that works without script, and suggestions as one types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from assessment.office import registries
from assessment.office.pages.base import RowPage, crumbs, read_page_number, town_page
from assessment.office.registries import PageScope, SearchHit
from assessment.property.models import Ownership, Property, PropertyAlias

SUGGESTED = 10
PAGE_SIZE = 50


@dataclass(frozen=True)
class PropertyRow:
    """One line of the list of properties."""

    url: str
    address: str
    mbl: str | None
    account: str
    owner: str | None
    use: str
    acres: Decimal | None


@town_page("view")
def search(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the properties that match ``?q=``, all of the town's when nothing is asked."""
    text = request.GET.get("q", "").strip()[:100]
    number = read_page_number(request)
    query = Property.objects.filter(town_id=scope.town.code, is_retired=False)
    if text:
        query = query.filter(Q(address__icontains=text) | Q(account_number=text))
    start = (number - 1) * PAGE_SIZE
    ids = list(
        query.order_by("street_name", "address_number", "id").values_list("id", flat=True)[
            start : start + PAGE_SIZE + 1
        ]
    )
    page = RowPage(list_rows(ids[:PAGE_SIZE], scope), number, has_next=len(ids) > PAGE_SIZE, size=PAGE_SIZE)
    values = {"nav": "properties", "search_text": text, "page": page, "crumbs": crumbs(scope, "Properties")}
    return render(request, "office/search.html", values)


def list_rows(ids: Sequence[UUID], scope: PageScope) -> list[PropertyRow]:
    """Return the lines of these properties in the order given; three queries, however many."""
    found = {row.id: row for row in Property.objects.filter(town_id=scope.town.code, id__in=ids)}
    owners = dict(
        Ownership.objects.filter(town_id=scope.town.code, property_id__in=ids, valid_to=None)
        .order_by("-valid_from")
        .values_list("property_id", "owner__name")
    )
    parcels = dict(
        PropertyAlias.objects.filter(
            town_id=scope.town.code, property_id__in=ids, id_type="mbl", valid_to=None
        ).values_list("property_id", "value")
    )
    return [
        PropertyRow(
            url=reverse("property", kwargs={"town": scope.town.slug, "property_id": row.id}),
            address=row.address,
            mbl=parcels.get(row.id),
            account=row.account_number,
            owner=owners.get(row.id),
            use=row.use_description or row.use_code,
            acres=row.total_acres,
        )
        for row in (found[each] for each in ids if each in found)
    ]


@town_page("view")
def suggest(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Answer the search box: a few hits as JSON."""
    text = request.GET.get("q", "").strip()[:100]
    hits: list[SearchHit] = []
    if len(text) >= 2:
        for provider in registries.search_providers.for_scope(scope):
            hits += provider.find(text, scope, SUGGESTED - len(hits))
            if len(hits) >= SUGGESTED:
                break
    answer = {"hits": [{"url": hit.url, "title": hit.title, "detail": hit.detail} for hit in hits]}
    response = JsonResponse(answer)
    response["Cache-Control"] = "private, max-age=30"
    return response


def find_properties(text: str, scope: PageScope, limit: int) -> list[SearchHit]:
    """Return the search box's hits among the properties."""
    rows = Property.objects.filter(town_id=scope.town.code, address__icontains=text)[:limit]
    return [
        SearchHit(
            reverse("property", kwargs={"town": scope.town.slug, "property_id": row.id}),
            row.address or f"Account {row.account_number}",
            row.account_number,
        )
        for row in rows
    ]
