"""Bytes of photos, for the towns in scope only."""

from __future__ import annotations

from uuid import UUID

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotModified,
)

from assessment.office.pages.base import town_page
from assessment.office.registries import PageScope
from assessment.property.blobs import get_blob, open_blob
from assessment.property.models import Photo
from assessment.region.errors import Forbidden

# What an original may be called; anything else is a stream of octets.
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic"}
_HERE = (Photo.State.VERIFIED, Photo.State.PROCESSED, Photo.State.UNPROCESSABLE)


@town_page("view")
def photo(request: HttpRequest, scope: PageScope, photo_id: UUID, size: str) -> HttpResponseBase:
    """Answer a photo's bytes: ``web`` and ``thumbnail`` as drawn by us, ``original`` as it came.

    The original may say where, when and with what it was taken, and may be anything that a stranger has
    made: only those may have it who judge what the field brought, and only as a download.
    """
    row = Photo.objects.filter(id=photo_id, town_id=scope.town.code, state__in=_HERE).first()
    if row is None:
        raise Http404
    is_original = size == "original"
    if is_original and not scope.may("view_originals"):
        raise Forbidden("Your role does not allow the originals of photos.")
    sha256 = {
        "thumbnail": row.thumbnail_sha256 or row.web_sha256,
        "web": row.web_sha256,
        "original": row.sha256,
    }.get(size)
    if not sha256:
        raise Http404
    if request.headers.get("If-None-Match") == f'"{sha256}"':
        return HttpResponseNotModified()
    blob = get_blob(sha256)
    extension = _EXTENSIONS.get(blob.media_type, "bin")
    response = FileResponse(
        open_blob(sha256),
        content_type=blob.media_type if blob.media_type in _EXTENSIONS else "application/octet-stream",
        as_attachment=is_original or blob.media_type != "image/jpeg",
        filename=f"photo-{row.id}.{extension}",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["ETag"] = f'"{sha256}"'
    response["Cache-Control"] = "private, no-store" if is_original else "private, max-age=86400"
    return response
