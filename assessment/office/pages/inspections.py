"""Inspections to accept: what was seen beside what is on record, decided one by one or many at once."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from assessment.office.observations import OPEN, list_waiting
from assessment.office.pages.base import RowPage, crumbs, read_page_number, town_page
from assessment.office.registries import PageScope
from assessment.property.services.decisions import accept_observations, reject_observations
from assessment.property.services.undoing import undo_decisions
from assessment.region.errors import Invalid

PAGE_SIZE = 50
_LAST = "last_decision"


@town_page("view")
def queue(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List what waits, card by card."""
    number = read_page_number(request)
    state, text = request.GET.get("state", ""), request.GET.get("q", "").strip()[:60]
    rows = list_waiting(scope, state=state, text=text, start=(number - 1) * PAGE_SIZE, size=PAGE_SIZE + 1)
    last = request.session.get(_LAST)
    values = {
        "nav": "inspections",
        "page": RowPage(rows[:PAGE_SIZE], number, has_next=len(rows) > PAGE_SIZE, size=PAGE_SIZE),
        "states": [(each.value, each.label) for each in OPEN],
        "state": state,
        "street": text,
        "may_decide": scope.may("accept_observations"),
        "last": last if last and last["town"] == scope.town.code else None,
        "crumbs": crumbs(scope, "Inspections to accept"),
    }
    return render(request, "office/inspections.html", values)


@town_page("accept_observations", methods=("POST",))
def decide(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Accept or reject the marked observations, all for one reason."""
    ids = _read_ids(request)
    reason = request.POST.get("reason", "").strip()
    if not ids:
        messages.error(request, "Mark at least one line first.")
    elif not reason:
        messages.error(request, "Give the reason: it stays with the record.")
    elif request.POST.get("decision") == "reject":
        rejected = reject_observations(ids, actor=scope.actor, reason=reason)
        messages.success(request, f"{rejected:,} rejected; the record stays as it was.")
        _remember(request, scope, ids, f"{rejected:,} rejected")
    else:
        decision = accept_observations(ids, actor=scope.actor, reason=reason)
        messages.success(request, f"{len(decision.accepted):,} accepted and on record.")
        for conflict in list(decision.conflicts.values())[:5]:
            messages.warning(request, f"Not accepted: {conflict}")
        _remember(request, scope, decision.accepted, f"{len(decision.accepted):,} accepted")
    return _back(request, scope)


@town_page("accept_observations", methods=("POST",))
def undo(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Take the last decision of this sign-in back, as far as the record has not changed since."""
    last = request.session.pop(_LAST, None)
    if not last or last["town"] != scope.town.code:
        raise Invalid("There is nothing to take back.")
    undone = undo_decisions([UUID(each) for each in last["ids"]], actor=scope.actor)
    messages.success(request, f"{len(undone.reopened):,} wait again.")
    if undone.kept:
        messages.warning(request, f"{len(undone.kept):,} stay decided: the record has changed since.")
    return _back(request, scope)


def _read_ids(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(each) for each in request.POST.getlist("observation")]
    except ValueError as error:
        raise Invalid("A marked line is not an observation.") from error


def _remember(request: HttpRequest, scope: PageScope, ids: list[UUID], words: str) -> None:
    request.session[_LAST] = {"town": scope.town.code, "ids": [str(each) for each in ids], "words": words}


def _back(request: HttpRequest, scope: PageScope) -> HttpResponse:
    query = request.GET.urlencode()
    url = reverse("inspection-queue", kwargs={"town": scope.town.slug})
    return redirect(f"{url}?{query}" if query else url)
