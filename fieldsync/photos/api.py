"""/photos/lookup and /uploads: bytes by tus 1.0 (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from ninja import Router

from fieldsync.devices.auth import DeviceBearer, device_scope
from fieldsync.photos import rules, services, spool
from fieldsync.photos.models import Upload
from fieldsync.photos.schemas import LookupIn, LookupOut
from fieldsync.problems import (
    TusVersionUnsupported,
    UploadHeaderInvalid,
    UploadTooLarge,
    UploadTypeInvalid,
)

router = Router(tags=["photos"], auth=DeviceBearer())


@router.post("/photos/lookup", response=LookupOut, operation_id="lookup_photos")
def lookup(request: HttpRequest, body: LookupIn) -> LookupOut:
    """Say which bytes the device's town already has."""
    with device_scope(request, may_be_revoked=True) as device:
        known = services.known_hashes(device.town_id, body.sha256)
    return LookupOut(known=known, missing=sorted(set(body.sha256) - set(known)))


@router.api_operation(["OPTIONS"], "/uploads", operation_id="describe_uploads", auth=None)
def describe(request: HttpRequest) -> HttpResponse:
    """Say what of tus is spoken here."""
    response = _answer(204)
    response["Tus-Version"] = rules.TUS_VERSION
    response["Tus-Extension"] = rules.TUS_EXTENSIONS
    response["Tus-Max-Size"] = str(rules.PHOTO_MAX_BYTES)
    response["Tus-Checksum-Algorithm"] = ",".join(rules.CHECKSUM_ALGORITHMS)
    return response


@router.post("/uploads", operation_id="begin_upload")
def begin(request: HttpRequest) -> HttpResponse:
    """Begin an upload, with its first bytes in the body if the client likes; again is the same upload."""
    _require_version(request)
    try:
        declared = rules.read_declared(
            request.headers.get("Upload-Length"), request.headers.get("Upload-Metadata")
        )
        check = rules.read_chunk_checksum(request.headers.get("Upload-Checksum"))
    except rules.BadHeader as error:
        raise UploadHeaderInvalid(str(error)) from error
    if declared.length > rules.PHOTO_MAX_BYTES:
        raise UploadTooLarge(max_bytes=rules.PHOTO_MAX_BYTES)
    spool.require_space(declared.length)
    with device_scope(request, may_be_revoked=True) as device:
        upload = services.begin_upload(device, declared)
    offset = services.offset_of(upload)
    count = int(request.META.get("CONTENT_LENGTH") or 0)
    if count:
        _require_chunk_type(request)
        offset = services.receive_bytes(upload, request.read, offset=None, count=count, check=check)
    response = _answer(201, upload, offset)
    response["Location"] = f"{request.path.rstrip('/')}/{upload.id}"
    return response


@router.api_operation(["HEAD"], "/uploads/{upload_id}", operation_id="ask_upload_offset")
def ask(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Say how many bytes have come."""
    _require_version(request)
    with device_scope(request, may_be_revoked=True) as device:
        upload = services.get_upload(upload_id, device)
    response = _answer(200, upload, services.offset_of(upload))
    response["Upload-Length"] = str(upload.length)
    response["Cache-Control"] = "no-store"
    return response


@router.patch("/uploads/{upload_id}", operation_id="send_upload_chunk")
def send(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Append a chunk; the last one is answered when the whole photo is verified and on disk."""
    _require_version(request)
    _require_chunk_type(request)
    try:
        offset = rules.read_count(request.headers.get("Upload-Offset"), "Upload-Offset")
        count = rules.read_count(request.META.get("CONTENT_LENGTH") or None, "Content-Length")
        check = rules.read_chunk_checksum(request.headers.get("Upload-Checksum"))
    except rules.BadHeader as error:
        raise UploadHeaderInvalid(str(error)) from error
    with device_scope(request, may_be_revoked=True) as device:
        upload = services.get_upload(upload_id, device)
    return _answer(
        204,
        upload,
        services.receive_bytes(upload, request.read, offset=offset, count=count, check=check),
    )


@router.delete("/uploads/{upload_id}", operation_id="end_upload")
def end(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Give an upload up."""
    _require_version(request)
    with device_scope(request, may_be_revoked=True) as device:
        services.end_upload(services.get_upload(upload_id, device))
    return _answer(204)


def _require_version(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable") != rules.TUS_VERSION:
        problem = TusVersionUnsupported()
        problem.headers["Tus-Version"] = rules.TUS_VERSION
        raise problem


def _require_chunk_type(request: HttpRequest) -> None:
    if request.headers.get("Content-Type") != rules.CHUNK_TYPE:
        raise UploadTypeInvalid


def _answer(status: int, upload: Upload | None = None, offset: int | None = None) -> HttpResponse:
    response = HttpResponse(status=status)
    response["Tus-Resumable"] = rules.TUS_VERSION
    if upload is not None:
        response["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    if offset is not None:
        response["Upload-Offset"] = str(offset)
    return response
