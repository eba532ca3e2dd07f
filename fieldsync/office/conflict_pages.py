"""Where field and office disagree: both values side by side, with the photos and the map, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope, QueueState
from assessment.office.tags import amount, words
from assessment.region.errors import Invalid
from assessment.region.scope import because
from fieldsync.conflicts import selectors
from fieldsync.conflicts.models import Conflict
from fieldsync.conflicts.services import reopen_conflict, resolve_conflict, value_now
from fieldsync.office.each import do_each
from fieldsync.office.frame import back, card_panels, field_page, field_url, paged, read_choice, read_ids

# Panels of the record card that help to decide; those of apps that are not installed are left out.
_BESIDE = ("gis.map",)
_LAST = "last_conflict_answers"
_REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Side:
    """One value of a conflict as a person reads it: rows by field, or the value alone."""

    text: str
    rows: list[tuple[str, str]]


@town_page("view")
def conflict_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List what field and office disagree about, both values side by side."""
    chosen = _filter(request)
    rows = paged(request, selectors.list_conflicts(scope.town.code, chosen=chosen))
    last = request.session.get(_LAST)
    values = {
        "tab": "conflicts",
        "page": rows,
        "lines": [(row, side_of(row.base), side_of(row.theirs), side_of(row.ours)) for row in rows.rows],
        "chosen": chosen,
        "counts": selectors.list_counts(scope.town.code),
        "devices": selectors.list_devices_in_conflict(scope.town.code),
        "states": [("open", "Open"), ("answered", "Answered"), ("all", "All")],
        "state": chosen.state or "all",
        "may_decide": scope.may("accept_observations"),
        "last": last if last and last["town"] == scope.town.code else None,
    }
    return field_page(request, scope, "conflicts.html", "Conflicts", values)


@town_page("view")
def conflict_item(request: HttpRequest, scope: PageScope, conflict_id: UUID) -> HttpResponse:
    """Show one conflict with all that helps to answer it."""
    conflict = selectors.get_conflict(conflict_id)
    values = {
        "tab": "conflicts",
        "conflict": conflict,
        "base": side_of(conflict.base),
        "theirs": side_of(conflict.theirs),
        "ours": side_of(conflict.ours),
        "now": side_of(value_now(conflict)),
        "photos": [_photo(photo, scope) for photo in selectors.list_photos_beside(conflict)],
        "panels": card_panels(conflict.property_id, scope, *_BESIDE),
        "page_scope": scope,
        "may_decide": scope.may("accept_observations"),
    }
    title = f"{conflict.property.address or conflict.property.account_number}: {words(conflict.field_name())}"
    return field_page(
        request,
        scope,
        "conflict.html",
        title,
        {**values, "heading": title},
        below=("Conflicts", "field-conflicts"),
    )


@town_page("accept_observations", methods=("POST",))
def conflict_answer(request: HttpRequest, scope: PageScope, conflict_id: UUID) -> HttpResponse:
    """Close a conflict, or open it again."""
    _answer(request, scope, [selectors.get_conflict(conflict_id).id])
    return back(request, scope, "field-conflicts")


@town_page("accept_observations", methods=("POST",))
def conflicts_answer(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Close every marked conflict in the same way, or take the last answers back."""
    if request.POST.get("choice") == "undo-last":
        _undo_last(request, scope)
    else:
        _answer(request, scope, read_ids(request, "conflict"))
    return back(request, scope, "field-conflicts")


def conflicts_state(scope: PageScope) -> QueueState:
    """Return how many conflicts wait, for the town's home."""
    return QueueState(selectors.count_open(scope.town.code), field_url(scope, "field-conflicts"))


def _answer(request: HttpRequest, scope: PageScope, ids: list[UUID]) -> None:
    reason, choice = request.POST.get("reason", "").strip(), request.POST.get("choice", "")
    if not ids or not reason:
        messages.error(request, "Mark at least one conflict, and give the reason: it stays with the record.")
        return
    value = request.POST.get("value") or None
    if choice == Conflict.State.OTHER and value is None:
        messages.error(request, "Type the other value.")
        return
    done, failed = _each(scope, ids, choice, reason, value)
    for detail in dict.fromkeys(failed[:5]):
        messages.error(request, detail)
    if not done:
        return
    if choice == _REOPEN:
        messages.success(request, f"{len(done):,} open again.")
    else:
        said = f"{len(done):,}: {Conflict.State(choice).label.lower()}"
        messages.success(request, f"{said}.")
        request.session[_LAST] = {
            "town": scope.town.code, "ids": [str(key) for key in done], "words": said, "reason": reason
        }  # fmt: skip


def _undo_last(request: HttpRequest, scope: PageScope) -> None:
    last = request.session.pop(_LAST, None)
    if not last or last["town"] != scope.town.code:
        raise Invalid("There is nothing to take back.")
    done, failed = _each(scope, [UUID(key) for key in last["ids"]], _REOPEN, "answer taken back", None)
    messages.success(request, f"{len(done):,} open again.")
    for detail in dict.fromkeys(failed[:5]):
        messages.warning(request, detail)


def _each(
    scope: PageScope, ids: list[UUID], choice: str, reason: str, value: Any
) -> tuple[list[UUID], list[str]]:
    """Answer each alone, so that one that cannot be answered stops no other."""
    state = None if choice == _REOPEN else read_choice(Conflict.State, choice)

    def answer(key: UUID) -> None:
        if state is None:
            reopen_conflict(key, actor=scope.actor, reason=reason)
        else:
            resolve_conflict(key, actor=scope.actor, choice=state, reason=reason, value=value)

    with because(reason):
        outcome = do_each(ids, answer)
    return outcome.done, [problem.detail for _, problem in outcome.failed]


def _filter(request: HttpRequest) -> selectors.Filter:
    state = request.GET.get("state", "open")
    # The address of before: links to it may be kept.
    if request.GET.get("show") == "all":
        state = "all"
    device = request.GET.get("device", "")
    try:
        device_id = UUID(device) if device else None
    except ValueError:
        device_id = None
    return selectors.Filter(
        state={"all": "", "answered": "answered"}.get(state, Conflict.State.OPEN),
        kind=request.GET.get("kind", "")[:20],
        device_id=device_id,
        street=request.GET.get("street", "").strip()[:60],
        field=request.GET.get("field", "").strip()[:60],
    )


def side_of(value: Any) -> Side:
    """Return a value of the record as a person reads it."""
    if isinstance(value, dict):
        shown = {name: each for name, each in value.items() if each not in (None, "", [])}
        rows = [(words(name), _short(each)) for name, each in shown.items()]
        return Side(", ".join(f"{name} {each}" for name, each in rows[:4]), rows)
    return Side(_short(value), [])


def _short(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], list):
        return f"outline of {len(value)} corners"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    # A year is no amount: no comma in it.
    if isinstance(value, int) and 1500 < value < 2200:
        return str(value)
    return amount(value)


def _photo(photo: Any, scope: PageScope) -> dict[str, Any]:
    return {
        "url": field_url(scope, "photo", photo_id=photo.id, size="web"),
        "thumbnail_url": field_url(scope, "photo", photo_id=photo.id, size="thumbnail"),
        "alt": words(photo.role) if photo.role else "Photo of the visit",
        "taken_at": photo.taken_at,
        "warnings": photo.warnings,
    }
