"""A town's figures of the income approach as a page: in force, as the newest run used them, and before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from valuation.income.errors import IncomeRefused
from valuation.income.forms import COLUMNS, GROUP_NAMES, WEIGHT, RatesForm, initial_of
from valuation.income.models import IncomeRates
from valuation.income.rules import Rates, default_rates, loaded_rate
from valuation.income.selectors import (
    default_weights,
    find_income_rates,
    find_used_figures,
    list_income_rates,
    town_rates_of,
)
from valuation.income.services import set_income_rates

_NONE = "\N{EN DASH}"


@dataclass(frozen=True)
class Cell:
    """A figure as it is printed, and whose it is."""

    text: str
    origin: str = ""


@dataclass(frozen=True)
class Line:
    """One group's figures, in the order of the columns, and its loaded rate."""

    name: str
    cells: list[Cell]
    loaded_percent: float | None


@dataclass(frozen=True)
class Before:
    """What was set once: the row, and its figures in words."""

    row: IncomeRates
    in_force: bool
    words: list[str]


@town_page("view", methods=("GET", "POST"))
def income_rates(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Show a town's income figures of a list year; who may edit models sets new ones."""
    here = reverse("income-rates", kwargs={"town": scope.town.slug})
    form, year = None, _year(request)
    if request.method == "POST":
        scope.require("edit_models")
        form = RatesForm(request.POST)
        if form.is_valid():
            try:
                kept = set_income_rates(scope.town, actor=scope.actor, **form.figures())
            except IncomeRefused as error:
                form.add_error(None, error.detail)
            else:
                messages.success(
                    request,
                    f"The figures for the list of {kept.list_year} are kept. The next run values by them.",
                )
                return redirect(f"{here}?year={kept.list_year}")
    row = find_income_rates(scope.town.code, year)
    used = find_used_figures(scope.town.code, year)
    may_edit = scope.may("edit_models")
    shown = (form or RatesForm(initial=initial_of(row, year))) if may_edit else None
    values = {
        "nav": "ratio-studies",
        "year": year,
        "row": row,
        "columns": [column.title for column in COLUMNS.values()],
        "lines": _in_force(row),
        "used": used,
        "used_lines": _used(used.told) if used else [],
        "history": [
            Before(each, row is not None and each.pk == row.pk, _words(each))
            for each in list_income_rates(scope.town.code)
        ],
        "form": shown,
        "lead": [shown[name] for name in ("list_year", "mill_rate", "source")] if shown else [],
        "here": here,
        "crumbs": crumbs(
            scope,
            ("Ratio studies", reverse("ratio-studies", kwargs={"town": scope.town.slug})),
            "Income rates",
        ),
    }
    return render(request, "valuation/income_rates.html", values, status=422 if form and form.errors else 200)


def _year(request: HttpRequest) -> int:
    text = request.GET.get("year", "")
    given = int(text) if text.isdecimal() and len(text) == 4 else 0
    return given if 1990 <= given <= 2100 else timezone.localdate().year


def _text(name: str, value: float | None) -> str:
    if value is None:
        return _NONE
    unit, plain = COLUMNS[name].unit, f"{float(value):,.4f}".rstrip("0").rstrip(".")
    if unit == "$":
        return f"${float(value):,.2f}"
    return f"{plain}{unit}"


def _lines(
    rates: Mapping[str, Rates], weights: Mapping[str, float], mill_rate: float | None, origin: Any
) -> list[Line]:
    found = []
    for group in default_rates():
        figures = {name: getattr(rates[group], name) for name in COLUMNS if name != WEIGHT}
        figures[WEIGHT] = weights.get(group, 0.0)
        if group != "multi":
            figures["gross_rent_multiplier"] = None
        cells = [
            Cell(_text(name, value), origin(group, name) if value is not None else "")
            for name, value in figures.items()
        ]
        loaded = 100 * loaded_rate(rates[group].rate_percent, mill_rate) if mill_rate else None
        found.append(Line(GROUP_NAMES[group], cells, loaded))
    return found


def _in_force(row: IncomeRates | None) -> list[Line]:
    """Return the town's figures, with the product's placeholders marked."""
    if row is None:
        return _lines(default_rates(), default_weights(), None, lambda _group, _name: "placeholder")
    town = town_rates_of(row)

    def origin(group: str, name: str) -> str:
        is_own = group in row.weights if name == WEIGHT else name in town.named.get(group, ())
        return "set by the town" if is_own else "placeholder"

    return _lines(town.rates, town.weights, town.mill_rate, origin)


def _used(told: Mapping[str, Any]) -> list[Line]:
    """Return the figures that a run kept, with how many returns or sales each was found from."""
    rates = {**default_rates(), **{group: Rates.from_json(row) for group, row in told["rates"].items()}}

    def origin(group: str, name: str) -> str:
        row = rates[group]
        if name == "rent_dollars" and row.returns:
            return f"{row.returns} returns"
        sales = {"rate_percent": row.rate_sales, "gross_rent_multiplier": row.multiplier_sales}.get(name)
        return f"{sales} sales" if sales else ""

    return _lines(rates, told["weights"], told["mill_rate"], origin)


def _words(row: IncomeRates) -> list[str]:
    """Return a line for each group of which something was set."""
    words = []
    for group, name_of_group in GROUP_NAMES.items():
        figures = {**row.rates.get(group, {})}
        if group in row.weights:
            figures[WEIGHT] = row.weights[group]
        told = [
            f"{column.title.split(',')[0].lower()} {_text(name, figures[name])}"
            for name, column in COLUMNS.items()
            if figures.get(name) is not None
        ]
        if told:
            words.append(f"{name_of_group}: {', '.join(told)}")
    return words
