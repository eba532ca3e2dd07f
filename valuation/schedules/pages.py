"""Cost tables as pages: read, edited or uploaded, with the effect shown before somebody accepts."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from assessment.jobs.rules import JobState
from assessment.office.pages.base import crumbs, town_page
from assessment.office.pages.jobs import view_of
from assessment.office.registries import PageScope
from assessment.region.errors import NotFound, Problem
from valuation.runs.models import Run
from valuation.schedules.counting import ask_for_effect, find_effect_job
from valuation.schedules.errors import TablesRefused
from valuation.schedules.models import TableChange
from valuation.schedules.rows import Row, as_csv, rows_of, title_of
from valuation.schedules.selectors import find_later_run, find_run_with_tables, get_change, list_changes
from valuation.schedules.services import decide_tables, propose_tables, read_tables

_MOST_BYTES, _MOST_ROWS = 5_000_000, 400


def _run(scope: PageScope) -> Run:
    run = find_run_with_tables(scope.town.code)
    if run is None or not run.tables.get("schedule"):
        raise NotFound("The town has no finished run whose tables could be shown.")
    return run


def _tables(run: Run) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {}
    for row in rows_of(run.tables["schedule"]):
        tables.setdefault(row[0], []).append(row)
    return tables


@town_page("view")
def cost_tables(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Show the tables of the town's newest run, and the changes proposed to them."""
    run = find_run_with_tables(scope.town.code)
    tables = _tables(run) if run and run.tables.get("schedule") else {}
    values = {
        "nav": "ratio-studies",
        "run": run,
        "tables": [(name, title_of(name), rows) for name, rows in tables.items()],
        "changes": list_changes(scope.town.code),
        "may_edit": scope.may("edit_models"),
        "crumbs": crumbs(scope, _studies(scope), "Cost tables"),
    }
    return render(request, "valuation/cost_tables.html", values)


@town_page("view")
def cost_tables_csv(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Give the tables as CSV, which can be edited and brought back."""
    del request
    run = find_run_with_tables(scope.town.code)
    tables = run.tables.get("schedule", {}) if run else {}
    answer = HttpResponse(as_csv(tables), content_type="text/csv; charset=utf-8")
    name = f"cost-tables-{scope.town.slug}-{run.list_year if run else 'none'}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@town_page("edit_models", methods=("GET", "POST"))
def edit_table(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Edit one table, or bring a file of tables; both end in a change that waits with its effect."""
    if request.method != "POST" and not request.GET.get("table"):
        return redirect("cost-tables", town=scope.town.slug)
    run = _run(scope)
    if request.method == "POST":
        try:
            change = _proposed(request, scope, run)
        except Problem as problem:
            messages.error(request, problem.detail)
            return redirect("cost-tables", town=scope.town.slug)
        _ask(request, scope, change)
        return redirect("table-change", town=scope.town.slug, table_change_id=change.pk)
    name = request.GET.get("table", "")
    rows = _tables(run).get(name)
    if rows is None:
        raise NotFound("There is no such table.")
    here = ("Cost tables", reverse("cost-tables", kwargs={"town": scope.town.slug}))
    values = {
        "nav": "ratio-studies",
        "run": run,
        "table": name,
        "title": title_of(name),
        "rows": rows,
        "crumbs": crumbs(scope, _studies(scope), here, title_of(name)),
    }
    return render(request, "valuation/cost_table_edit.html", values)


@town_page("view")
def table_change(request: HttpRequest, scope: PageScope, table_change_id: UUID) -> HttpResponse:
    """Show what a change of tables alters and what it would do to the values, or how far that is counted."""
    change = get_change(scope.town.code, table_change_id)
    waiting = change.state == TableChange.State.WAITING
    job = find_effect_job(change) if waiting else None
    counting = job is not None and job.is_open
    of = change.effect.get("of", {})
    here = ("Cost tables", reverse("cost-tables", kwargs={"town": scope.town.slug}))
    values = {
        "nav": "ratio-studies",
        "change": change,
        "effect": change.effect,
        "of": of,
        "counted_at": dt.datetime.fromisoformat(of["counted_at"]) if of else None,
        "later_run": find_later_run(change) if waiting else None,
        "counting": counting,
        "job": view_of(job, scope) if job is not None and job.state != JobState.SUCCEEDED else None,
        "may_decide": waiting and scope.may("edit_models"),
        "crumbs": crumbs(scope, _studies(scope), here, "A change"),
    }
    if request.headers.get("X-Requested-With") == "fetch":
        answer = render(request, "valuation/table_change_body.html", values)
        answer["Cache-Control"] = "no-store"
        if not counting:
            answer["X-Poll"] = "done"
        return answer
    return render(request, "valuation/table_change.html", values)


@town_page("edit_models", methods=("POST",))
def count_table_change(request: HttpRequest, scope: PageScope, table_change_id: UUID) -> HttpResponse:
    """Count the effect of a change again: after a failure, or at the facts and sales of today."""
    _ask(request, scope, get_change(scope.town.code, table_change_id))
    return redirect("table-change", town=scope.town.slug, table_change_id=table_change_id)


@town_page("edit_models", methods=("POST",))
def decide_table_change(request: HttpRequest, scope: PageScope, table_change_id: UUID) -> HttpResponse:
    """Accept a change as the next version of the town's model, or drop it."""
    change = get_change(scope.town.code, table_change_id)
    try:
        decided = decide_tables(change, actor=scope.actor, accept=request.POST.get("decision") == "accept")
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        text = (
            f"Kept as {decided.spec}; it binds nothing until the assessor adopts it."
            if decided.spec
            else "Dropped."
        )
        messages.success(request, text)
    return redirect("table-change", town=scope.town.slug, table_change_id=table_change_id)


def _ask(request: HttpRequest, scope: PageScope, change: TableChange) -> None:
    """Ask for the effect; a refusal is told, and the change stays as it is."""
    try:
        ask_for_effect(change, actor=scope.actor)
    except Problem as problem:
        messages.error(request, problem.detail)


def _proposed(request: HttpRequest, scope: PageScope, run: Run) -> TableChange:
    reason, upload = request.POST.get("reason", ""), request.FILES.get("file")
    if isinstance(upload, UploadedFile):
        if (upload.size or 0) > _MOST_BYTES:
            raise TablesRefused("The file is larger than 5 MB.")
        suffix = Path(upload.name or "").suffix.lower()
        if suffix not in (".csv", ".json", ".xlsx"):
            raise TablesRefused("A file of tables is CSV, JSON or XLSX.")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"tables{suffix}"
            path.write_bytes(upload.read())
            schedule = read_tables(path, run.tables["schedule"])
        return propose_tables(run, actor=scope.actor, reason=reason, schedule=schedule)
    table = request.POST.get("table", "")
    if table not in _tables(run):
        raise TablesRefused("There is no such table.")
    rows: list[Row] = []
    for level, amount in zip(
        request.POST.getlist("level")[:_MOST_ROWS], request.POST.getlist("amount")[:_MOST_ROWS], strict=False
    ):
        if not amount.strip():
            continue
        try:
            rows.append((table, level.strip(), float(amount.replace(",", ""))))
        except ValueError as error:
            raise TablesRefused(f"{amount!r} is no amount.") from error
    return propose_tables(run, actor=scope.actor, reason=reason, rows=rows)


def _studies(scope: PageScope) -> tuple[str, str]:
    return ("Ratio studies", reverse("ratio-studies", kwargs={"town": scope.town.slug}))
