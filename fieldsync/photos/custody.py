"""What becomes of bytes that no photo counts: a revoked tablet's, those nobody declared, those overdue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone

from assessment.property.blobs import lock_bytes, remove_blob
from assessment.property.models import Blob, Document, Photo
from assessment.region.actors import Actor
from assessment.region.errors import Conflict, Invalid, NotFound
from assessment.region.rules import Permission
from assessment.region.scope import because
from fieldsync.packages.models import Package
from fieldsync.photos import spool
from fieldsync.photos.models import Upload
from fieldsync.photos.parameters import value_of
from fieldsync.photos.services import count_photos, end_upload


class SecondPersonNeeded(Invalid):
    """Discarding evidence takes two persons: the one who asked cannot also agree."""


def release_upload(upload_id: UUID, *, actor: Actor, reason: str) -> Upload:
    """Let the photos count whose bytes a suspended or revoked tablet sent.

    Raises
    ------
    NotFound, Forbidden
    Conflict
        Its bytes are not here.
    """
    upload = _lock_quarantined(upload_id, actor)
    lock_bytes([upload.sha256])
    blob = Blob.objects.filter(town_id=upload.town_id, sha256=upload.sha256).first()
    if blob is None:
        raise Conflict(
            "The picture itself is not on this server. The tablet keeps it until it is; ask it to sync."
        )
    with because(reason):
        _decide(upload, Upload.State.VERIFIED, actor, reason)
        count_photos(upload, blob.media_type)
    return upload


def release_declared(
    device_id: UUID, declared: Collection[tuple[UUID, str]], *, actor: Actor, reason: str
) -> int:
    """Let the photos count that a person has accepted the declarations of; returns how many uploads that is.

    Parameters
    ----------
    declared
        Id and SHA-256 of each. Bytes that came under another hash wait for a decision of their own.
    """
    photos = Photo.objects.filter(town_id=OuterRef("town_id"), sha256=OuterRef("sha256"))
    bytes_here = Blob.objects.filter(town_id=OuterRef("town_id"), sha256=OuterRef("sha256"))
    rows = Upload.objects.filter(
        Exists(photos),
        Exists(bytes_here),
        device_id=device_id,
        photo_id__in=[key for key, _ in declared],
        state=Upload.State.QUARANTINED,
    )
    found = [row.id for row in rows.order_by("sha256", "id") if (row.photo_id, row.sha256) in declared]
    for upload_id in found:
        release_upload(upload_id, actor=actor, reason=reason)
    return len(found)


def discard_upload(upload_id: UUID, *, actor: Actor, reason: str) -> Upload:
    """Ask that a quarantined upload be discarded or, as a second person, agree.

    The row stays, and the bytes as long as others'; no photo ever counts by it.

    Raises
    ------
    SecondPersonNeeded, NotFound, Forbidden
    """
    upload = _lock_quarantined(upload_id, actor)
    if upload.discard_asked_by_id is None:
        upload.discard_asked_by_id = actor.person_id
        upload.decision_reason = reason[:200]
        upload.save(update_fields=["discard_asked_by", "decision_reason"])
        return upload
    if upload.discard_asked_by_id == actor.person_id or actor.person_id is None:
        raise SecondPersonNeeded("Another person has to agree that this photo is discarded.")
    _decide(upload, Upload.State.DISCARDED, actor, f"{upload.decision_reason}; agreed: {reason}")
    return upload


def _lock_quarantined(upload_id: UUID, actor: Actor) -> Upload:
    upload = Upload.objects.select_for_update().filter(id=upload_id, state=Upload.State.QUARANTINED).first()
    if upload is None:
        raise NotFound("There is no such photo in quarantine.")
    actor.require(Permission.ACCEPT_OBSERVATIONS, upload.town_id)
    return upload


def _decide(upload: Upload, state: Upload.State, actor: Actor, reason: str) -> None:
    upload.state, upload.decided_by_id, upload.decided_at = state, actor.person_id, timezone.now()
    upload.decision_reason = reason[:200]
    upload.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])


def expire_uploads(town_code: int, *, actor: Actor, now: dt.datetime) -> int:
    """End the uploads whose time is over, and free their disk; returns how many."""
    _require_system(actor)
    rows = Upload.objects.filter(town_id=town_code, state=Upload.State.RECEIVING, expires_at__lte=now)
    count = 0
    for upload in rows.order_by("id"):
        end_upload(upload)
        count += 1
    return count


def mark_missing(town_code: int, *, actor: Actor, now: dt.datetime) -> int:
    """Say of photos that are overdue that they are missing; they count as soon as they come."""
    _require_system(actor)
    due_since = now - dt.timedelta(hours=value_of("missing_after_hours"))
    receiving = Upload.objects.filter(
        town_id=OuterRef("town_id"), sha256=OuterRef("sha256"), state=Upload.State.RECEIVING,
        began_at__gt=due_since,
    )  # fmt: skip
    late = Photo.objects.filter(
        ~Exists(receiving), town_id=town_code, created_at__lte=due_since,
        state__in=(Photo.State.DECLARED, Photo.State.RECEIVING),
    )  # fmt: skip
    with because("the photo's bytes are overdue"):
        return late.update(state=Photo.State.MISSING)


def remove_orphans(town_code: int, *, actor: Actor, now: dt.datetime, limit: int = 500) -> int:
    """Remove bytes that no tablet has declared in 30 days; returns how many.

    Needs a scope that reads every town, since the store keeps the same bytes once for all of them.
    """
    _require_system(actor)
    before = now - dt.timedelta(days=value_of("orphan_days"))
    photos = Photo.objects.filter(town_id=OuterRef("town_id"), sha256=OuterRef("sha256"))
    rows = Upload.objects.filter(
        ~Exists(photos), town_id=town_code, state=Upload.State.VERIFIED, finished_at__lte=before
    )
    count = 0
    for upload in rows.order_by("sha256")[:limit]:
        lock_bytes([upload.sha256])
        if _is_used(upload):
            continue
        upload.state = Upload.State.ENDED
        upload.save(update_fields=["state"])
        remove_blob(upload.sha256, town_code=town_code)
        count += 1
    return count


def sweep_files(*, now: dt.datetime) -> int:
    """Remove what cut requests have left in the folder of uploads, once no upload can need it."""
    days = value_of("orphan_days") + 1
    return spool.sweep((now - dt.timedelta(days=days)).timestamp())


def _is_used(upload: Upload) -> bool:
    """Say whether anything of the town shows these bytes, as a photo, a rendition, a paper or a part."""
    sha256, town = upload.sha256, upload.town_id
    photos = Photo.objects.filter(town_id=town)
    return (
        photos.filter(sha256=sha256).exists()
        or photos.filter(web_sha256=sha256).exists()
        or photos.filter(thumbnail_sha256=sha256).exists()
        or Document.objects.filter(town_id=town, blob__sha256=sha256).exists()
        or Package.objects.filter(town_id=town, manifest__parts__contains=[{"sha256": sha256}]).exists()
        or Upload.objects.filter(town_id=town, sha256=sha256, state=Upload.State.QUARANTINED).exists()
    )


def _require_system(actor: Actor) -> None:
    if not actor.is_system:
        raise NotFound
