"""The map on the pages of packages: its tiles, how many properties a selection has, and the order of a day."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.urls import reverse

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope
from assessment.property.models import Property
from assessment.region.errors import Problem
from fieldsync.packages import choosing, selectors
from fieldsync.packages.areas import in_degrees, middles_of
from fieldsync.packages.forms import DrawForm
from gis.fabric.selectors import find_current_fabric
from gis.tiles.selectors import find_archive

# More stops than a person reads on a map are not sent to it.
MOST_STOPS = 5_000


def tiles_address(scope: PageScope) -> str | None:
    """Return the address of the tiles of the fabric in force, or None while there are none."""
    fabric = find_current_fabric(scope.town.code)
    if fabric is None or find_archive(fabric.id) is None:
        return None
    return reverse("tiles", kwargs={"town": scope.town.slug, "version": fabric.id})


@town_page("manage_packages", methods=("POST",))
def package_count(request: HttpRequest, scope: PageScope) -> JsonResponse:
    """Say how many properties the form chooses as it stands, and on which parcels; it needs no title yet.

    What cannot be counted is told in ``problem``, with the words that drawing it would be refused with.
    """
    form = DrawForm({**request.POST.dict(), "title": "-"})
    if not form.is_valid():
        said = next(iter(form.errors.values()))[0]
        return JsonResponse({"problem": said, "fits": 0, "taken": 0, "parcels": []})
    selection = form.selection()
    if selection.is_empty:
        return JsonResponse({"problem": "", "fits": 0, "taken": 0, "parcels": []})
    try:
        tally = choosing.count_selection(scope.town.code, selection)
    except Problem as problem:
        return JsonResponse({"problem": problem.detail, "fits": 0, "taken": 0, "parcels": []})
    return JsonResponse(
        {"problem": "", "fits": tally.fits, "taken": tally.taken, "parcels": tally.parcel_keys}
    )


@town_page("view")
def package_stops(request: HttpRequest, scope: PageScope, package_id: UUID) -> JsonResponse:
    """Give the places of a package's properties in the order of the day, in degrees; null without a parcel."""
    package = selectors.get_package(package_id)
    records = selectors.list_records(package.id)[:MOST_STOPS]
    return JsonResponse({"stops": _stops(scope.town.code, records)})


def _stops(town_code: int, property_ids: Sequence[UUID]) -> list[dict[str, object]]:
    feet = middles_of(town_code, property_ids)
    degrees = dict(zip(feet, in_degrees(list(feet.values())), strict=True))
    addresses = dict(Property.objects.filter(id__in=property_ids).values_list("id", "address"))
    return [{"address": addresses.get(key, ""), "at": degrees.get(key)} for key in property_ids]
