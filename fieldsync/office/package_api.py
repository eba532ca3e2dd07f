"""Work packages over HTTP, for the office."""

from __future__ import annotations

import json
from typing import Annotated, Literal
from uuid import UUID

from django.http import FileResponse, HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import Field

from assessment.region.requests import town_of
from assessment.region.rules import Permission
from fieldsync.office import package_schemas as schemas
from fieldsync.packages import choosing, selectors, services
from fieldsync.packages.geopackage import FILE_TYPE, write_geopackage
from fieldsync.packages.models import Package
from fieldsync.packages.rules import Order, Selection, list_year_today, ten_years_before
from fieldsync.packages.tasks import start_build
from fieldsync.review.selectors import list_answers

router = Router(tags=["field work"])
PageSize = Annotated[int, Field(ge=1, le=200)]


@router.get("/packages", response=list[schemas.PackageOut], operation_id="list_packages")
def get_packages(request: HttpRequest, limit: PageSize = 50) -> list[schemas.PackageOut]:
    """Return the town's packages."""
    _, town = town_of(request)
    return [package_out(package) for package in selectors.list_packages(town.code)[:limit]]


@router.post("/packages", response=schemas.PackageOut, operation_id="draw_package")
def post_package(request: HttpRequest, body: schemas.PackageIn) -> schemas.PackageOut:
    """Draw a package of the properties that fit the selection, and start the job that builds it."""
    actor, town = town_of(request, permission=Permission.MANAGE_PACKAGES)
    package = services.draw_package(
        town.code,
        actor=actor,
        title=body.title,
        selection=_selection(body.selection),
        list_year=body.list_year,
        kind=body.kind,
        device_id=body.device_id,
        person_id=body.person_id,
        reason=body.reason,
    )
    return package_out(package, job_id=start_build(package, actor=actor).id)


@router.post("/packages/preview", response=schemas.PackagePreviewOut, operation_id="preview_package")
def post_preview(request: HttpRequest, body: schemas.SelectionIn) -> schemas.PackagePreviewOut:
    """Say what drawing a selection would give, and which open packages hold some of it already."""
    _, town = town_of(request, permission=Permission.MANAGE_PACKAGES)
    preview = choosing.preview_selection(town.code, _selection(body))
    return schemas.PackagePreviewOut(
        count=preview.count,
        byte_estimate=preview.byte_estimate,
        in_open_packages=[
            schemas.OpenElsewhere(title=title, count=count) for title, count in preview.in_open_packages
        ],
        unknown_identifiers=preview.unknown_identifiers,
        sample=preview.sample,
    )


@router.get("/inspection-standing", response=schemas.StandingOut, operation_id="get_inspection_standing")
def get_standing(request: HttpRequest) -> schemas.StandingOut:
    """Say how many properties were not fully inspected in the ten years before the next list."""
    _, town = town_of(request)
    day = timezone.localdate()
    since = ten_years_before(day.replace(year=list_year_today(day), month=10, day=1))
    standing = choosing.inspection_standing(town.code, since)
    return schemas.StandingOut(
        since=since, count=standing.count, never=standing.never, oldest_on=standing.oldest_on
    )


@router.get("/packages/{uuid:package_id}", response=schemas.PackageOut, operation_id="get_package")
def get_one_package(request: HttpRequest, package_id: UUID) -> schemas.PackageOut:
    """Return one package."""
    town_of(request)
    return package_out(selectors.get_package(package_id))


@router.get("/packages/{uuid:package_id}/file", operation_id="get_package_file")
def get_file(request: HttpRequest, package_id: UUID, format: Literal["gpkg"] = "gpkg") -> FileResponse:  # noqa: A002
    """Return a package for a GIS: layers of parcels, buildings and inspections, in EPSG:2234."""
    town_of(request)
    package = selectors.get_package(package_id)
    stream = write_geopackage(package)
    return FileResponse(
        stream, as_attachment=True, filename=f"package-{package.id}.{format}", content_type=FILE_TYPE
    )


@router.post("/packages/{uuid:package_id}/assign", response=schemas.PackageOut, operation_id="assign_package")
def post_assign(request: HttpRequest, package_id: UUID, body: schemas.AssignIn) -> schemas.PackageOut:
    """Give a package to a device or a person, or take it back."""
    actor, _ = town_of(request, permission=Permission.MANAGE_PACKAGES)
    if body.device_id is None and body.person_id is None:
        return package_out(services.take_back_package(package_id, actor=actor))
    return package_out(
        services.assign_package(package_id, body.device_id, person_id=body.person_id, actor=actor)
    )


@router.post(
    "/packages/{uuid:package_id}/split", response=list[schemas.PackageOut], operation_id="split_package"
)
def post_split(request: HttpRequest, package_id: UUID, body: schemas.SplitIn) -> list[schemas.PackageOut]:
    """Divide a package; the first part stays itself, and each is built."""
    actor, _ = town_of(request, permission=Permission.MANAGE_PACKAGES)
    made = services.split_package(package_id, body.into, actor=actor)
    return [package_out(package, job_id=start_build(package, actor=actor).id) for package in made]


@router.post("/packages/{uuid:package_id}/build", response=schemas.PackageOut, operation_id="build_package")
def post_build(request: HttpRequest, package_id: UUID) -> schemas.PackageOut:
    """Start the job that builds a package anew."""
    actor, _ = town_of(request, permission=Permission.MANAGE_PACKAGES)
    package = selectors.get_package(package_id)
    return package_out(package, job_id=start_build(package, actor=actor).id)


@router.post("/packages/{uuid:package_id}/close", response=schemas.PackageOut, operation_id="close_package")
def post_close(request: HttpRequest, package_id: UUID) -> schemas.PackageOut:
    """End a package; what tablets still hold for it is taken when it comes."""
    actor, _ = town_of(request, permission=Permission.MANAGE_PACKAGES)
    return package_out(services.close_package(package_id, actor=actor))


@router.get("/review-answers", response=list[schemas.ReviewAnswerOut], operation_id="list_review_answers")
def get_review_answers(
    request: HttpRequest, package_id: UUID | None = None, limit: PageSize = 50
) -> list[schemas.ReviewAnswerOut]:
    """Return what reviewers in the field said of proposed values, the newest first."""
    _, town = town_of(request)
    names = ("id", "property_id", "list_year", "decision", "proposed_value", "value", "reason", "answered_at")
    return [
        schemas.ReviewAnswerOut(
            **{name: getattr(answer, name) for name in names},
            address=answer.property.address,
            answered_by=answer.answered_by.name if answer.answered_by else None,
        )
        for answer in list_answers(town.code, package_id=package_id)[:limit]
    ]


def package_out(package: Package, *, job_id: UUID | None = None) -> schemas.PackageOut:
    """Return a package as the wire has it."""
    return schemas.PackageOut(
        id=package.id,
        title=package.title,
        kind=package.kind,
        state=package.state,
        list_year=package.list_year,
        device_id=package.device_id,
        person_id=package.person_id,
        parent_id=package.parent_id,
        reason=package.reason,
        record_count=package.record_count,
        byte_count=package.byte_count,
        drawn_at=package.drawn_at,
        checked_out_at=package.checked_out_at,
        job_id=job_id,
    )


def _selection(said: schemas.SelectionIn) -> Selection:
    area = said.area if isinstance(said.area, str) else json.dumps(said.area) if said.area else ""
    return Selection(
        property_ids=tuple(said.property_ids),
        identifiers=tuple(said.identifiers),
        neighbourhood=said.neighbourhood,
        street=said.street,
        area=area,
        area_crs=said.area_crs,
        parcels_in=tuple(dict.fromkeys(said.parcels_in)),
        parcels_out=tuple(dict.fromkeys(said.parcels_out)),
        route=json.dumps(said.route) if said.route else "",
        permits_from=said.permits_from,
        permits_to=said.permits_to,
        not_inspected_since=said.not_inspected_since,
        sales_from=said.sales_from,
        sales_to=said.sales_to,
        limit=said.limit,
        skip_open=said.skip_open,
        order=Order(said.order),
    )
