"""The record card of one property: on screen, on paper, and its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from assessment.office import registries
from assessment.office.history import list_told_history
from assessment.office.pages.base import crumbs, town_page
from assessment.office.record import CardRecord, read_card
from assessment.office.registries import PageScope, Panel
from assessment.office.tags import day, number, plain
from assessment.property.selectors import get_property
from assessment.region.errors import NotFound

ASSESSMENT_DAYS_OFFERED = 6


@dataclass(frozen=True)
class ShownPanel:
    """A panel with the values of one property."""

    id: str
    anchor: str
    title: str
    template: str
    wide: bool
    values: Mapping[str, Any]


@town_page("view")
def card(request: HttpRequest, scope: PageScope, property_id: UUID) -> HttpResponse:
    """Show everything known of the property, now or as of a day."""
    try:
        record = read_card(property_id, scope)
    except NotFound:
        if scope.as_of is None:
            raise
        messages.warning(
            request, f"The property was not on record on {day(scope.as_of)}: it is shown as it is now."
        )
        return redirect("property", town=scope.town.slug, property_id=property_id)
    values = _values(record, scope, list(registries.panels))
    trail = (("Properties", _url("property-search", scope)), values["heading"])
    return render(request, "office/card.html", values | {"crumbs": crumbs(scope, *trail)})


@town_page("view")
def print_card(request: HttpRequest, scope: PageScope, property_id: UUID) -> HttpResponse:
    """Show the card as it is printed at the counter."""
    record = read_card(property_id, scope)
    values = _values(record, scope, [panel for panel in registries.panels if panel.printed])
    return render(request, "office/card/print.html", values | {"printed_at": timezone.now()})


@town_page("view")
def history(request: HttpRequest, scope: PageScope, property_id: UUID) -> HttpResponse:
    """Show the journal of the property, page by page."""
    account = get_property(property_id)
    if account.town_id != scope.town.code:
        raise NotFound
    text = request.GET.get("before", "")
    entries, more = list_told_history(property_id, scope, before=int(text) if text.isdecimal() else None)
    heading = _heading(account.address, account.account_number)
    trail = (
        ("Properties", _url("property-search", scope)),
        (heading, _url("property", scope, property_id=property_id)),
        "History",
    )
    values = {
        "nav": "properties",
        "heading": heading,
        "entries": entries,
        "more_url": f"?before={more}" if more else "",
        "crumbs": crumbs(scope, *trail),
    }
    return render(request, "office/history.html", values)


def _values(record: CardRecord, scope: PageScope, panels: list[Panel]) -> dict[str, Any]:
    property_id = record.property["id"]
    shown = []
    for panel in panels:
        values = panel.context(property_id, scope) if scope.may(panel.permission) else None
        if values is not None:
            anchor = panel.id.replace(".", "-")
            shown.append(ShownPanel(panel.id, anchor, panel.title, panel.template, panel.wide, values))
    return {
        "nav": "properties",
        "page_scope": scope,
        "record": record,
        "heading": _heading(record.property["address"], record.property["account_number"]),
        "identifiers": _identifiers(record),
        "headline": _headline(record),
        "panels": shown,
        "as_of": scope.as_of,
        "assessment_days": list_assessment_days(timezone.localdate()),
        "card_url": _url("property", scope, property_id=property_id),
        "print_url": _url("property-print", scope, property_id=property_id)
        + (f"?as_of={scope.as_of.isoformat()}" if scope.as_of else ""),
    }


def list_assessment_days(today: dt.date) -> list[dt.date]:
    """Return the last assessment days (CGS 12-62a: 1 October), latest first."""
    latest = today.year if today >= dt.date(today.year, 10, 1) else today.year - 1
    return [dt.date(latest - back, 10, 1) for back in range(ASSESSMENT_DAYS_OFFERED)]


def _heading(address: str, account_number: str) -> str:
    return address or f"Account {account_number}"


def _identifiers(record: CardRecord) -> list[tuple[str, str]]:
    names = {"mbl": "Map-block-lot", "pid": "PID", "link": "Link", "gis": "Parcel"}
    current = [
        alias for alias in record.card.aliases if alias["id_type"] in names and alias["valid_to"] is None
    ]
    account = ("Account", str(record.property["account_number"]))
    return [account, *((names[alias["id_type"]], str(alias["value"])) for alias in current)]


def _headline(record: CardRecord) -> list[tuple[str, str]]:
    account = record.property
    use = record.label("use", account["use_code"]) or account["use_description"] or account["use_code"]
    facts = [
        ("Use", use),
        ("State class", account["state_class"]),
        ("Exempt", account["exempt_code"]),
        ("Acres", number(account["total_acres"], 2) if account["total_acres"] is not None else ""),
        ("Neighborhood", account["neighbourhood"]),
        ("Zone", account["zoning"]),
        (
            "Last full inspection",
            day(account["last_full_inspection_on"]) if account["last_full_inspection_on"] else "",
        ),
    ]
    return [(label, plain(value)) for label, value in facts if value not in (None, "")]


def _url(name: str, scope: PageScope, **kwargs: Any) -> str:
    return reverse(name, kwargs={"town": scope.town.slug, **kwargs})
