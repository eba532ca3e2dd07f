"""What came in from files: each run with its report by row."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from assessment.office.pages.base import RowPage, crumbs, read_page_number, town_page
from assessment.office.registries import PageScope
from assessment.office.tags import words
from assessment.property.models import ImportRun

PAGE_SIZE = 50
MOST_ROWS = 500


@town_page("view")
def import_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the runs, newest first."""
    number = read_page_number(request)
    start = (number - 1) * PAGE_SIZE
    found = list(
        ImportRun.objects.filter(town_id=scope.town.code)
        .defer("report")
        .select_related("run_by")
        .order_by("-started_at", "-id")[start : start + PAGE_SIZE + 1]
    )
    page = RowPage(found[:PAGE_SIZE], number, has_next=len(found) > PAGE_SIZE, size=PAGE_SIZE)
    return render(
        request, "office/imports.html", {"nav": "imports", "page": page, "crumbs": crumbs(scope, "Imports")}
    )


@town_page("view")
def import_run(request: HttpRequest, scope: PageScope, import_run_id: UUID) -> HttpResponse:
    """Show one run: counts, and the rows that were refused or changed on the way, with their reasons."""
    run = ImportRun.objects.filter(town_id=scope.town.code, id=import_run_id).select_related("run_by").first()
    if run is None:
        raise Http404
    sections = [_section(name, value) for name, value in run.report.items()]
    trail = (("Imports", reverse("import-list", kwargs={"town": scope.town.slug})), run.file_name)
    values = {
        "nav": "imports",
        "run": run,
        "counts": [
            (words(name), value) for name, value in run.counts.items() if not isinstance(value, dict | list)
        ],
        "facts": [section for section in sections if section["text"] is not None],
        "tables": [section for section in sections if section["rows"]],
        "crumbs": crumbs(scope, *trail),
    }
    return render(request, "office/import_run.html", values)


def _section(name: str, value: Any) -> dict[str, Any]:
    """Return one part of a report as a table, whatever importer wrote it."""
    rows: list[Any] = []
    if isinstance(value, dict):
        rows = [{"": words(key), "value": each} for key, each in value.items()]
    elif isinstance(value, list):
        rows = [each if isinstance(each, dict) else {"value": each} for each in value]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return {
        "title": words(name),
        "text": None if isinstance(value, dict | list) else value,
        "columns": [words(column) if column else "" for column in columns],
        "rows": [[_cell(row.get(column, "")) for column in columns] for row in rows[:MOST_ROWS]],
        "left_out": max(0, len(rows) - MOST_ROWS),
    }


def _cell(value: Any) -> Any:
    """Return a list as words one after the other, anything else as it is."""
    return ", ".join(str(each) for each in value) if isinstance(value, list) else value
