"""Pages on many values at once: an area's factor, a batch, overrides that wait, and those of an earlier run."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from assessment.office.pages.base import RowPage, crumbs, read_page_number, town_page
from assessment.office.registries import PageScope
from assessment.region.errors import Problem
from assessment.roll.parameters import abstract_codes
from valuation import long_work
from valuation.review import tasks
from valuation.review.carrying import carry_overrides, find_source, plan_carry
from valuation.review.factors import Area, list_areas, preview_factor, propose_area_factor, read_factor
from valuation.review.many import (
    ACTIONS,
    decide_batch,
    decide_overrides,
    get_batch,
    list_groups,
)
from valuation.review.models import Override
from valuation.review.rules.overriding import review_policy
from valuation.runs.models import Run
from valuation.runs.selectors import get_town_run, list_runs, rounding_of

PAGE_SIZE = 50
_DECIDED = {"confirm": "in force", "refuse": "refused", "withdraw": "taken back"}


def _trail(scope: PageScope, run: Run) -> list[tuple[str, str]]:
    town = scope.town.slug
    return [
        ("Ratio studies", reverse("ratio-studies", kwargs={"town": town})),
        (str(run), reverse("valuation-run", kwargs={"town": town, "valuation_run_id": run.pk})),
        ("Review", reverse("review-queue", kwargs={"town": town, "valuation_run_id": run.pk})),
    ]


def _slice(rows: list[Any], request: HttpRequest) -> RowPage:
    number = read_page_number(request)
    first = (number - 1) * PAGE_SIZE
    return RowPage(
        rows[first : first + PAGE_SIZE],
        number,
        has_next=first + PAGE_SIZE < len(rows),
        count=len(rows),
        size=PAGE_SIZE,
    )


@town_page("view", methods=("GET", "POST"))
def factor(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Show what a factor on an area would do; POST asks for it."""
    run = get_town_run(valuation_run_id, scope.town.code)
    given = request.POST if request.method == "POST" else request.GET
    asked = {name: given.get(name, "")[:40] for name in ("neighbourhood", "state_class", "factor")}
    area = Area(asked["neighbourhood"], asked["state_class"], with_overridden=bool(given.get("all")))
    if request.method == "POST":
        return _ask_for_factor(request, scope, run, area)
    preview = None
    if asked["factor"]:
        try:
            preview = preview_factor(run, area=area, factor=read_factor(asked["factor"]))
        except Problem as problem:
            messages.error(request, problem.detail)
    areas, classes = list_areas(run), abstract_codes().classes
    values = {
        "nav": "ratio-studies",
        "run": run,
        "asked": asked,
        "area": area,
        "preview": preview,
        "page": _slice(preview.rows, request) if preview else None,
        "neighbourhoods": areas["neighbourhood"],
        "classes": [(key, classes.get(key, key), count) for key, count in areas["state_class"]],
        "levels": _levels(run),
        "batches": list_groups(run, only_many=True),
        "reasons": review_policy().reasons.items(),
        "rounding": rounding_of(run),
        "in_request": long_work.IN_REQUEST,
        "may_ask": scope.may("run_valuation") and run.state == Run.State.DONE,
        "crumbs": crumbs(scope, *_trail(scope, run), "Factor on an area"),
    }
    return render(request, "valuation/factor.html", values)


def _ask_for_factor(request: HttpRequest, scope: PageScope, run: Run, area: Area) -> HttpResponse:
    scope.require("run_valuation")
    text, seen = request.POST.get("factor", ""), request.POST.get("seen", "")
    reason, note = request.POST.get("reason_code", ""), request.POST.get("note", "")
    try:
        exact = read_factor(text)
        found = preview_factor(run, area=area, factor=exact, effect=False)
        job = None
        if note.strip() and reason in review_policy().reasons:
            job = long_work.start_if_many(
                len(found.rows),
                tasks.FACTOR,
                actor=scope.actor,
                town=scope.town,
                payload={
                    "run": str(run.pk),
                    "area": {
                        "neighbourhood": area.neighbourhood,
                        "state_class": area.state_class,
                        "with_overridden": area.with_overridden,
                    },
                    "factor": text.strip(),
                    "reason_code": reason,
                    "note": note,
                    "seen": int(seen) if seen.isdecimal() else None,
                },
                key=f"{run.pk}:{area}",
            )
        if job is not None:
            return redirect("job", town=scope.town.slug, job_id=job.id)
        overrides = propose_area_factor(
            run,
            actor=scope.actor,
            area=area,
            factor=exact,
            reason_code=reason,
            note=note,
            seen=int(seen) if seen.isdecimal() else None,
        )
    except Problem as problem:
        messages.error(request, problem.detail)
        back = reverse("override-factor", kwargs={"town": scope.town.slug, "valuation_run_id": run.pk})
        kept = [name for name in ("neighbourhood", "state_class", "factor", "all") if request.POST.get(name)]
        query = request.POST.copy()
        for name in set(query) - set(kept):
            del query[name]
        return redirect(f"{back}?{query.urlencode()}")
    messages.success(request, f"{len(overrides):,} overrides wait for a second person, as one.")
    return redirect("override-batch", town=scope.town.slug, batch_id=overrides[0].batch)


def _levels(run: Run) -> list[dict[str, Any]]:
    """Return the level of each neighbourhood by its usable sales, furthest from 1 first."""
    from valuation.review.evidence import levels_by_neighbourhood  # here: it brings numpy

    return levels_by_neighbourhood(run)


@town_page("view", methods=("GET", "POST"))
def batch(request: HttpRequest, scope: PageScope, batch_id: UUID) -> HttpResponse:
    """Show a batch of overrides with its study; POST decides all of it as one."""
    overrides = get_batch(batch_id, town_code=scope.town.code)
    first = overrides[0]
    if request.method == "POST":
        scope.require("run_valuation")
        return _decide(request, scope, batch_id, len(overrides))
    run = first.run
    states = Counter(each.state for each in overrides)
    words = dict(Override.State.choices)
    values = {
        "nav": "ratio-studies",
        "run": run,
        "batch_id": batch_id,
        "first": first,
        "states": [(words[state], count) for state, count in sorted(states.items())],
        "waiting": states.get("waiting", 0),
        "undone": run.state == Run.State.DONE and bool(states.get("waiting") or states.get("in_force")),
        "before": sum(each.value_before for each in overrides),
        "after": sum(each.value_after for each in overrides),
        "page": _slice(overrides, request),
        "is_own": first.proposed_by_id == scope.actor.person_id,
        "may_decide": scope.may("run_valuation"),
        "reason": review_policy().reasons.get(first.reason_code, first.reason_code),
        "crumbs": crumbs(scope, *_trail(scope, run), "Many overrides"),
    }
    return render(request, "valuation/batch.html", values)


def _decide(request: HttpRequest, scope: PageScope, batch_id: UUID, count: int) -> HttpResponse:
    action, note = request.POST.get("action", ""), request.POST.get("note", "")
    job = None
    if action in ACTIONS:
        job = long_work.start_if_many(
            count,
            tasks.DECIDE,
            actor=scope.actor,
            town=scope.town,
            payload={"batch": str(batch_id), "action": action, "note": note},
            key=str(batch_id),
        )
    if job is not None:
        return redirect("job", town=scope.town.slug, job_id=job.id)
    try:
        decided = decide_batch(batch_id, actor=scope.actor, action=action, note=note)
        messages.success(request, f"{decided:,} overrides are {_DECIDED[action]}.")
    except Problem as problem:
        messages.error(request, problem.detail)
    return redirect("override-batch", town=scope.town.slug, batch_id=batch_id)


@town_page("view", methods=("GET", "POST"))
def overrides(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """List a run's overrides; POST decides the ticked ones."""
    run = get_town_run(valuation_run_id, scope.town.code)
    if request.method == "POST":
        scope.require("run_valuation")
        return _decide_ticked(request, scope, run)
    state = request.GET.get("state", "waiting")
    state = state if state in Override.State.values else ""
    number = read_page_number(request)
    found = list_groups(run, state=state, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE)
    values = {
        "nav": "ratio-studies",
        "run": run,
        "state": state,
        "states": Override.State.choices,
        "page": RowPage(found[:PAGE_SIZE], number, has_next=len(found) > PAGE_SIZE),
        "person_id": scope.actor.person_id,
        "may_decide": scope.may("run_valuation") and state == "waiting",
        "crumbs": crumbs(scope, *_trail(scope, run), "Overrides"),
    }
    return render(request, "valuation/overrides.html", values)


def _decide_ticked(request: HttpRequest, scope: PageScope, run: Run) -> HttpResponse:
    action, note = request.POST.get("action", ""), request.POST.get("note", "")
    ticked = [UUID(text) for text in request.POST.getlist("override")[:PAGE_SIZE] if _is_uuid(text)]
    own = set(Override.objects.filter(run=run, id__in=ticked).values_list("id", flat=True))
    if not own or action not in ("confirm", "refuse"):
        messages.error(request, "Tick overrides, and agree to them or refuse them.")
    else:
        decided, refused = decide_overrides(
            [key for key in ticked if key in own], actor=scope.actor, action=action, note=note
        )
        if decided:
            messages.success(request, f"{decided:,} overrides are {_DECIDED[action]}.")
        for text in refused:
            messages.error(request, text)
    return redirect("override-list", town=scope.town.slug, valuation_run_id=run.pk)


@town_page("view", methods=("GET", "POST"))
def carry(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Show which overrides of an earlier run can be taken to this one; POST asks for the ticked ones."""
    run = get_town_run(valuation_run_id, scope.town.code)
    others = [
        each
        for each in list_runs(scope.town.code)
        if each.pk != run.pk and each.state in (Run.State.DONE, Run.State.POSTED)
    ]
    chosen = (request.POST if request.method == "POST" else request.GET).get("source", "")
    source = next((each for each in others if str(each.pk) == chosen), None)
    source = source or find_source(run) or next(iter(others), None)
    if request.method == "POST":
        scope.require("run_valuation")
        return _carry(request, scope, run, source)
    rows = plan_carry(run, source=source) if source else []
    counts = Counter(row.verdict for row in rows)
    ready = [row for row in rows if row.may_carry]
    values = {
        "nav": "ratio-studies",
        "run": run,
        "others": others,
        "source": source,
        "page": _slice(ready, request),
        "refused": [row for row in rows if row.verdict == "refused"],
        "counts": counts,
        "may_carry": scope.may("run_valuation") and run.state == Run.State.DONE,
        "crumbs": crumbs(scope, *_trail(scope, run), "Overrides of an earlier run"),
    }
    return render(request, "valuation/carry.html", values)


def _carry(request: HttpRequest, scope: PageScope, run: Run, source: Run | None) -> HttpResponse:
    back = reverse("override-carry", kwargs={"town": scope.town.slug, "valuation_run_id": run.pk})
    if source is None:
        messages.error(request, "There is no other run to take overrides from.")
        return redirect(back)
    back = f"{back}?source={source.pk}"
    every = request.POST.get("which") == "all"
    ticked = {UUID(text) for text in request.POST.getlist("override")[:PAGE_SIZE] if _is_uuid(text)}
    if not every and not ticked:
        messages.error(request, "Tick the overrides to take along.")
        return redirect(back)
    try:
        rows = [row for row in plan_carry(run, source=source) if row.verdict == "same"] if every else []
        job = long_work.start_if_many(
            len(rows),
            tasks.CARRY,
            actor=scope.actor,
            town=scope.town,
            payload={"run": str(run.pk), "source": str(source.pk)},
            key=f"{run.pk}:{source.pk}",
        )
        if job is not None:
            return redirect("job", town=scope.town.slug, job_id=job.id)
        counts = carry_overrides(
            run, actor=scope.actor, source=source, override_ids=None if every else ticked
        )
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect(back)
    text = f"{counts['carried']:,} overrides were taken along"
    if counts["to_review"]:
        text += f"; {counts['to_review']:,} need a new look"
    messages.success(request, f"{text}. Those that need a second person wait for one.")
    return redirect(back)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
