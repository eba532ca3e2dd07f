"""Work packages as pages: the list, drawing with a preview, one package, and what may be done with it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from assessment.jobs.selectors import find_open_job
from assessment.office.pages.base import town_page
from assessment.office.pages.jobs import view_of
from assessment.office.registries import PageScope
from assessment.region.errors import Invalid, Problem
from assessment.region.models import Person
from assessment.region.rules import Permission, Role, permissions_of
from assessment.region.selectors import list_people
from fieldsync.devices import selectors as devices
from fieldsync.devices.models import Device
from fieldsync.office.frame import back, field_page, paged
from fieldsync.office.map_pages import tiles_address
from fieldsync.packages import choosing, selectors, services
from fieldsync.packages.forms import DrawForm
from fieldsync.packages.geopackage import FILE_TYPE, write_geopackage
from fieldsync.packages.models import Package
from fieldsync.packages.rules import list_year_today, ten_years_before
from fieldsync.packages.tasks import BUILD_PACKAGE, start_build
from fieldsync.review.selectors import list_answers

SHOWN_PROPERTIES = 500
# What the map writes; it may be typed as well.
MAP_FIELDS = ("area", "area_crs", "route", "parcels_in", "parcels_out")


@town_page("view")
def package_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's packages, the open ones first."""
    page = paged(request, selectors.list_packages(scope.town.code))
    values = {"tab": "packages", "page": page, "may_manage": scope.may("manage_packages")}
    return field_page(request, scope, "packages.html", "Work packages", values)


@town_page("manage_packages", methods=("GET", "POST"))
def package_draw(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Choose properties; show what the package would be; draw it, and start the job that builds it."""
    if request.method != "POST":
        return _draw_page(request, scope, DrawForm())
    form = DrawForm(request.POST)
    if not form.is_valid():
        return _draw_page(request, scope, form)
    try:
        if request.POST.get("step") == "preview":
            preview = choosing.preview_selection(scope.town.code, form.selection())
            return _draw_page(request, scope, form, preview=preview)
        package = services.draw_package(
            scope.town.code,
            actor=scope.actor,
            title=form.cleaned_data["title"],
            selection=form.selection(),
            list_year=form.cleaned_data["list_year"],
            kind=form.cleaned_data["kind"],
        )
    except Problem as problem:
        form.add_error(None, problem.detail)
        return _draw_page(request, scope, form)
    start_build(package, actor=scope.actor)
    messages.success(request, f"{package.title}: {package.record_count:,} properties; it is being built.")
    return _to_package(request, scope, package)


@town_page("view")
def package_page(request: HttpRequest, scope: PageScope, package_id: UUID) -> HttpResponse:
    """Show one package: who has it, how far its build is, its parts and its properties."""
    package = selectors.get_package(package_id)
    records = selectors.list_records(package.id)
    job = find_open_job(BUILD_PACKAGE, town_code=scope.town.code, key=str(package.id))
    may_manage = scope.may("manage_packages") and package.state != Package.State.CLOSED
    lines = devices.list_devices(scope.town.code, now=timezone.now()) if may_manage else []
    values = {
        "tab": "packages",
        "package": package,
        "job": view_of(job, scope) if job else None,
        "parts": (package.manifest or {}).get("parts", []),
        "children": package.children.order_by("drawn_at", "id"),
        "addresses": choosing.addresses_of(records[:SHOWN_PROPERTIES]),
        "more": max(0, len(records) - SHOWN_PROPERTIES),
        "answers": list_answers(scope.town.code, package_id=package.id)[:SHOWN_PROPERTIES]
        if package.kind == Package.Kind.REVIEW
        else None,
        "tiles": tiles_address(scope) if records else None,
        "may_manage": may_manage,
        "devices": [line.device for line in lines if line.device.state == Device.State.ACTIVE],
        "people": list_inspectors(scope) if may_manage else [],
    }
    return field_page(request, scope, "package.html", package.title, values)


@town_page("manage_packages", methods=("POST",))
def package_change(request: HttpRequest, scope: PageScope, package_id: UUID) -> HttpResponse:
    """Assign a package, take it back, split it, build it anew or close it."""
    package = selectors.get_package(package_id)
    try:
        said = _change(request, scope, package)
    except Problem as problem:
        messages.error(request, problem.detail or problem.title)
    else:
        messages.success(request, f"{package.title} {said}.")
    return _to_package(request, scope, package)


@town_page("view")
def package_file(request: HttpRequest, scope: PageScope, package_id: UUID) -> HttpResponseBase:
    """Give the package as a GeoPackage."""
    package = selectors.get_package(package_id)
    stream = write_geopackage(package)
    return FileResponse(
        stream, as_attachment=True, filename=f"package-{package.id}.gpkg", content_type=FILE_TYPE
    )


def _change(request: HttpRequest, scope: PageScope, package: Package) -> str:
    step, actor = request.POST.get("step"), scope.actor
    if step == "assign":
        device, person = (_uuid(request.POST.get(name, "")) for name in ("device", "person"))
        if device is None and person is None:
            raise Invalid("Choose a tablet or a person first.")
        services.assign_package(package.id, device, person_id=person, actor=actor)
        return "is assigned"
    if step == "take-back":
        services.take_back_package(package.id, actor=actor)
        return "is taken back"
    if step == "split":
        number = request.POST.get("into", "")
        made = services.split_package(package.id, int(number) if number.isdecimal() else 0, actor=actor)
        for each in made:
            start_build(each, actor=actor)
        return f"is now {len(made)} packages"
    if step == "build":
        start_build(package, actor=actor)
        return "is being built anew"
    if step == "close":
        services.close_package(package.id, actor=actor)
        return "is closed"
    raise Invalid("This is not one of the choices.")


def _draw_page(
    request: HttpRequest, scope: PageScope, form: DrawForm, *, preview: choosing.Preview | None = None
) -> HttpResponse:
    year = list_year_today(timezone.localdate())
    since = ten_years_before(timezone.localdate().replace(year=year, month=10, day=1))
    values = {
        "tab": "packages",
        "form": form,
        "preview": preview,
        "standing": choosing.inspection_standing(scope.town.code, since),
        "since": since,
        "tiles": tiles_address(scope),
        "map_fields": MAP_FIELDS,
        "is_map_wrong": any(name in form.errors for name in MAP_FIELDS),
    }
    return field_page(request, scope, "package_draw.html", "Draw a package", values)


def list_inspectors(scope: PageScope) -> list[Person]:
    """Return those who may inspect in the town today."""
    held = list_people(scope.town.code, on=timezone.localdate())
    return [
        person
        for person, roles in held
        if Permission.INSPECT in permissions_of(frozenset(Role(role.role) for role in roles))
    ]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Invalid("This is not one of the choices.") from error


def _to_package(request: HttpRequest, scope: PageScope, package: Package) -> HttpResponse:
    if package.state == Package.State.CLOSED:
        return back(request, scope, "field-packages")
    return redirect(reverse("field-package", kwargs={"town": scope.town.slug, "package_id": package.id}))
