"""The report of a run as a page and as PDF, and the public file."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from valuation.reports.paper import report_pdf
from valuation.reports.services import public_file, report_of, zip_of
from valuation.runs.selectors import get_town_run


@town_page("view")
def report(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Show the report of a run; ``?format=pdf`` gives the file."""
    run = get_town_run(valuation_run_id, scope.town.code)
    title, sections = report_of(run)
    if request.GET.get("format") == "pdf":
        answer = HttpResponse(report_pdf(title, sections), content_type="application/pdf")
        answer["Content-Disposition"] = (
            f'attachment; filename="valuation-{scope.town.slug}-{run.list_year}.pdf"'
        )
        return answer
    trail = (
        ("Ratio studies", reverse("ratio-studies", kwargs={"town": scope.town.slug})),
        (str(run), reverse("valuation-run", kwargs={"town": scope.town.slug, "valuation_run_id": run.pk})),
    )
    values = {
        "nav": "ratio-studies",
        "run": run,
        "report_title": title,
        "sections": sections,
        "may_export": scope.may("export_list"),
        "crumbs": crumbs(scope, *trail, "Report"),
    }
    return render(request, "valuation/report.html", values)


@town_page("export_list")
def public(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Give the public file of the run as a ZIP archive."""
    del request
    run = get_town_run(valuation_run_id, scope.town.code)
    answer = HttpResponse(zip_of(public_file(run, actor=scope.actor)), content_type="application/zip")
    answer["Content-Disposition"] = (
        f'attachment; filename="public-file-{scope.town.slug}-{run.list_year}.zip"'
    )
    return answer
