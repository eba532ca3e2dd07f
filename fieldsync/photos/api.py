"""/photos/lookup and /uploads: bytes by tus 1.0 (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from ninja import Router

from fieldsync.devices.auth import DeviceBearer, device_scope, token_of
from fieldsync.photos import rules, services, spool
from fieldsync.photos.models import Upload
from fieldsync.photos.schemas import LookupIn, LookupOut
from fieldsync.problems import (
    FieldProblem,
    TusVersionUnsupported,
    UploadHeaderInvalid,
    UploadTooLarge,
    UploadTypeInvalid,
)

router = Router(tags=["photos"], auth=DeviceBearer())

_P = ParamSpec("_P")


def _speaks_tus(
    handler: Callable[_P, HttpResponse],
) -> Callable[_P, HttpResponse]:
    """Refuse other versions of the protocol, and name ours in every answer, also in a problem."""

    @functools.wraps(handler)
    def handle(*args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        request: Any = args[0]
        try:
            if request.headers.get("Tus-Resumable") != rules.TUS_VERSION:
                problem = TusVersionUnsupported()
                problem.headers["Tus-Version"] = rules.TUS_VERSION
                raise problem
            return handler(*args, **kwargs)
        except rules.BadHeader as error:
            refused = UploadHeaderInvalid(str(error))
            refused.headers["Tus-Resumable"] = rules.TUS_VERSION
            raise refused from error
        except FieldProblem as problem:
            problem.headers["Tus-Resumable"] = rules.TUS_VERSION
            raise

    return handle


@router.post("/photos/lookup", response=LookupOut, operation_id="lookup_photos")
def lookup(request: HttpRequest, body: LookupIn) -> LookupOut:
    """Say which bytes the device's town already has."""
    with device_scope(request, may_be_revoked=True) as device:
        known = services.known_hashes(device.town_id, body.sha256)
    return LookupOut(known=known, missing=sorted(set(body.sha256) - set(known)))


@router.api_operation(
    ["OPTIONS"], "/uploads", response={204: None}, operation_id="describe_uploads", auth=None
)
def describe(request: HttpRequest) -> HttpResponse:
    """Say what of tus is spoken here."""
    response = _answer(204)
    response["Tus-Version"] = rules.TUS_VERSION
    response["Tus-Extension"] = rules.TUS_EXTENSIONS
    response["Tus-Max-Size"] = str(rules.PHOTO_MAX_BYTES)
    response["Tus-Checksum-Algorithm"] = ",".join(rules.CHECKSUM_ALGORITHMS)
    return response


@router.post("/uploads", response={201: None}, operation_id="begin_upload")
@_speaks_tus
def begin(request: HttpRequest) -> HttpResponse:
    """Begin an upload, with its first bytes in the body if the client likes; again is the same upload."""
    declared = rules.read_declared(
        request.headers.get("Upload-Length"), request.headers.get("Upload-Metadata")
    )
    check = rules.read_chunk_checksum(request.headers.get("Upload-Checksum"))
    count = rules.read_count(request.META.get("CONTENT_LENGTH") or "0", "Content-Length")
    if count:
        _require_chunk_type(request)
    if declared.length > rules.PHOTO_MAX_BYTES:
        raise UploadTooLarge(max_bytes=rules.PHOTO_MAX_BYTES)
    spool.require_space(declared.length)
    open_scope = functools.partial(device_scope, request, may_be_revoked=True)
    if 0 < count == declared.length <= rules.ONE_REQUEST_MAX_BYTES:
        token = token_of(request)
        upload, offset = services.receive_photo(
            open_scope,
            device_id=token.device_id,
            town_code=token.town_code,
            declared=declared,
            read=_reader(request),
            check=check,
        )
        if upload.state == Upload.State.QUARANTINED:
            with open_scope():  # so that the answer tells the device what the office has decided about it
                pass
    else:
        with open_scope() as device:
            upload = services.begin_upload(device, declared)
        offset = services.offset_of(upload)
        if count and offset == 0:
            offset = services.receive_bytes(upload, _reader(request), offset=None, count=count, check=check)
    response = _answer(201, upload, offset)
    response["Location"] = f"{request.path.rstrip('/')}/{upload.id}"
    return response


@router.api_operation(["HEAD"], "/uploads/{upload_id}", operation_id="ask_upload_offset")
@_speaks_tus
def ask(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Say how many bytes have come."""
    with device_scope(request, may_be_revoked=True) as device:
        upload = services.get_upload(upload_id, device)
    response = _answer(200, upload, services.offset_of(upload))
    response["Upload-Length"] = str(upload.length)
    response["Cache-Control"] = "no-store"
    return response


@router.patch("/uploads/{upload_id}", response={204: None}, operation_id="send_upload_chunk")
@_speaks_tus
def send(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Append a chunk; the last one is answered when the whole photo is verified and on disk."""
    return _send(request, upload_id)


@router.delete("/uploads/{upload_id}", response={204: None}, operation_id="end_upload")
@_speaks_tus
def end(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Give an upload up."""
    return _end(request, upload_id)


@router.post("/uploads/{upload_id}", response={200: None, 204: None}, operation_id="override_upload_method")
@_speaks_tus
def override(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Do as ``X-HTTP-Method-Override`` says, for networks that let only GET and POST through."""
    method = request.headers.get("X-HTTP-Method-Override", "")
    if method not in rules.METHOD_OVERRIDES:
        raise UploadHeaderInvalid("X-HTTP-Method-Override must be PATCH or DELETE")
    return _send(request, upload_id) if method == "PATCH" else _end(request, upload_id)


def _send(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    _require_chunk_type(request)
    offset = rules.read_count(request.headers.get("Upload-Offset"), "Upload-Offset")
    count = rules.read_count(request.META.get("CONTENT_LENGTH") or None, "Content-Length")
    check = rules.read_chunk_checksum(request.headers.get("Upload-Checksum"))
    with device_scope(request, may_be_revoked=True) as device:
        upload = services.get_upload(upload_id, device)
    spool.require_space(count)
    return _answer(
        204,
        upload,
        services.receive_bytes(upload, _reader(request), offset=offset, count=count, check=check),
    )


def _end(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    with device_scope(request, may_be_revoked=True) as device:
        services.end_upload(services.get_upload(upload_id, device))
    return _answer(204)


def _reader(request: HttpRequest) -> Callable[[int], bytes]:
    """Return what reads the body. A line that has gone silent ends the request, and frees its thread."""
    line: Any = request.META.get("gunicorn.socket")
    if line is not None:
        line.settimeout(settings.UPLOAD_SILENCE_S)
    return request.read


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
