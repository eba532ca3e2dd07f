"""Quality re-checks as pages: the list with the form for drawing one, and what one found."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope
from assessment.region.errors import Problem
from fieldsync.office.frame import field_page, paged
from fieldsync.office.package_pages import list_inspectors
from fieldsync.packages.tasks import start_build
from fieldsync.quality import selectors, services
from fieldsync.quality.forms import RecheckForm
from fieldsync.quality.models import Recheck


@town_page("manage_packages")
def recheck_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's re-checks, with the form for drawing one."""
    return _list(request, scope, RecheckForm(people=list_inspectors(scope)))


@town_page("manage_packages", methods=("POST",))
def recheck_draw(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Draw a re-check, and start the job that builds its package."""
    form = RecheckForm(request.POST, people=list_inspectors(scope))
    if not form.is_valid():
        return _list(request, scope, form)
    chosen = form.cleaned_data
    try:
        recheck = services.draw_recheck(
            scope.town.code,
            actor=scope.actor,
            batch=form.batch(),
            percent=chosen["percent"],
            list_year=chosen["list_year"],
            seed=chosen["seed"],
            person_id=UUID(chosen["person"]),
        )
    except Problem as problem:
        form.add_error(None, problem.detail or problem.title)
        return _list(request, scope, form)
    start_build(recheck.package, actor=scope.actor)
    messages.success(
        request, f"{recheck.package.title}: {recheck.package.record_count} of {recheck.population}."
    )
    return _to(scope, recheck)


@town_page("manage_packages")
def recheck_page(request: HttpRequest, scope: PageScope, recheck_id: UUID) -> HttpResponse:
    """Show what both people entered, those that agree least first."""
    recheck = selectors.get_recheck(recheck_id)
    items = selectors.list_items(recheck.id)
    values = {
        "tab": "rechecks",
        "recheck": recheck,
        "items": items,
        "seen": sum(item.second_inspection_id is not None for item in items),
        "is_open": recheck.state == Recheck.State.OPEN,
    }
    return field_page(request, scope, "recheck.html", recheck.package.title, values)


@town_page("manage_packages", methods=("POST",))
def recheck_decide(request: HttpRequest, scope: PageScope, recheck_id: UUID) -> HttpResponse:
    """Decide with what has been compared."""
    recheck = selectors.get_recheck(recheck_id)
    try:
        recheck = services.decide_recheck(recheck.id, actor=scope.actor)
    except Problem as problem:
        messages.error(request, problem.detail)
        return _to(scope, recheck)
    if recheck.follow_up is not None:
        start_build(recheck.follow_up, actor=scope.actor)
    messages.success(request, f"{recheck.get_state_display()}.")
    return _to(scope, recheck)


def _list(request: HttpRequest, scope: PageScope, form: RecheckForm) -> HttpResponse:
    page = paged(request, selectors.list_rechecks(scope.town.code))
    values = {"tab": "rechecks", "page": page, "form": form}
    return field_page(request, scope, "rechecks.html", "Quality re-checks", values)


def _to(scope: PageScope, recheck: Recheck) -> HttpResponse:
    return redirect(reverse("field-recheck", kwargs={"town": scope.town.slug, "recheck_id": recheck.id}))
