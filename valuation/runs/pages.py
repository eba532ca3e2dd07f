"""Ratio studies and runs as pages, and the values of one property as a panel of its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from assessment.jobs.services import start_job
from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from assessment.region.errors import Problem
from assessment.roll.parameters import abstract_codes
from assessment.roll.rules.codes import UnknownCodeError
from valuation.runs.facts import parse_wanted
from valuation.runs.flags import FLAGS
from valuation.runs.models import Conclusion, Estimate, RatioStudyRecord, Run
from valuation.runs.rules.basis import basis_in_words
from valuation.runs.selectors import estimates_of, get_town_run, list_ratio_studies, list_runs

SUBJECTS = {
    "cost": "Cost approach",
    "market": "Market model (check)",
    "cards": "Values on the cards",
    "value_per_area": "Baseline: price per square foot",
    "fixed_value": "Baseline: one value for all",
}


@dataclass(frozen=True)
class StudyRow:
    """One line of a table of ratio studies, ready to print."""

    title: str
    sales: str
    n: int
    median: str
    cod: str
    cod_span: str
    prd: str
    prd_span: str
    prb: str
    prb_span: str


def _row(record: RatioStudyRecord) -> StudyRow:
    def shown(name: str, places: int) -> tuple[str, str]:
        figure: Mapping[str, Any] = record.figures.get(name) or {}
        value, low, high = figure.get("value"), figure.get("low"), figure.get("high")
        text = "\N{EN DASH}" if value is None else f"{value:.{places}f}"
        span = "" if low is None or high is None else f"{low:.{places}f} to {high:.{places}f}"
        return text, span

    (median, _), (cod, cod_span) = shown("median", 3), shown("cod", 1)
    (prd, prd_span), (prb, prb_span) = shown("prd", 3), shown("prb", 3)
    title = SUBJECTS.get(record.subject, record.subject)
    if record.stratum_kind in ("group", "neighbourhood"):
        title = record.stratum.replace("_", " ")
    sales = record.stratum if record.stratum_kind == "market_subset" else "all"
    if record.trim_rule != "none":
        sales = f"{sales}, {record.trimmed} extreme ratios trimmed"
    return StudyRow(title, sales, record.n, median, cod, cod_span, prd, prd_span, prb, prb_span)


def _tables(run: Run) -> list[tuple[str, list[StudyRow]]]:
    records = list_ratio_studies(run)
    wanted = (
        ("All sales", ("all", "market_subset")),
        ("Cost approach by kind of property", ("group",)),
        ("Cost approach by neighbourhood", ("neighbourhood",)),
    )
    tables = [
        (title, [_row(each) for each in records if each.stratum_kind in kinds]) for title, kinds in wanted
    ]
    return [(title, rows) for title, rows in tables if rows]


@town_page("view")
def ratio_studies(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Show the town's runs, and how the newest one stands against later sales."""
    runs = list_runs(scope.town.code)
    newest = next((run for run in runs if run.state in (Run.State.DONE, Run.State.POSTED)), None)
    values = {
        "nav": "ratio-studies",
        "runs": runs,
        "newest": newest,
        "tables": _tables(newest)[:1] if newest else [],
        "may_run": scope.may("run_valuation"),
        "year": timezone.localdate().year,
        "crumbs": crumbs(scope, "Ratio studies"),
    }
    return render(request, "valuation/ratio_studies.html", values)


@town_page("view")
def valuation_run(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Show one run: facts and code by hash, local factors with their evidence, studies by stratum."""
    run = get_town_run(valuation_run_id, scope.town.code)
    trail = ("Ratio studies", reverse("ratio-studies", kwargs={"town": scope.town.slug}))
    values = {
        "nav": "ratio-studies",
        "run": run,
        "facts": basis_in_words(run.counts.get("facts")),
        "tables": _tables(run),
        "factors": run.tables.get("local", {}).get("evidence", []),
        "flags": [(FLAGS.get(name, name), count) for name, count in run.counts.get("flags", {}).items()],
        "seconds": sum(stage["seconds"] for stage in run.stages),
        "crumbs": crumbs(scope, trail, str(run)),
    }
    return render(request, "valuation/run.html", values)


@town_page("run_valuation", methods=("POST",))
def start(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Start a run as a job."""
    text = request.POST.get("year", "")
    if not (text.isdecimal() and 1990 <= int(text) <= 2100):
        messages.error(request, "Give the list year as four digits.")
        return redirect("ratio-studies", town=scope.town.slug)
    facts = request.POST.get("facts", "")
    try:
        parse_wanted(facts)
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("ratio-studies", town=scope.town.slug)
    payload = {"year": int(text), **({"facts": facts} if facts else {})}
    key = f"{text} {facts}".strip()
    start_job("valuation_run", actor=scope.actor, town=scope.town, payload=payload, key=key)
    messages.success(request, f"The valuation of {text} is queued; its progress is on the jobs page.")
    return redirect("job-list", town=scope.town.slug)


def estimates_panel(property_id: UUID, page_scope: PageScope) -> Mapping[str, Any] | None:
    """Return the newest conclusion on a property with its approaches, parts and explanation."""
    from valuation.review.reconciling import reconciliation_of  # here: the review's pages stand on these

    del page_scope
    conclusion, estimates = estimates_of(property_id)
    if conclusion is None:
        return None
    return {
        "conclusion": conclusion,
        "run": conclusion.run,
        "facts": basis_in_words(conclusion.run.counts.get("facts")),
        "estimates": estimates,
        "explanation": _explained(conclusion, estimates),
        "told": reconciliation_of(conclusion, {each.approach: each.value for each in estimates}),
        "lines": [
            (code, label_of(code), dollars, quantity, unit)
            for code, dollars, quantity, unit in conclusion.components
        ],
        "flags": [FLAGS.get(name, name) for name in conclusion.flags],
    }


def _explained(conclusion: Conclusion, estimates: list[Estimate]) -> list[tuple[str, int]]:
    """Return the cost approach's steps, and what the conclusion adds to them, so that all sum to the value."""
    steps: list[tuple[str, int]] = next(
        (each.explanation for each in estimates if each.approach == "cost"), []
    )
    told = [(words, dollars) for words, dollars in steps]
    rest = conclusion.value - sum(dollars for _, dollars in told)
    if told and rest:
        told.append((conclusion.reason or "Concluded by a reviewer", rest))
    return told


def label_of(code: str) -> str:
    try:
        return abstract_codes().detail("real", code).label
    except UnknownCodeError:
        return ""
