"""Serving tile archives by ranges, as PMTiles readers ask for them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from assessment.property.blobs import BlobPart
from assessment.region.middleware import ScopedRequest
from assessment.region.rules import Permission
from gis.tiles.models import TileArchive
from gis.tiles.ranges import ByteRange, Unsatisfiable, parse_range
from gis.tiles.selectors import get_archive
from gis.tiles.services import MEDIA_TYPE

# What a version's address answers never changes; private, since a shared cache does not know who may see it.
_CACHE: Final = "private, max-age=604800, immutable"


@require_safe
def archive(request: ScopedRequest, town: str, version: UUID) -> HttpResponseBase:
    """The archive of one fabric version of the town; another town's is answered like none."""
    del town  # the middleware resolved it, and answered 404 where the person has no role
    assert request.town is not None
    request.actor.require(Permission.VIEW, request.town.code)
    return serve_archive(request, get_archive(request.town.code, version))


def serve_archive(request: HttpRequest, found: TileArchive) -> HttpResponseBase:
    """Answer a GET or HEAD, whole or by range; call inside the scope of the archive's town.

    The file is found here and streamed later without the database: a scope does not outlive its request.
    """
    size, etag = found.blob.byte_count, f'"{found.blob.sha256}"'
    if request.headers.get("If-None-Match") == etag:
        return _with_headers(HttpResponse(status=304), etag)
    asked = request.headers.get("Range")
    if asked and request.headers.get("If-Range", etag) != etag:
        asked = None
    try:
        wanted = parse_range(asked, size)
    except Unsatisfiable:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return _with_headers(refused, etag)
    part = wanted or ByteRange(0, size - 1)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse()
    else:
        response = StreamingHttpResponse(BlobPart(found.blob.sha256, part.first, part.last + 1))
    response.status_code = 206 if wanted else 200
    response["Content-Length"] = str(part.length)
    if wanted:
        response["Content-Range"] = part.content_range(size)
    return _with_headers(response, etag)


def _with_headers(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["Content-Type"] = MEDIA_TYPE
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = _CACHE
    return response
