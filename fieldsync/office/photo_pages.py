"""The field's photos: what is missing, what the camera says otherwise, what waits in quarantine."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope, QueueState
from assessment.region.errors import Problem
from fieldsync.office.frame import back, field_page, field_url, paged, read_ids
from fieldsync.photos import custody, selectors
from fieldsync.photos.selectors import View

_VIEWS = {
    View.MISSING: "Not arrived",
    View.DIFFERING: "Differing from the tablet",
    View.UNPROCESSABLE: "Cannot be shown",
    View.VERSIONS: "Other bytes under the same id",
}
QUARANTINE, UNCLAIMED = "quarantine", "unclaimed"


@town_page("view")
def photo_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List photos that somebody should look at."""
    chosen = request.GET.get("view", View.MISSING)
    views = {
        **{str(view): title for view, title in _VIEWS.items()},
        QUARANTINE: "In quarantine",
        UNCLAIMED: "Declared by nobody",
    }
    if chosen not in views:
        chosen = View.MISSING
    town = scope.town.code
    values = {
        "tab": "photos",
        "views": views,
        "view": chosen,
        "may_decide": scope.may("accept_observations"),
        "may_have_originals": scope.may("view_originals"),
    }
    if chosen == QUARANTINE:
        values["page"] = paged(request, selectors.list_quarantined(town))
    elif chosen == UNCLAIMED:
        values["page"] = paged(request, selectors.list_unclaimed(town))
    else:
        page = paged(request, selectors.list_photos(town, View(chosen)))
        values["page"] = page
        if chosen == View.MISSING:
            values["visits"] = selectors.list_missing_by_visit(page.rows)
    return field_page(request, scope, "photos.html", "Photos", values)


@town_page("accept_observations", methods=("POST",))
def upload_decide(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Let quarantined photos count, or discard them as the second of two persons."""
    ids, reason = read_ids(request, "upload"), request.POST.get("reason", "").strip()
    step = request.POST.get("step")
    if not ids or not reason or step not in ("release", "discard"):
        messages.error(request, "Mark at least one photo, and give the reason: it stays with it.")
        return back(request, scope, "field-photos")
    done = 0
    for upload_id in ids:
        try:
            if step == "release":
                custody.release_upload(upload_id, actor=scope.actor, reason=reason)
            else:
                custody.discard_upload(upload_id, actor=scope.actor, reason=reason)
            done += 1
        except Problem as problem:
            messages.error(request, problem.detail or problem.title)
    if done:
        said = "count now" if step == "release" else "marked; a second person discards them"
        messages.success(request, f"{done:,} {said}.")
    return back(request, scope, "field-photos")


def photos_state(scope: PageScope) -> QueueState:
    """Return how many photos are overdue or in quarantine, for the town's home."""
    town = scope.town.code
    count = selectors.count_missing(town) + selectors.count_quarantined(town)
    return QueueState(count, field_url(scope, "field-photos"))
