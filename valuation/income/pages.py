"""Owners' returns of income and expenses as a page; confidential, so behind a permission of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from assessment.property.selectors import get_property
from assessment.region.errors import NotFound
from valuation.income.errors import IncomeRefused
from valuation.income.rules import loaded_rate
from valuation.income.selectors import find_town_rates, list_returns
from valuation.income.services import AMOUNTS, record_return, statement_of
from valuation.runs.rules.groups import use_group

LABELS = {
    "gross_rent": "Gross rent at full occupancy",
    "other_income": "Other income",
    "vacancy_loss": "Vacancy and collection loss",
    "expenses": "Operating expenses, without property tax and interest",
    "reserves": "Reserves",
}


@town_page("view_confidential", methods=("GET", "POST"))
def income_returns(request: HttpRequest, scope: PageScope, property_id: UUID) -> HttpResponse:
    """Show a property's returns, and take in another one."""
    subject = get_property(property_id)
    if subject.town_id != scope.town.code:
        raise NotFound
    here = reverse("income-returns", kwargs={"town": scope.town.slug, "property_id": property_id})
    if request.method == "POST":
        try:
            numbers = {name: _whole(request, name) for name in ("income_year", "area_sqft", *AMOUNTS)}
            record_return(
                subject,
                actor=scope.actor,
                received_on=_day(request.POST.get("received_on", "")),
                note=request.POST.get("note", "")[:400],
                **numbers,
            )
        except IncomeRefused as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, "The return is kept. It is confidential (CGS 12-63c).")
        return redirect(here)
    card = reverse("property", kwargs={"town": scope.town.slug, "property_id": property_id})
    today = timezone.localdate()
    rates = find_town_rates(scope.town.code, today.year)
    group = use_group(subject.state_class, subject.use_description or "", in_complex=False, has_building=True)
    known = rates.rates.get(group) if rates else None
    rate = loaded_rate(known.rate_percent, rates.mill_rate) if rates and known else None
    returns = [
        (row, statement_of(row, group).net_operating_income)
        for row in list_returns(property_id, scope.town.code, actor=scope.actor)
    ]
    values = {
        "subject": subject,
        "returns": [(row, net, round(max(net, 0.0) / rate) if rate else None) for row, net in returns],
        "rates": rates,
        "rate_percent": 100 * rate if rate else None,
        "fields": [(name, LABELS[name]) for name in AMOUNTS],
        "may_edit": scope.may("edit_record"),
        "today": today,
        "card_url": card,
        "here": here,
        "crumbs": crumbs(scope, (subject.address or "Card", card), "Income and expenses"),
    }
    return render(request, "valuation/income_returns.html", values)


def _whole(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "").replace(",", "").replace("$", "").strip()
    if not text and name in AMOUNTS[1:]:
        return 0
    if not text.isdecimal() or len(text) > 12:
        raise IncomeRefused(f"{name.replace('_', ' ').capitalize()} is a whole number.")
    return int(text)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise IncomeRefused("Received on is a day such as 2026-06-01.") from error


def income_panel(property_id: UUID, page_scope: PageScope) -> Mapping[str, Any] | None:
    """Return how many returns there are, for who may see confidential things; None without any."""
    returns = list_returns(property_id, page_scope.town.code, actor=page_scope.actor)
    if not returns:
        return None
    return {
        "count": len(returns),
        "newest": returns[0].income_year,
        "url": reverse("income-returns", kwargs={"town": page_scope.town.slug, "property_id": property_id}),
    }
