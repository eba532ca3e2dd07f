"""Bytes of photos, for the towns in scope only."""

from __future__ import annotations

from uuid import UUID

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
)

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope
from assessment.property.blobs import get_blob, open_blob
from assessment.property.models import Photo

# What a browser may show; anything else is handed over as a download.
_SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})


@town_page("view")
def photo(request: HttpRequest, scope: PageScope, photo_id: UUID, size: str) -> HttpResponseBase:
    """Answer a verified photo's bytes: ``original``, ``web`` or ``thumbnail`` (the next larger where none is made)."""
    row = Photo.objects.filter(
        id=photo_id, town_id=scope.town.code, state__in=(Photo.State.VERIFIED, Photo.State.PROCESSED)
    ).first()
    if row is None:
        raise Http404
    hashes = {
        "thumbnail": row.thumbnail_sha256 or row.web_sha256 or row.sha256,
        "web": row.web_sha256 or row.sha256,
        "original": row.sha256,
    }
    sha256 = hashes.get(size)
    if not sha256:
        raise Http404
    if request.headers.get("If-None-Match") == f'"{sha256}"':
        return HttpResponseNotModified()
    blob = get_blob(sha256)
    response: HttpResponse | FileResponse = FileResponse(open_blob(sha256), content_type=blob.media_type)
    if blob.media_type not in _SHOWN:
        response["Content-Disposition"] = "attachment"
    response["ETag"] = f'"{sha256}"'
    response["Cache-Control"] = "private, max-age=86400"
    return response
