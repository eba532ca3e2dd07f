"""The field as the office sees it: tablets, work packages, disagreements, what waits in quarantine."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope, QueueState
from assessment.region.errors import Problem
from assessment.region.models import Person
from assessment.region.scope import because
from assessment.region.selectors import list_people
from fieldsync.conflicts import selectors as conflicts
from fieldsync.conflicts.models import Conflict
from fieldsync.conflicts.services import reopen_conflict, resolve_conflict
from fieldsync.office.device_view import list_rows
from fieldsync.office.frame import back, field_page, field_url, paged, read_choice


@town_page("view")
def device_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's tablets and how each is doing."""
    values = {
        "tab": "devices",
        "lines": list_rows(scope.town.code, now=timezone.now()),
        "may_manage": scope.may("manage_devices"),
        "people": _people(scope) if scope.may("manage_devices") else [],
    }
    return field_page(request, scope, "devices.html", "Tablets", values)


@town_page("view")
def conflict_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List what field and office disagree about, both values side by side."""
    only_open = request.GET.get("show") != "all"
    rows = conflicts.list_conflicts(scope.town.code, only_open=only_open)
    values = {
        "tab": "conflicts",
        "page": paged(request, rows),
        "only_open": only_open,
        "may_decide": scope.may("accept_observations"),
    }
    return field_page(request, scope, "conflicts.html", "Conflicts", values)


@town_page("accept_observations", methods=("POST",))
def conflict_answer(request: HttpRequest, scope: PageScope, conflict_id: UUID) -> HttpResponse:
    """Close a conflict, or open it again."""
    conflict = conflicts.get_conflict(conflict_id)
    reason = request.POST.get("reason", "").strip()
    choice = request.POST.get("choice", "")
    if not reason:
        messages.error(request, "Give the reason: it stays with the record.")
        return back(request, scope, "field-conflicts")
    try:
        with because(reason):
            if choice == "reopen":
                reopen_conflict(conflict.id, actor=scope.actor, reason=reason)
                messages.success(request, "The conflict is open again.")
            else:
                state = read_choice(Conflict.State, choice)
                value = request.POST.get("value") or None
                resolve_conflict(conflict.id, actor=scope.actor, choice=state, reason=reason, value=value)
                messages.success(
                    request, f"{conflict.property.address}: {Conflict.State(state).label.lower()}."
                )
    except Problem as problem:
        messages.error(request, problem.detail)
    return back(request, scope, "field-conflicts")


def conflicts_state(scope: PageScope) -> QueueState:
    """Return how many conflicts wait, for the town's home."""
    return QueueState(conflicts.count_open(scope.town.code), field_url(scope, "field-conflicts"))


def _people(scope: PageScope) -> list[Person]:
    return [person for person, _ in list_people(scope.town.code, on=timezone.localdate())]
