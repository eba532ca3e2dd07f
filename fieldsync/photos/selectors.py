"""Reading photos as the office needs them: what is missing, what differs, what waits in quarantine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from assessment.property.models import Inspection, Photo, Property
from fieldsync.devices.models import Device
from fieldsync.photos.models import Upload
from fieldsync.photos.services import ON_THE_WAY


class View(StrEnum):
    """Which photos are listed."""

    MISSING = "missing"
    DIFFERING = "differing"
    UNPROCESSABLE = "unprocessable"
    VERSIONS = "versions"


@dataclass(slots=True)
class VisitPhotos:
    """The photos of one visit: complete only when none is missing.

    Attributes
    ----------
    missing
        Declared or named, and not verified; the overdue ones have the state ``missing``.
    """

    inspection_id: UUID | None
    property: Property | None
    inspection: Inspection | None
    named: int = 0
    missing: list[Photo] = field(default_factory=list)


def list_photos(town_code: int, view: View) -> QuerySet[Photo]:
    """Return a town's photos of one kind, the oldest first; the caller pages them."""
    rows = Photo.objects.filter(town_id=town_code).select_related("property")
    match view:
        case View.MISSING:
            rows = rows.filter(state__in=ON_THE_WAY)
        case View.DIFFERING:
            rows = rows.filter(warnings__contains=[{"code": "time-differs"}]) | rows.filter(
                warnings__contains=[{"code": "place-differs"}]
            )
        case View.UNPROCESSABLE:
            rows = rows.filter(state=Photo.State.UNPROCESSABLE)
        case View.VERSIONS:
            rows = rows.filter(version_of__isnull=False)
    return rows.order_by("created_at", "id")


def list_missing_by_visit(photos: Iterable[Photo]) -> list[VisitPhotos]:
    """Return the visits of some missing photos, each with how many it named and which of these lack."""
    visits: dict[UUID | None, VisitPhotos] = {}
    for photo in photos:
        visit = visits.setdefault(photo.inspection_id, VisitPhotos(photo.inspection_id, photo.property, None))
        visit.missing.append(photo)
    ids = [key for key in visits if key is not None]
    for inspection in Inspection.objects.filter(id__in=ids).select_related("inspected_by"):
        visits[inspection.id].inspection = inspection
    for key in Photo.objects.filter(inspection_id__in=ids).values_list("inspection_id", flat=True):
        visits[key].named += 1
    return list(visits.values())


def missing_photos(inspection_id: UUID) -> list[UUID]:
    """Return the ids of a visit's photos whose bytes are not here and verified."""
    rows = Photo.objects.filter(inspection_id=inspection_id, state__in=ON_THE_WAY)
    return list(rows.order_by("id").values_list("id", flat=True))


def count_missing(town_code: int) -> int:
    """Return how many photos are overdue."""
    return Photo.objects.filter(town_id=town_code, state=Photo.State.MISSING).count()


def list_quarantined(town_code: int) -> QuerySet[Upload]:
    """Return what suspended and revoked tablets have sent, the oldest first; the caller pages it."""
    rows = Upload.objects.filter(town_id=town_code, state=Upload.State.QUARANTINED)
    return rows.select_related("device", "discard_asked_by").order_by("finished_at", "id")


def count_quarantined(town_code: int) -> int:
    """Return how many uploads wait for a person."""
    return Upload.objects.filter(town_id=town_code, state=Upload.State.QUARANTINED).count()


def list_unclaimed(town_code: int) -> QuerySet[Upload]:
    """Return bytes that came whole and that no tablet has declared yet, the oldest first."""
    photos = Photo.objects.filter(town_id=OuterRef("town_id"), sha256=OuterRef("sha256"))
    rows = Upload.objects.filter(~Exists(photos), town_id=town_code, state=Upload.State.VERIFIED)
    return rows.select_related("device").order_by("finished_at", "id")


def may_fetch(device: Device, sha256: str) -> bool:
    """Say whether a device may have these bytes: of photos' originals only those that it has sent itself.

    An original tells where, when and with what it was taken; renditions do not.
    """
    photos = Photo.objects.filter(town_id=device.town_id)
    if not photos.filter(sha256=sha256).exists() and not _is_unclaimed(device, sha256):
        return True
    if photos.filter(web_sha256=sha256).exists() or photos.filter(thumbnail_sha256=sha256).exists():
        return True
    return Upload.objects.filter(device=device, sha256=sha256).exists()


def _is_unclaimed(device: Device, sha256: str) -> bool:
    return Upload.objects.filter(town_id=device.town_id, sha256=sha256).exists()
