"""Uploads: begun, received, verified, and the photo that counts from then on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from assessment.property.blobs import adopt_file, lock_bytes
from assessment.property.models import Blob, Photo
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.scope import scope
from fieldsync.devices.models import Device
from fieldsync.measures import UPLOAD_BYTES
from fieldsync.photos import rules, spool
from fieldsync.photos.models import Upload
from fieldsync.photos.renditions import start_drawing_soon
from fieldsync.problems import (
    ChecksumMismatch,
    DiskReserve,
    FieldProblem,
    Reauth,
    UploadCut,
    UploadGone,
    UploadOffsetWrong,
    UploadTooLarge,
)

LIFE = dt.timedelta(days=rules.UPLOAD_LIFE_DAYS)
ON_THE_WAY = (Photo.State.DECLARED, Photo.State.RECEIVING, Photo.State.MISSING)
_KEPT = (Upload.State.VERIFIED, Upload.State.QUARANTINED, Upload.State.DISCARDED)

ReadBody = Callable[[int], bytes]
OpenScope = Callable[[], AbstractContextManager[Device]]

# The upload, made or found, and whether the town has the bytes: one round trip for each photo.
_BEGIN_SQL = """
WITH made AS (
  INSERT INTO fieldsync_upload (id, town_id, device_id, photo_id, sha256, length, media_type, began_at,
    expires_at, state, decision_reason)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'receiving', '')
  ON CONFLICT (town_id, device_id, photo_id, sha256) DO NOTHING RETURNING *),
begun AS (
  SELECT * FROM made UNION ALL
  SELECT * FROM fieldsync_upload WHERE town_id = %s AND device_id = %s AND photo_id = %s AND sha256 = %s LIMIT 1)
SELECT begun.*, held.byte_count AS held_bytes, held.media_type AS held_type
FROM begun LEFT JOIN assessment_blob held ON held.town_id = %s AND held.sha256 = %s
"""

# What is verified stays so. The device's state is read here, not when the request began: it may have been
# revoked while a slow line sent the bytes.
_FINISH_SQL = """
INSERT INTO fieldsync_upload AS u (id, town_id, device_id, photo_id, sha256, length, media_type, began_at,
  expires_at, finished_at, state, decision_reason)
SELECT %s, d.town_id, d.id, %s, %s, %s, %s, %s, %s, %s,
  CASE WHEN d.state = 'active' THEN 'verified' ELSE 'quarantined' END, ''
FROM fieldsync_device d WHERE d.id = %s
ON CONFLICT (town_id, device_id, photo_id, sha256) DO UPDATE SET length = EXCLUDED.length,
  finished_at = COALESCE(u.finished_at, EXCLUDED.finished_at),
  state = CASE WHEN u.state IN ('verified', 'quarantined', 'discarded') THEN u.state ELSE EXCLUDED.state END
RETURNING id, state
"""


def begin_upload(device: Device, declared: rules.Declared) -> Upload:
    """Return the upload of a photo, the same one however often it is begun.

    Bytes that the town already has need not be sent again: the upload is verified at once.
    """
    now = timezone.now()
    new = _new_upload(device.id, device.town_id, declared, now)
    facts = [declared.photo_id, declared.sha256]
    parameters = [
        *[new.id, device.town_id, device.id, *facts, declared.length, declared.mime, now, new.expires_at],
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
    if upload.state in _KEPT:
        return upload
    if held_bytes is not None:
        lock_bytes([upload.sha256])
        upload.length = held_bytes
        _finish(upload, held_type)
        return upload
    is_over = upload.state == Upload.State.ENDED or upload.expires_at <= now
    if is_over or upload.length != declared.length:  # of two lengths under one hash the hash will tell
        upload.state, upload.expires_at, upload.length = Upload.State.RECEIVING, now + LIFE, declared.length
        upload.save(update_fields=["state", "expires_at", "length"])
    if device.state == Device.State.ACTIVE:
        _photos_of(upload).filter(state__in=(Photo.State.DECLARED, Photo.State.MISSING)).update(
            state=Photo.State.RECEIVING
        )
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
    """Return how many bytes of an upload the server holds.

    All of them only when they are verified: where a request brought the last ones and died before it could
    verify them, that is done now.

    Raises
    ------
    ChecksumMismatch, DiskReserve
        From that verifying.
    """
    if upload.state in _KEPT:
        return upload.length
    held = spool.length_of(upload.id)
    if held < upload.length:
        return held
    try:
        with spool.take_turn(upload.id) as turn:
            return _verify(upload, turn, None) if turn.length() == upload.length else turn.length()
    except spool.DiskFull as error:
        raise _at(DiskReserve(), spool.length_of(upload.id)) from error


def receive_photo(
    open_scope: OpenScope,
    *,
    device_id: UUID,
    town_code: int,
    declared: rules.Declared,
    read: ReadBody,
    check: rules.ChunkChecksum | None,
) -> tuple[Upload, int]:
    """Take a whole photo with its creation: one request, one transaction; returns the upload and its offset.

    Must be called outside of a transaction. Where the body ends early or is not what was declared, the
    upload is begun none the less, with what came of it.

    Raises
    ------
    As `receive_bytes`.
    """
    upload = _new_upload(device_id, town_code, declared, timezone.now())
    try:
        offset = receive_bytes(upload, read, offset=None, count=declared.length, check=check)
    except FieldProblem:
        with open_scope() as device:
            begin_upload(device, declared)
        raise
    if offset < upload.length:  # an earlier request has brought some already; this one's body is not read
        with open_scope() as device:
            upload = begin_upload(device, declared)
    return upload, offset


def receive_bytes(
    upload: Upload,
    read: ReadBody,
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
    UploadLocked, UploadOffsetWrong, UploadTooLarge, UploadCut, DiskReserve
        What to do next is in ``retry`` and in the header ``Upload-Offset``.
    ChecksumMismatch
        Of the chunk, which is thrown away, or of the whole photo, which goes back to 0.
    """
    if upload.state in _KEPT:
        if offset not in (None, upload.length):
            raise _at(UploadOffsetWrong(), upload.length)
        return upload.length
    try:
        with spool.take_turn(upload.id) as turn:
            return _receive(upload, turn, read, offset, count, check)
    except spool.DiskFull as error:
        raise _at(DiskReserve(), spool.length_of(upload.id)) from error


def _receive(
    upload: Upload,
    turn: spool.Turn,
    read: ReadBody,
    offset: int | None,
    count: int,
    check: rules.ChunkChecksum | None,
) -> int:
    held = turn.length()
    if held > upload.length:  # begun anew as a shorter photo under the same id and hash: not to be trusted
        turn.truncate(0)
        held = 0
    if offset is None and held:
        return _verify(upload, turn, None) if held == upload.length else held
    if offset is not None and offset != held:
        raise _at(UploadOffsetWrong(), held)
    if held + count > upload.length:
        raise UploadTooLarge("More bytes than Upload-Length declared.")
    try:
        got = spool.receive(turn, read, offset=held, count=count, check=check)
    except spool.ChunkMismatch as error:
        raise _at(ChecksumMismatch("The chunk was thrown away."), held) from error
    UPLOAD_BYTES.inc(max(0, got.length - held))
    if got.length == upload.length:
        _verify(upload, turn, got.sha256)
    if got.is_cut:
        raise _at(UploadCut(), got.length)
    return got.length


def _verify(upload: Upload, turn: spool.Turn, sha256: str | None) -> int:
    """Count the bytes as received if they are the declared ones; returns the offset."""
    if (sha256 or turn.sha256()) != upload.sha256:
        turn.truncate(0)
        raise _at(ChecksumMismatch("The photo is not the one that was declared; send it anew."), 0)
    turn.flush()
    media_type = rules.sniff_mime(turn.head()) or "application/octet-stream"
    actor = Actor(person_id=None, name="device", device_id=upload.device_id)
    with scope(actor, towns=[upload.town_id]):
        with turn.moment():
            adopt_file(
                spool.path_of(upload.id),
                sha256=upload.sha256,
                town_code=upload.town_id,
                media_type=media_type,
            )
        _finish(upload, media_type)
        start_drawing_soon(upload.town_id)
    return upload.length


def _finish(upload: Upload, media_type: str) -> None:
    """Write that an upload's bytes are in the store, and let its photos count.

    Quarantined where its device is not active: then no photo counts before a person has decided.
    """
    now = timezone.now()
    parameters: list[Any] = [
        *[upload.id, upload.photo_id, upload.sha256, upload.length, upload.media_type[:100]],
        *[upload.began_at, upload.expires_at, now, upload.device_id],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_FINISH_SQL, parameters)
        row = cursor.fetchone()
    if row is None:  # as after a restore of an older backup
        raise Reauth("This device is not known here.")
    upload.id, upload.state = row
    upload.finished_at = now
    if upload.state == Upload.State.VERIFIED:
        count_photos(upload, media_type)


def count_photos(upload: Upload, media_type: str) -> int:
    """Let the photos that were declared with these bytes count; returns how many now do.

    The caller holds the lock of the bytes (`lock_bytes`): a declaration looks for what this writes, and
    this for what that writes; without it, two that commit at once would both miss the other.
    """
    return (
        _photos_of(upload)
        .filter(state__in=ON_THE_WAY)
        .update(state=Photo.State.VERIFIED, byte_count=upload.length, media_type=media_type)
    )


def _photos_of(upload: Upload) -> QuerySet[Photo]:
    return Photo.objects.filter(town_id=upload.town_id, sha256=upload.sha256)


def end_upload(upload: Upload) -> None:
    """Give an upload up. Bytes already verified stay: the record may show them."""
    if upload.state == Upload.State.RECEIVING:
        upload.state = Upload.State.ENDED
        upload.save(update_fields=["state"])
        _photos_of(upload).filter(state=Photo.State.RECEIVING).update(state=Photo.State.DECLARED)
        spool.discard(upload.id)


def known_hashes(town_code: int, hashes: Iterable[str]) -> list[str]:
    """Return those of the hashes whose bytes the town holds, verified."""
    rows = Blob.objects.filter(town_id=town_code, sha256__in=list(hashes))
    return sorted(rows.values_list("sha256", flat=True))


def _new_upload(device_id: UUID, town_code: int, declared: rules.Declared, now: dt.datetime) -> Upload:
    return Upload(
        id=rules.upload_id_of(device_id, declared.photo_id, declared.sha256),
        town_id=town_code,
        device_id=device_id,
        photo_id=declared.photo_id,
        sha256=declared.sha256,
        length=declared.length,
        media_type=declared.mime,
        began_at=now,
        expires_at=now + LIFE,
    )


def _at(problem: FieldProblem, offset: int) -> FieldProblem:
    problem.headers["Upload-Offset"] = str(offset)
    return problem
