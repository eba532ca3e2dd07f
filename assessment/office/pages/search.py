"""Finding properties: a list page that works without script, and suggestions as one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from assessment.office import registries
from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope, SearchHit
from assessment.property.models import Property, PropertyAlias
from assessment.property.search import list_owner_names
from assessment.property.selectors import list_properties, search_properties

SUGGESTED = 10
PAGE_SIZE = 50
MOST_FOUND = 100


@dataclass(frozen=True)
class PropertyRow:
    """One line of the list of properties."""

    url: str
    address: str
    mbl: str
    account: str
    owner: str
    use: str
    acres: Decimal | None
    matched: str = ""


@town_page("view")
def search(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the properties that fit ``?q=``, best first; all of the town's by account when nothing is asked."""
    text = request.GET.get("q", "").strip()[:80]
    towns = [scope.town.code]
    if text:
        found = search_properties(text, actor=scope.actor, towns=towns, limit=MOST_FOUND)
        ids, matched = (
            [each.property_id for each in found],
            {each.property_id: each.matched for each in found},
        )
        older = ""
    else:
        after = request.GET.get("after", "")[:40]
        listed = list_properties(towns=towns, after=after, limit=PAGE_SIZE + 1)
        ids, matched = [each.id for each in listed[:PAGE_SIZE]], {}
        older = listed[PAGE_SIZE - 1].account_number if len(listed) > PAGE_SIZE else ""
    values = {
        "nav": "properties",
        "search_text": text,
        "rows": list_rows(ids, scope, matched),
        "is_capped": len(ids) >= MOST_FOUND,
        "after": older,
        "crumbs": crumbs(scope, "Properties"),
    }
    return render(request, "office/search.html", values)


def list_rows(ids: Sequence[UUID], scope: PageScope, matched: Mapping[UUID, str]) -> list[PropertyRow]:
    """Return the lines of these properties in the order given; three queries, however many."""
    found = {row.id: row for row in Property.objects.filter(town_id=scope.town.code, id__in=ids)}
    owners = list_owner_names(ids, open_towns=[scope.town.code] if scope.may("view_confidential") else [])
    parcels = dict(
        PropertyAlias.objects.filter(
            town_id=scope.town.code, property_id__in=ids, id_type="mbl", valid_to=None
        ).values_list("property_id", "value")
    )
    return [
        PropertyRow(
            url=reverse("property", kwargs={"town": scope.town.slug, "property_id": row.id}),
            address=row.address,
            mbl=parcels.get(row.id, ""),
            account=row.account_number,
            owner=owners.get(row.id, ""),
            use=row.use_description or row.use_code,
            acres=row.total_acres,
            matched=matched.get(row.id, ""),
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
    found = search_properties(text, actor=scope.actor, towns=[scope.town.code], limit=limit)
    return [
        SearchHit(
            reverse("property", kwargs={"town": scope.town.slug, "property_id": each.property_id}),
            each.address or f"Account {each.account_number}",
            each.owner if each.matched == "owner" else each.account_number,
            each.matched,
        )
        for each in found
    ]
