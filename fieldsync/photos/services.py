"""Uploads: begun, received, verified, and the photo that counts from then on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import BinaryIO
from uuid import UUID

from django.db import connection
from django.utils import timezone

from assessment.property.blobs import adopt_file
from assessment.property.models import Blob, Photo
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.ids import new_id
from assessment.region.scope import scope
from fieldsync.devices.models import Device
from fieldsync.photos import rules, spool
from fieldsync.photos.models import Upload
from fieldsync.photos.renditions import start_drawing_soon
from fieldsync.problems import (
    ChecksumMismatch,
    FieldProblem,
    UploadCut,
    UploadGone,
    UploadOffsetWrong,
    UploadTooLarge,
)

LIFE = dt.timedelta(days=rules.UPLOAD_LIFE_DAYS)

# The upload, made or found, and whether the town has the bytes: one round trip for each photo.
_BEGIN_SQL = """
WITH made AS (
  INSERT INTO fieldsync_upload (id, town_id, device_id, photo_id, sha256, length, media_type, began_at,
    expires_at, state)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'receiving')
  ON CONFLICT (town_id, device_id, photo_id, sha256) DO NOTHING RETURNING *),
begun AS (
  SELECT * FROM made UNION ALL
  SELECT * FROM fieldsync_upload WHERE town_id = %s AND device_id = %s AND photo_id = %s AND sha256 = %s LIMIT 1)
SELECT begun.*, held.byte_count AS held_bytes, held.media_type AS held_type
FROM begun LEFT JOIN assessment_blob held ON held.town_id = %s AND held.sha256 = %s
"""


def begin_upload(device: Device, declared: rules.Declared) -> Upload:
    """Return the upload of a photo, the same one however often it is begun.

    Bytes that the town already has need not be sent again: the upload is verified at once.
    """
    now = timezone.now()
    facts = [declared.photo_id, declared.sha256]
    parameters = [
        *[new_id(), device.town_id, device.id, *facts, declared.length, declared.mime, now, now + LIFE],
        *[device.town_id, device.id, *facts],
        *[device.town_id, declared.sha256],
    ]
    # Where another request made it in this instant, the statement waits for that one but does not see its
    # row, having begun before; the second try does.
    found = list(Upload.objects.raw(_BEGIN_SQL, parameters)) or list(
        Upload.objects.raw(_BEGIN_SQL, parameters)
    )
    upload: Upload = found[0]
    held_bytes, held_type = upload.held_bytes, upload.held_type  # type: ignore[attr-defined]
    if upload.state != Upload.State.VERIFIED and held_bytes is not None:
        upload.length = held_bytes
        _finish(upload, held_type)
    elif upload.state == Upload.State.ENDED or upload.expires_at <= now:
        upload.state, upload.expires_at, upload.length = Upload.State.RECEIVING, now + LIFE, declared.length
        upload.save(update_fields=["state", "expires_at", "length"])
    return upload


def get_upload(upload_id: UUID, device: Device) -> Upload:
    """Return an upload of this device.

    Raises
    ------
    NotFound, UploadGone
        There is none; it was ended or its time is over.
    """
    upload = Upload.objects.filter(id=upload_id, device=device).first()
    if upload is None:
        raise NotFound("There is no such upload.")
    if upload.state == Upload.State.ENDED:
        raise UploadGone
    if upload.state == Upload.State.RECEIVING and upload.expires_at <= timezone.now():
        raise UploadGone
    return upload


def offset_of(upload: Upload) -> int:
    """Return how many bytes of an upload the server holds."""
    return upload.length if upload.state == Upload.State.VERIFIED else spool.length_of(upload.id)


def receive_bytes(
    upload: Upload,
    read: Callable[[int], bytes],
    *,
    offset: int | None,
    count: int,
    check: rules.ChunkChecksum | None,
) -> int:
    """Append the body of a request to an upload and return the new offset; verify it when it is whole.

    Must be called outside of a transaction: it lasts as long as the line is slow. ``offset`` is where
    the client believes to be; None, at creation, goes on from wherever the file is.

    Raises
    ------
    UploadLocked, UploadOffsetWrong, UploadTooLarge, UploadCut
        What to do next is in ``retry`` and in the header ``Upload-Offset``.
    ChecksumMismatch
        Of the chunk, which is thrown away, or of the whole photo, which goes back to 0.
    """
    if upload.state == Upload.State.VERIFIED:
        if offset not in (None, upload.length):
            raise _at(UploadOffsetWrong(), upload.length)
        return upload.length
    with spool.locked_file(upload.id) as file:
        held = file.seek(0, 2)
        if offset is None and held:
            return held
        if offset is not None and offset != held:
            raise _at(UploadOffsetWrong(), held)
        if held + count > upload.length:
            raise UploadTooLarge("More bytes than Upload-Length declared.")
        try:
            got = spool.receive(file, read, offset=held, count=count, check=check)
        except spool.ChunkMismatch as error:
            raise _at(ChecksumMismatch("The chunk was thrown away."), held) from error
        if got.length == upload.length:
            _verify(upload, file, got.sha256)
        if got.is_cut:
            raise _at(UploadCut(), got.length)
    return got.length


def _verify(upload: Upload, file: BinaryIO, sha256: str | None) -> None:
    """Count the bytes as received if they are the declared ones; the file is locked by the caller."""
    if (sha256 or spool.hash_of(file)) != upload.sha256:
        file.truncate(0)
        raise _at(ChecksumMismatch("The photo is not the one that was declared; send it anew."), 0)
    spool.flush(file)
    media_type = rules.sniff_mime(spool.head_of(file)) or "application/octet-stream"
    actor = Actor(person_id=None, name="device", device_id=upload.device_id)
    with scope(actor, towns=[upload.town_id]):
        adopt_file(
            spool.path_of(upload.id), sha256=upload.sha256, town_code=upload.town_id, media_type=media_type
        )
        _finish(upload, media_type)
        start_drawing_soon(upload.town_id)


def _finish(upload: Upload, media_type: str) -> None:
    upload.state, upload.finished_at = Upload.State.VERIFIED, timezone.now()
    upload.save(update_fields=["state", "finished_at", "length"])
    lock_hashes([upload.sha256])
    Photo.objects.filter(
        id=upload.photo_id, sha256=upload.sha256, state__in=[Photo.State.DECLARED, Photo.State.RECEIVING]
    ).update(state=Photo.State.VERIFIED, byte_count=upload.length, media_type=media_type)


def lock_hashes(hashes: Iterable[str]) -> None:
    """Let a photo's declaration and the end of its upload wait for each other.

    Each looks for what the other writes; without this, two that commit at once would both miss it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(h, 7)) FROM unnest(%s::text[]) h ORDER BY h",
            [sorted(set(hashes))],
        )


def end_upload(upload: Upload) -> None:
    """Give an upload up. Bytes already verified stay: the record may show them."""
    if upload.state == Upload.State.RECEIVING:
        upload.state = Upload.State.ENDED
        upload.save(update_fields=["state"])
        spool.discard(upload.id)


def expire_uploads(town_code: int, *, actor: Actor, now: dt.datetime) -> int:
    """End the uploads whose time is over, and free their disk; returns how many."""
    if not actor.is_system:
        raise NotFound
    rows = Upload.objects.filter(town_id=town_code, state=Upload.State.RECEIVING, expires_at__lte=now)
    count = 0
    for upload in rows.order_by("id"):
        end_upload(upload)
        count += 1
    return count


def known_hashes(town_code: int, hashes: Iterable[str]) -> list[str]:
    """Return those of the hashes whose bytes the town holds, verified."""
    rows = Blob.objects.filter(town_id=town_code, sha256__in=list(hashes))
    return sorted(rows.values_list("sha256", flat=True))


def _at(problem: FieldProblem, offset: int) -> FieldProblem:
    problem.headers["Upload-Offset"] = str(offset)
    return problem
