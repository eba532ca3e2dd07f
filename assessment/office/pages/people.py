"""Who works for the town, in which role and with which certificate."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from assessment.region.rules import ROLE_PERMISSIONS, Role
from assessment.region.selectors import list_people


@town_page("view")
def people(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the people with a role in the town today, and what each role may do."""
    today = timezone.localdate()
    rows = [
        {
            "name": person.name,
            "email": person.email,
            "roles": [
                (assignment.role, assignment.valid_from, assignment.valid_to) for assignment in assignments
            ],
            "certificate": " ".join(
                part for part in (person.certificate_level, person.certificate_number) if part
            ),
            "expires_on": person.certificate_expires_on,
            "is_expired": person.certificate_expires_on is not None and person.certificate_expires_on < today,
            "last_seen": person.last_login,
        }
        for person, assignments in list_people(scope.town.code, on=today)
    ]
    roles = [(role.value, sorted(each.value for each in ROLE_PERMISSIONS[role])) for role in Role]
    values = {"nav": "people", "people": rows, "roles": roles, "crumbs": crumbs(scope, "People")}
    return render(request, "office/people.html", values)
