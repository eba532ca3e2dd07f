"""The land in the office: parcel fabrics, what their import found, and where."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from assessment.office.pages.base import RowPage, crumbs, read_page_number, town_page
from assessment.office.registries import PageScope
from assessment.office.tags import words
from assessment.region.errors import NotFound
from gis.fabric.models import ParcelProperty, TopologyFinding
from gis.fabric.rules.kinds import FindingKind
from gis.fabric.selectors import get_fabric, list_fabrics

PAGE_SIZE = 50


@town_page("view")
def fabrics(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's fabric versions, newest first."""
    rows = [
        {
            "fabric": each,
            "url": reverse("fabric", kwargs={"town": scope.town.slug, "fabric_id": each.id}),
            "found": sum(number for number in each.findings.values() if isinstance(number, int)),
        }
        for each in list_fabrics(scope.town.code, limit=PAGE_SIZE)
    ]
    return render(
        request, "gis/fabrics.html", {"nav": "land", "rows": rows, "crumbs": crumbs(scope, "Parcels")}
    )


@town_page("view")
def fabric(request: HttpRequest, scope: PageScope, fabric_id: UUID) -> HttpResponse:
    """Show what the import of one fabric brought and found, finding by finding."""
    found = get_fabric(fabric_id)
    if found.town_id != scope.town.code:
        raise NotFound
    kind = request.GET.get("kind", "")
    number = read_page_number(request)
    findings = TopologyFinding.objects.filter(fabric=found)
    if kind in set(FindingKind):
        findings = findings.filter(kind=kind)
    start = (number - 1) * PAGE_SIZE
    rows = list(findings.order_by("kind", "-area_sqft", "id")[start : start + PAGE_SIZE + 1])
    keys = {key for row in rows for key in row.parcel_keys}
    links = ParcelProperty.objects.filter(parcel__fabric=found, parcel__parcel_key__in=keys)
    properties = dict(links.order_by("property_id").values_list("parcel__parcel_key", "property_id"))
    title = f"Fabric {found.number}"
    values = {
        "nav": "land",
        "fabric": found,
        "found": [(each.value, words(each.value), found.findings.get(each.value, 0)) for each in FindingKind],
        "changes": [(words(name), value) for name, value in found.changes.items()],
        "kind": kind,
        "page": RowPage(rows[:PAGE_SIZE], number, has_next=len(rows) > PAGE_SIZE, size=PAGE_SIZE),
        "properties": properties,
        "crumbs": crumbs(scope, ("Parcels", reverse("fabrics", kwargs={"town": scope.town.slug})), title),
    }
    return render(request, "gis/fabric.html", values)
