"""Photos of the field over HTTP, for the office: their states, their warnings, what is missing for each visit."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from assessment.property.models import Photo
from assessment.region.requests import town_of
from assessment.region.rules import Permission
from fieldsync.photos import custody, selectors
from fieldsync.photos.models import Upload
from fieldsync.photos.selectors import View

router = Router(tags=["field photos"])
PageSize = Annotated[int, Field(ge=1, le=200)]


class PhotoOut(Schema):
    """A photo, what its tablet said and what its file says otherwise."""

    id: UUID
    property_id: UUID | None
    inspection_id: UUID | None
    state: str
    role: str
    sha256: str
    byte_count: int | None
    taken_at: dt.datetime | None
    latitude: float | None
    longitude: float | None
    exif: dict[str, Any]
    warnings: list[Any]
    version_of: UUID | None


class VisitPhotosOut(Schema):
    """A visit that is not complete: how many photos it named, and those that have not arrived."""

    inspection_id: UUID | None
    property_id: UUID | None
    named: int
    missing_photos: list[UUID]


class QuarantinedOut(Schema):
    """A photo that a suspended or revoked tablet sent."""

    id: UUID
    device_id: UUID
    photo_id: UUID
    sha256: str
    state: str
    finished_at: dt.datetime | None
    discard_asked_by: UUID | None


class PhotoDecisionIn(Schema):
    """What becomes of a quarantined photo. Discarding is done by the second person who asks for it."""

    step: Literal["release", "discard"]
    reason: str = Field(min_length=1, max_length=200)


@router.get("/photos", response=list[PhotoOut], operation_id="list_field_photos")
def get_photos(request: HttpRequest, view: View = View.MISSING, limit: PageSize = 50) -> list[Photo]:
    """Return photos that somebody should look at."""
    _, town = town_of(request, permission=Permission.VIEW)
    return list(selectors.list_photos(town.code, view)[:limit])


@router.get("/photos/missing", response=list[VisitPhotosOut], operation_id="list_missing_photos")
def get_missing(request: HttpRequest, limit: PageSize = 200) -> list[VisitPhotosOut]:
    """Return the visits that lack photos, with which."""
    _, town = town_of(request, permission=Permission.VIEW)
    photos = selectors.list_photos(town.code, View.MISSING)[:limit]
    return [
        VisitPhotosOut(
            inspection_id=visit.inspection_id,
            property_id=visit.property.id if visit.property else None,
            named=visit.named,
            missing_photos=[photo.id for photo in visit.missing],
        )
        for visit in selectors.list_missing_by_visit(photos)
    ]


@router.get("/photos/quarantine", response=list[QuarantinedOut], operation_id="list_quarantined_photos")
def get_quarantined(request: HttpRequest, limit: PageSize = 50) -> list[QuarantinedOut]:
    """Return photos that suspended and revoked tablets sent."""
    _, town = town_of(request, permission=Permission.VIEW)
    return [_quarantined(upload) for upload in selectors.list_quarantined(town.code)[:limit]]


@router.post(
    "/photos/quarantine/{uuid:upload_id}", response=QuarantinedOut, operation_id="decide_quarantined_photo"
)
def post_decision(request: HttpRequest, upload_id: UUID, body: PhotoDecisionIn) -> QuarantinedOut:
    """Let a quarantined photo count, or discard it."""
    actor, _ = town_of(request, permission=Permission.ACCEPT_OBSERVATIONS)
    decide = custody.release_upload if body.step == "release" else custody.discard_upload
    return _quarantined(decide(upload_id, actor=actor, reason=body.reason))


def _quarantined(upload: Upload) -> QuarantinedOut:
    return QuarantinedOut(
        id=upload.id,
        device_id=upload.device_id,
        photo_id=upload.photo_id,
        sha256=upload.sha256,
        state=upload.state,
        finished_at=upload.finished_at,
        discard_asked_by=upload.discard_asked_by_id,
    )
