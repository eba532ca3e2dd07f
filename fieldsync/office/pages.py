"""The field as the office sees it: tablets, work packages, disagreements, what waits in quarantine."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from assessment.jobs.services import start_job
from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope, QueueState
from assessment.region.errors import Invalid, Problem
from assessment.region.models import Person
from assessment.region.scope import because
from assessment.region.selectors import list_people
from fieldsync.conflicts import selectors as conflicts
from fieldsync.conflicts.models import Conflict
from fieldsync.conflicts.services import reopen_conflict, resolve_conflict
from fieldsync.devices import selectors as devices
from fieldsync.devices.models import Device
from fieldsync.office.device_view import list_rows
from fieldsync.office.frame import back, field_page, field_url, paged, read_choice
from fieldsync.packages import selectors as packages
from fieldsync.packages import services as package_services
from fieldsync.packages.forms import DrawForm
from fieldsync.packages.models import Package
from fieldsync.packages.tasks import BUILD_PACKAGE


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
def package_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's packages, with the form for drawing one."""
    return _packages(request, scope, DrawForm())


@town_page("manage_packages", methods=("POST",))
def package_draw(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Draw a package, and start the job that builds it."""
    form = DrawForm(request.POST)
    if not form.is_valid():
        return _packages(request, scope, form)
    try:
        package = package_services.draw_package(
            scope.town.code,
            actor=scope.actor,
            title=form.cleaned_data["title"],
            selection=form.selection(),
            list_year=form.cleaned_data["list_year"],
            kind=form.cleaned_data["kind"],
        )
    except Invalid as problem:
        form.add_error(None, problem.detail)
        return _packages(request, scope, form)
    _start_build(package, scope)
    messages.success(request, f"{package.title}: {package.record_count:,} properties; it is being built.")
    return back(request, scope, "field-packages")


@town_page("manage_packages", methods=("POST",))
def package_change(request: HttpRequest, scope: PageScope, package_id: UUID) -> HttpResponse:
    """Assign a package, take it back, build it anew or close it."""
    package = packages.get_package(package_id)
    step = request.POST.get("step")
    if step == "assign" and request.POST.get("device"):
        package_services.assign_package(package.id, _uuid(request.POST["device"]), actor=scope.actor)
        said = "assigned"
    elif step == "take-back":
        package_services.take_back_package(package.id, actor=scope.actor)
        said = "taken back"
    elif step == "build":
        _start_build(package, scope)
        said = "being built anew"
    elif step == "close":
        package_services.close_package(package.id, actor=scope.actor)
        said = "closed"
    else:
        messages.error(request, "Choose a tablet first.")
        return back(request, scope, "field-packages")
    messages.success(request, f"{package.title} is {said}.")
    return back(request, scope, "field-packages")


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


def _packages(request: HttpRequest, scope: PageScope, form: DrawForm) -> HttpResponse:
    lines = devices.list_devices(scope.town.code, now=timezone.now())
    values = {
        "tab": "packages",
        "page": paged(request, packages.list_packages(scope.town.code)),
        "devices": [line.device for line in lines if line.device.state == Device.State.ACTIVE],
        "form": form,
        "may_manage": scope.may("manage_packages"),
    }
    return field_page(request, scope, "packages.html", "Work packages", values)


def _start_build(package: Package, scope: PageScope) -> None:
    start_job(
        BUILD_PACKAGE,
        actor=scope.actor,
        town=package.town_id,
        payload={"package_id": str(package.id)},
        key=str(package.id),
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid("This is not one of the tablets.") from error
