"""/packages and /blobs: what a device takes with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from assessment.property.blobs import BlobPart, get_blob
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from fieldsync.devices.auth import DeviceBearer, device_scope
from fieldsync.devices.gates import require_fit_for_work
from fieldsync.limits import current_limits
from fieldsync.packages import selectors, services
from fieldsync.packages.models import Package
from fieldsync.packages.rules import read_range
from fieldsync.packages.schemas import ManifestOut, PackageLine, PackagesOut
from fieldsync.packages.tasks import start_build
from fieldsync.photos.rules import is_sha256
from fieldsync.photos.selectors import may_fetch
from fieldsync.problems import PackageClosed, PackageNotReady, RangeNotSatisfiable

router = Router(tags=["packages"], auth=DeviceBearer())


@router.get("/packages", response=PackagesOut, operation_id="list_own_packages")
def list_packages(request: HttpRequest) -> PackagesOut:
    """Return the packages assigned to this device."""
    with device_scope(request) as device:
        packages = selectors.list_packages_of_device(device.id)
        lines = [_line(package, device.id) for package in packages]
    return PackagesOut(packages=lines)


@router.post("/packages/{package_id}/checkout", response=PackageLine, operation_id="check_out_package")
def check_out(request: HttpRequest, package_id: UUID) -> PackageLine:
    """Say that this device works on the package now: the office sees it, and nobody is kept from anything.

    Refused to an app that is too old to begin with new work; what it has collected is taken all the same.
    """
    with device_scope(request) as device:
        require_fit_for_work(request, device)
        package = services.check_out_package(selectors.get_package_of_device(package_id, device.id), device)
        return _line(package, device.id)


@router.post("/packages/{package_id}/release", response=PackageLine, operation_id="release_package")
def release(request: HttpRequest, package_id: UUID) -> PackageLine:
    """Say that this device works on the package no more."""
    with device_scope(request) as device:
        package = services.release_package(selectors.get_package_of_device(package_id, device.id), device)
        return _line(package, device.id)


@router.get("/packages/{package_id}/manifest", response=ManifestOut, operation_id="get_manifest")
def get_manifest(request: HttpRequest, package_id: UUID) -> Any:
    """Return the parts of a package; 304 when the device has this build already."""
    with device_scope(request) as device:
        require_fit_for_work(request, device)
        package = selectors.get_package_of_device(package_id, device.id)
        is_of_this_epoch = services.is_current(package)
        if not is_of_this_epoch and package.manifest is not None:
            start_build(package, actor=Actor.system("build a package anew after a restore"))
    if package.state == Package.State.CLOSED:
        raise PackageClosed
    if package.manifest is None or not is_of_this_epoch:
        raise PackageNotReady
    etag = _etag(package)
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    response = HttpResponse(
        ManifestOut(**package.manifest, limits=current_limits().told()).model_dump_json(),
        content_type="application/json",
    )
    response["ETag"] = etag
    return response


@router.get("/blobs/{sha256}", operation_id="get_blob")
def get_bytes(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """Return immutable bytes that the device's town holds, whole or one range of them.

    A range goes on only while ``If-Range`` names these bytes; 304 to who has them, 416 with the length to who
    asks for what lies behind their end.
    """
    if not is_sha256(sha256):
        raise NotFound("There is no such file.")
    etag = f'"{sha256}"'
    with device_scope(request) as device:
        blob = get_blob(sha256)
        if not may_fetch(device, sha256):
            raise NotFound("There is no such file.")
        if etag in request.headers.get("If-None-Match", ""):
            return _with_headers(HttpResponse(status=304), etag)
        asked = request.headers.get("Range")
        if request.headers.get("If-Range", etag) != etag:
            asked = None
        try:
            span = read_range(asked, blob.byte_count)
        except ValueError as error:
            refused = RangeNotSatisfiable(str(error))
            refused.headers["Content-Range"] = f"bytes */{blob.byte_count}"
            raise refused from error
        first, stop = span or (0, blob.byte_count)
        part = BlobPart(sha256, first, stop)
    response = StreamingHttpResponse(part, status=206 if span else 200, content_type=blob.media_type)
    response["Content-Length"] = str(stop - first)
    if span:
        response["Content-Range"] = f"bytes {first}-{stop - 1}/{blob.byte_count}"
    return _with_headers(response, etag)


def _with_headers(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def _etag(package: Package) -> str:
    built = package.built_at.timestamp() if package.built_at else 0
    return f'"{package.id.hex}-{built:.6f}"'


def _line(package: Package, device_id: UUID) -> PackageLine:
    return PackageLine(
        package_id=package.id,
        title=package.title,
        kind=package.kind,
        state=package.state,
        list_year=package.list_year,
        schema_version=package.schema_version,
        record_count=package.record_count,
        byte_count=package.byte_count,
        etag=_etag(package),
        reason=package.reason,
        checked_out_at=package.checked_out_at,
        is_checked_out_here=package.checked_out_by_id == device_id,
    )
