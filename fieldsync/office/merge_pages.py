"""What was merged without asking: a list to look through, and the other value to take."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope
from assessment.office.tags import words
from assessment.region.scope import because
from fieldsync.conflicts.merged import WORDS, Merged, MergedFilter, list_merged, with_values
from fieldsync.conflicts.taking import take_value
from fieldsync.office.conflict_pages import Side, side_of
from fieldsync.office.each import do_each
from fieldsync.office.frame import back, field_page, paged, read_ids
from fieldsync.packages.selectors import list_packages

_MOST_PACKAGES = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list."""

    merged: Merged
    what: str
    policy: str
    base: Side
    office: Side
    field: Side
    now: Side


@town_page("view")
def merged_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List what was merged without asking, both values side by side."""
    chosen = _filter(request)
    page = paged(request, list_merged(scope.town.code, chosen))
    values = {
        "tab": "merged",
        "page": page,
        "lines": [_line(each) for each in with_values(page.rows)],
        "chosen": chosen,
        "outcomes": WORDS.items(),
        "packages": list_packages(scope.town.code)[:_MOST_PACKAGES],
        "may_decide": scope.may("accept_observations") and scope.may("edit_record"),
    }
    return field_page(request, scope, "merged.html", "Merged without asking", values)


@town_page("accept_observations", methods=("POST",))
def merged_take(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Take the office's or the field's value of every marked row."""
    ids, reason = read_ids(request, "observation"), request.POST.get("reason", "").strip()
    side = request.POST.get("side", "")
    if not ids or not reason:
        messages.error(request, "Mark at least one line, and give the reason: it stays with the record.")
        return back(request, scope, "field-merged")
    with because(reason):
        outcome = do_each(ids, lambda key: take_value(key, actor=scope.actor, side=side, reason=reason))
    for detail in outcome.details:
        messages.warning(request, detail)
    if outcome.failed:
        messages.error(request, f"{len(outcome.failed):,} could not be done and are as before.")
    if outcome.done:
        whose = "office" if side == "office" else "field"
        messages.success(request, f"{len(outcome.done):,} now have the {whose}'s value.")
    return back(request, scope, "field-merged")


def _line(merged: Merged) -> Line:
    row = merged.observation
    what = (
        words(row.field) if row.target_kind == "property" else f"{words(row.target_kind)}: {words(row.field)}"
    )
    return Line(
        merged,
        what,
        WORDS[merged.outcome],
        *(side_of(value) for value in (merged.base, merged.office, merged.field, merged.now)),
    )


def _filter(request: HttpRequest) -> MergedFilter:
    try:
        package_id = UUID(request.GET.get("package", ""))
    except ValueError:
        package_id = None
    return MergedFilter(
        outcome=request.GET.get("outcome", "")[:20],
        field=request.GET.get("field", "").strip()[:40],
        street=request.GET.get("street", "").strip()[:60],
        package_id=package_id,
    )
