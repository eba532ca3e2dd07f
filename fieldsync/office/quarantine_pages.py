"""What tablets sent and was not applied, and what is held: a person reads it and decides."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope, QueueState
from assessment.property.models import Property
from fieldsync.office.each import do_each
from fieldsync.office.frame import back, field_page, field_url, paged, read_ids
from fieldsync.problems import ITEM_CODES
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.rules import HELD_ALARM
from fieldsync.quarantine import selectors, services
from fieldsync.quarantine.rules import Description, describe

_STEPS: dict[str, tuple[Callable[..., Any], str]] = {
    "apply": (services.apply_quarantined, "applied"),
    "propose": (services.propose_discard, "proposed to be discarded; another person confirms"),
    "confirm": (services.confirm_discard, "discarded"),
    "withdraw": (services.withdraw_discard, "waiting as before"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a list: the mutation in words, and the card that it is about."""

    row: Any
    mutation: Mutation
    said: Description
    property: Property | None
    raw: str
    is_late: bool = False


@town_page("view")
def quarantine_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List what tablets sent and was not applied, by reason and age."""
    code = request.GET.get("code", "")
    state = request.GET.get("state", Quarantine.State.WAITING)
    if state not in Quarantine.State.values:
        state = Quarantine.State.WAITING
    rows = paged(request, selectors.list_quarantine(scope.town.code, code=code, state=state))
    values = {
        "tab": "quarantine",
        "page": rows,
        "lines": _lines(scope, [(row, row.mutation, row.other_body) for row in rows.rows]),
        "reasons": [(r, ITEM_CODES.get(r.code, r.code)) for r in selectors.list_reasons(scope.town.code)],
        "code": code,
        "state": state,
        "states": Quarantine.State.choices,
        "held_count": selectors.list_held(scope.town.code).count(),
        "may_decide": scope.may("accept_observations"),
    }
    return field_page(request, scope, "quarantine.html", "Quarantine", values)


@town_page("view")
def quarantine_item(request: HttpRequest, scope: PageScope, quarantine_id: UUID) -> HttpResponse:
    """Show one mutation in words, as it came, and what can be done with it."""
    row = selectors.get_quarantined(quarantine_id)
    (line,) = _lines(scope, [(row, row.mutation, row.other_body)])
    values = {
        "tab": "quarantine",
        "row": row,
        "line": line,
        "why": ITEM_CODES.get(row.code, row.code),
        "raw": line.raw,
        "first": _pretty(row.mutation.body) if row.other_body is not None else "",
        "may_decide": scope.may("accept_observations") and row.state == Quarantine.State.WAITING,
        "is_mine": row.proposed_by_id is not None and row.proposed_by_id == scope.actor.person_id,
    }
    return field_page(
        request,
        scope,
        "quarantine_item.html",
        line.said.what,
        values,
        below=("Quarantine", "field-quarantine"),
    )


@town_page("accept_observations", methods=("POST",))
def quarantine_decide(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Do one step with every marked row; what cannot be done says why and stays."""
    ids, reason = read_ids(request, "quarantine"), request.POST.get("reason", "").strip()
    step = request.POST.get("step", "")
    if not ids or not reason:
        messages.error(request, "Mark at least one line, and give the reason: it stays with the ledger.")
        return back(request, scope, "field-quarantine")
    if step == "as-inspection":
        account = request.POST.get("account", "").strip()
        done = _each(request, ids, _as_inspection(scope, account), scope, reason)
        said = "recorded as a visit of its own"
    elif step in _STEPS:
        service, said = _STEPS[step]
        done = _each(request, ids, service, scope, reason)
    else:
        messages.error(request, "Choose what is to be done.")
        return back(request, scope, "field-quarantine")
    if done:
        messages.success(request, f"{done:,} {said}.")
    return back(request, scope, "field-quarantine")


@town_page("view")
def held_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List what is held for something that has not arrived, with its age."""
    rows = paged(request, selectors.list_held(scope.town.code))
    values = {
        "tab": "quarantine",
        "page": rows,
        "lines": _lines(scope, [(row, row, None) for row in rows.rows]),
        "late_hours": round(HELD_ALARM.total_seconds() / 3600),
        "may_decide": scope.may("accept_observations"),
    }
    return field_page(request, scope, "held.html", "Held", values, below=("Quarantine", "field-quarantine"))


@town_page("accept_observations", methods=("POST",))
def held_decide(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Put what is held before a person: what it waits for will not come."""
    ids, reason = read_ids(request, "mutation"), request.POST.get("reason", "").strip()
    if not ids or not reason:
        messages.error(request, "Mark at least one line, and give the reason: it stays with the ledger.")
        return back(request, scope, "field-held")
    done = _each(request, ids, services.quarantine_held, scope, reason)
    if done:
        messages.success(request, f"{done:,} put into quarantine, where they can be applied or discarded.")
    return back(request, scope, "field-held")


def quarantine_state(scope: PageScope) -> QueueState:
    """Return how much waits in quarantine, and what is held for too long, for the town's home."""
    late = selectors.count_held_long(scope.town.code, now=timezone.now())
    note = f"{late:,} held for more than {HELD_ALARM.days} day" if late else ""
    url = field_url(scope, "field-quarantine")
    return QueueState(selectors.count_quarantine(scope.town.code) + late, url, note)


def _each(
    request: HttpRequest, ids: list[UUID], service: Callable[..., Any], scope: PageScope, reason: str
) -> int:
    """Do a step with each, alone: one that fails stops no other. Returns how many were done."""
    outcome = do_each(ids, lambda key: service(key, actor=scope.actor, reason=reason))
    for detail in outcome.details:
        messages.warning(request, detail)
    if outcome.failed:
        messages.error(request, f"{len(outcome.failed):,} could not be done and wait as before.")
    return len(outcome.done)


def _as_inspection(scope: PageScope, account: str) -> Callable[..., Any]:
    card = Property.objects.filter(town=scope.town, account_number=account).first() if account else None

    def apply(key: UUID, **options: Any) -> Any:
        return services.apply_as_inspection(key, property_id=card.id if card else None, **options)

    return apply


def _lines(scope: PageScope, rows: list[tuple[Any, Mutation, Any]]) -> list[Line]:
    cards = selectors.find_addresses(scope.town.code, [mutation for _, mutation, _ in rows])
    now = timezone.now()
    return [
        Line(
            row,
            mutation,
            describe(other if other is not None else mutation.body),
            cards.get(mutation.id),
            _pretty(other if other is not None else mutation.body),
            is_late=now - mutation.received_at > HELD_ALARM,
        )
        for row, mutation, other in rows
    ]


def _pretty(body: Any) -> str:
    if isinstance(body, dict) and set(body) == {"unstorable"}:
        # JSON of pure ASCII: what no database text can hold stands in it as \\u0000 or \\ud800.
        with contextlib.suppress(TypeError, ValueError):
            return json.dumps(json.loads(bytes.fromhex(body["unstorable"])), indent=2, sort_keys=True)
    return json.dumps(body, indent=2, ensure_ascii=False, sort_keys=True)
