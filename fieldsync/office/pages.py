"""The field as the office sees it: tablets, work packages, disagreements, what waits in quarantine."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope
from assessment.region.models import Person
from assessment.region.selectors import list_people
from fieldsync.office.device_view import list_rows
from fieldsync.office.frame import field_page


@town_page("view")
def device_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's tablets and how each is doing."""
    values = {
        "tab": "devices",
        "lines": list_rows(scope.town.code, now=timezone.now()),
        "may_manage": scope.may("manage_devices"),
        "people": _people(scope) if scope.may("manage_devices") else [],
    }
    return field_page(request, scope, "devices.html", "Tablets", values)


def _people(scope: PageScope) -> list[Person]:
    return [person for person, _ in list_people(scope.town.code, on=timezone.localdate())]
