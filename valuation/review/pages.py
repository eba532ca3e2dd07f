"""Reviewing a run: the queue, one property, overrides, closing, and two runs side by side."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from assessment.office.pages.base import RowPage, crumbs, read_page_number, town_page
from assessment.office.registries import PageScope
from assessment.region.errors import Problem
from valuation.review import selectors
from valuation.review.closing import close_run, list_checks
from valuation.review.posting import post_conclusions
from valuation.review.reconciling import reconciliation_of
from valuation.review.rules.overriding import review_policy
from valuation.review.services import (
    confirm_override,
    mark_reviewed,
    propose_override,
    refuse_override,
    withdraw_override,
)
from valuation.runs.flags import FLAGS
from valuation.runs.models import Run
from valuation.runs.pages import label_of
from valuation.runs.selectors import estimates_in, get_town_run, list_runs

if TYPE_CHECKING:
    import pandas as pd

PAGE_SIZE = 50
_STATES = {
    "open": "Not reviewed",
    "reviewed": "Reviewed",
    "overridden": "Overridden",
    "waiting": "Waiting for a second person",
}
_ORDERS = {
    "change": "Change from the last list",
    "market": "Gap to the market model",
    "value": "Value",
    "address": "Address",
}


def _trail(scope: PageScope, run: Run) -> list[tuple[str, str]]:
    town = scope.town.slug
    return [
        ("Ratio studies", reverse("ratio-studies", kwargs={"town": town})),
        (str(run), reverse("valuation-run", kwargs={"town": town, "valuation_run_id": run.pk})),
    ]


@town_page("view")
def queue(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """List a run's conclusions with their flags, the largest changes first."""
    run = get_town_run(valuation_run_id, scope.town.code)
    number = read_page_number(request)
    asked = {name: request.GET.get(name, "") for name in ("flag", "state", "neighbourhood", "order")}
    if asked["order"] not in _ORDERS:
        asked["order"] = "change"
    rows, count = selectors.list_review_queue(
        run,
        flag=asked["flag"] if asked["flag"] in FLAGS else "",
        state=asked["state"] if asked["state"] in _STATES else "",
        neighbourhood=asked["neighbourhood"],
        order=asked["order"],
        limit=PAGE_SIZE,
        offset=(number - 1) * PAGE_SIZE,
    )
    values = {
        "nav": "ratio-studies",
        "run": run,
        "page": RowPage(rows, number, has_next=number * PAGE_SIZE < count, count=count, size=PAGE_SIZE),
        "asked": asked,
        "counts": selectors.count_review(run),
        "flags": [(name, FLAGS.get(name, name), n) for name, n in run.counts.get("flags", {}).items()],
        "flag_words": FLAGS,
        "states": _STATES.items(),
        "orders": _ORDERS.items(),
        "may_review": scope.may("run_valuation"),
        "crumbs": crumbs(scope, *_trail(scope, run), "Review"),
    }
    return render(request, "valuation/review_queue.html", values)


@town_page("run_valuation", methods=("POST",))
def mark(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Mark the ticked conclusions as reviewed."""
    run = get_town_run(valuation_run_id, scope.town.code)
    ticked = [UUID(text) for text in request.POST.getlist("conclusion") if _is_uuid(text)]
    if ticked:
        count = mark_reviewed(ticked, actor=scope.actor)
        messages.success(request, f"{count} values were marked as reviewed.")
    else:
        messages.error(request, "Tick the values that stand.")
    address = reverse("review-queue", kwargs={"town": scope.town.slug, "valuation_run_id": run.pk})
    # The query string alone is the client's, so nobody can be sent elsewhere.
    return redirect(f"{address}?{request.POST.get('back', '')[:500].lstrip('?')}")


@town_page("view")
def conclusion(request: HttpRequest, scope: PageScope, conclusion_id: UUID) -> HttpResponse:
    """Show one conclusion with its approaches, parts, flags and overrides, and the form to override it."""
    found = selectors.get_conclusion(conclusion_id, town_code=scope.town.code)
    run = found.run
    estimates = estimates_in(run, found.property_id)
    values = {
        "nav": "ratio-studies",
        "run": run,
        "conclusion": found,
        "estimates": estimates,
        "explanation": next((each.explanation for each in estimates if each.approach == "cost"), []),
        "flags": [FLAGS.get(name, name) for name in found.flags],
        "parts": [(part[0], label_of(part[0]), part[1]) for part in found.components],
        "told": reconciliation_of(found, {each.approach: each.value for each in estimates}),
        "overrides": selectors.overrides_of(found),
        "reasons": review_policy().reasons.items(),
        "policy": review_policy(),
        "person_id": scope.actor.person_id,
        "may_review": scope.may("run_valuation"),
        "crumbs": crumbs(
            scope,
            *_trail(scope, run),
            ("Review", reverse("review-queue", kwargs={"town": scope.town.slug, "valuation_run_id": run.pk})),
            found.property.address or found.property.account_number,
        ),
    }
    return render(request, "valuation/conclusion.html", values)


@town_page("run_valuation", methods=("POST",))
def decide(request: HttpRequest, scope: PageScope, conclusion_id: UUID) -> HttpResponse:
    """Let the value stand, or override it."""
    found = selectors.get_conclusion(conclusion_id, town_code=scope.town.code)
    if request.POST.get("action") == "stands":
        mark_reviewed([found.id], actor=scope.actor, note=request.POST.get("note", ""))
        messages.success(request, "The value stands, and is marked as reviewed.")
        following = selectors.next_to_review(found.run, found.id)
        if following is not None and request.POST.get("next"):
            return redirect("conclusion", town=scope.town.slug, conclusion_id=following)
        return redirect("conclusion", town=scope.town.slug, conclusion_id=conclusion_id)
    text = request.POST.get("value", "").replace(",", "").replace("$", "").strip()
    try:
        if not text.isdecimal():
            raise ValueError("Give the value in whole dollars.")
        override = propose_override(
            found.id,
            actor=scope.actor,
            value=int(text),
            reason_code=request.POST.get("reason_code", ""),
            note=request.POST.get("note", ""),
        )
    except (ValueError, Problem) as error:
        messages.error(request, str(error))
    else:
        if override.state == override.State.WAITING:
            because = "; ".join(override.second_person_because)
            messages.success(request, f"The override waits for a second person: {because}.")
        else:
            messages.success(request, "The override is in force.")
    return redirect("conclusion", town=scope.town.slug, conclusion_id=conclusion_id)


@town_page("run_valuation", methods=("POST",))
def decide_override(request: HttpRequest, scope: PageScope, override_id: UUID) -> HttpResponse:
    """Agree to an override as the second person, refuse it, or take it back."""
    action, note = request.POST.get("action", ""), request.POST.get("note", "")
    override = selectors.get_override(override_id, town_code=scope.town.code)
    try:
        if action == "confirm":
            confirm_override(override_id, actor=scope.actor, note=note)
            messages.success(request, "The override is in force.")
        elif action == "refuse":
            refuse_override(override_id, actor=scope.actor, note=note)
            messages.success(request, "The override was refused; the value stands.")
        elif action == "withdraw":
            withdraw_override(override_id, actor=scope.actor, note=note)
            messages.success(request, "The override was taken back; the value before it stands.")
        else:
            messages.error(request, "Agree, refuse or take back.")
    except Problem as problem:
        messages.error(request, problem.detail)
    return redirect("conclusion", town=scope.town.slug, conclusion_id=override.conclusion_id)


@town_page("view", methods=("GET", "POST"))
def closing(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Show the checks of a run; who may sign the list closes it, accepting with reasons what is missed."""
    run = get_town_run(valuation_run_id, scope.town.code)
    if request.method == "POST":
        accepted = {
            name.removeprefix("accept-"): text
            for name, text in request.POST.items()
            if name.startswith("accept-")
        }
        try:
            scope.require("sign_list")
            close_run(run, actor=scope.actor, accepted={name: str(text) for name, text in accepted.items()})
            messages.success(request, "The run is closed; its values can be posted.")
            if request.POST.get("post"):
                report = post_conclusions(run, actor=scope.actor)
                messages.success(
                    request, f"{report.changed:,} values were posted to the list of {run.list_year}."
                )
        except Problem as problem:
            messages.error(request, problem.detail)
        return redirect("closing", town=scope.town.slug, valuation_run_id=run.pk)
    values = {
        "nav": "ratio-studies",
        "run": run,
        "checks": list_checks(run),
        "closed": selectors.find_closing(run),
        "may_close": scope.may("sign_list"),
        "crumbs": crumbs(scope, *_trail(scope, run), "Closing"),
    }
    return render(request, "valuation/closing.html", values)


@town_page("view")
def compare(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Set a run beside another of the town, in summary, on a map and by property; or as CSV."""
    from valuation.review.rules.comparing import change_map, compare_runs, summarise

    run = get_town_run(valuation_run_id, scope.town.code)
    others = [
        each for each in list_runs(scope.town.code) if each.pk != run.pk and each.state in ("done", "posted")
    ]
    chosen = request.GET.get("with", "")
    other = next((each for each in others if str(each.pk) == chosen), others[0] if others else None)
    values: dict[str, object] = {
        "nav": "ratio-studies",
        "run": run,
        "others": others,
        "other": other,
        "crumbs": crumbs(scope, *_trail(scope, run), "Compare"),
    }
    if other is not None:
        compared = compare_runs(selectors.conclusions_frame(other), selectors.conclusions_frame(run))
        if request.GET.get("format") == "csv":
            return _csv(compared, f"runs-{scope.town.slug}-{run.list_year}.csv")
        largest = compared[compared["change"] != 0].copy()
        largest = largest.reindex(largest["change"].abs().sort_values(ascending=False, kind="stable").index)
        values |= {
            "everything": next(iter(summarise(compared)), None),
            "places": summarise(compared, "neighbourhood"),
            "classes": summarise(compared, "state_class"),
            "map": change_map(compared),
            "only_before": int(compared["after"].isna().sum()),
            "only_after": int(compared["before"].isna().sum()),
            "largest": [
                {"property_id": key, **row} for key, row in largest.head(100).to_dict("index").items()
            ],
        }
    return render(request, "valuation/compare.html", values)


def _csv(compared: pd.DataFrame, name: str) -> HttpResponse:
    from assessment.roll.files.sheets import CsvTable

    text = io.StringIO(newline="")
    columns = [
        "account_number",
        "address",
        "neighbourhood",
        "state_class",
        "before",
        "after",
        "change",
        "percent",
    ]
    table = CsvTable(text, ["property_id", *columns])
    for row in compared[columns].itertuples():
        table.add(["" if cell != cell else cell for cell in map(_plain, row)])
    answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _plain(cell: Any) -> Any:
    return str(cell) if isinstance(cell, UUID) else cell


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
