"""What the field's pages have in common: the frame, paging, the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from assessment.office import registries
from assessment.office.pages.base import RowPage, crumbs, read_page_number
from assessment.office.registries import PageScope
from assessment.region.errors import Invalid

PAGE_SIZE = 50


def paged(request: HttpRequest, rows: QuerySet[Any]) -> RowPage:
    """Return the page of rows that the address asks for."""
    number = read_page_number(request)
    some = list(rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE + 1])
    return RowPage(some[:PAGE_SIZE], number, has_next=len(some) > PAGE_SIZE, size=PAGE_SIZE)


def field_page(
    request: HttpRequest,
    scope: PageScope,
    template: str,
    title: str,
    values: Mapping[str, Any],
    *,
    below: tuple[str, str] | None = None,
) -> HttpResponse:
    """Render a page in the field's frame; ``below`` is the title and the route of the list it belongs to."""
    trail = [("Field", field_url(scope, "field-packages"))]
    if below is not None:
        trail.append((below[0], field_url(scope, below[1])))
    may_check = scope.may("manage_packages")
    shown = {"nav": "field", "crumbs": crumbs(scope, *trail, title), "may_check": may_check, **values}
    return render(request, f"fieldsync/{template}", shown)


def field_url(scope: PageScope, name: str, **parts: Any) -> str:
    """Return the address of one of the field's pages."""
    return reverse(name, kwargs={"town": scope.town.slug, **parts})


def back(request: HttpRequest, scope: PageScope, name: str) -> HttpResponse:
    """Go back to a list, narrowed as it was."""
    query = request.GET.urlencode()
    url = field_url(scope, name)
    return redirect(f"{url}?{query}" if query else url)


def read_ids(request: HttpRequest, name: str) -> list[UUID]:
    """Return the ids that were marked; raise `Invalid` for anything else."""
    try:
        return [UUID(each) for each in request.POST.getlist(name)]
    except ValueError as error:
        raise Invalid("A marked line is not one of the list.") from error


def read_choice(choices: Any, value: str | None) -> Any:
    """Return a member of ``choices``; raise `Invalid` for anything else."""
    try:
        return choices(value)
    except ValueError as error:
        raise Invalid("This is not one of the choices.") from error


@dataclass(frozen=True, slots=True)
class CardPanel:
    """A panel of the record card on a page of the field."""

    title: str
    template: str
    values: Mapping[str, Any]


def card_panels(property_id: UUID, scope: PageScope, *ids: str) -> list[CardPanel]:
    """Return panels of the record card, those of ``ids`` that are installed and have something to show."""
    shown: list[CardPanel] = []
    for panel in registries.panels:
        if panel.id in ids and scope.may(panel.permission):
            values = panel.context(property_id, scope)
            if values is not None:
                shown.append(CardPanel(panel.title, panel.template, values))
    return shown
