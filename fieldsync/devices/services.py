"""Letting devices in, giving them tokens, and putting them out."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.region.selectors import get_person_with_roles
from fieldsync.devices import rules
from fieldsync.devices.lifecycle import note_event, set_device_state
from fieldsync.devices.models import Device, DeviceEvent, EnrolmentCode, SpentNonce
from fieldsync.keys import key_for
from fieldsync.problems import BadEnrolmentCode, BadProof, ProofNeeded

CODE_LIFE = dt.timedelta(hours=24)
__all__ = [
    "enrol_device",
    "issue_token",
    "make_enrolment_code",
    "note_contact",
    "offer_nonce",
    "set_device_state",
]

TOKEN_KIND = "t1"  # noqa: S105
NONCE_KIND = "n1"


def make_enrolment_code(
    town_code: int,
    *,
    actor: Actor,
    label: str = "",
    person_id: UUID | None = None,
    life: dt.timedelta = CODE_LIFE,
) -> str:
    """Return a new code as it is to be typed. It is shown this once: only its hash is kept.

    Raises
    ------
    Forbidden
        The actor may not manage the town's devices.
    NotFound
        The person has no role in the town.
    """
    actor.require(Permission.MANAGE_DEVICES, town_code)
    if person_id is not None:
        get_person_with_roles(person_id, town_code, on=timezone.localdate())
    code = rules.make_code(town_code, secrets.choice)
    now = timezone.now()
    EnrolmentCode.objects.create(
        town_id=town_code,
        code_sha256=code.digest().hex(),
        label=label,
        person_id=person_id,
        made_by_id=actor.person_id,
        made_at=now,
        expires_at=now + life,
    )
    return code.spelled()


def enrol_device(typed: str, *, public_key: str, signature: str, name: str, app_version: str = "") -> Device:
    """Use up a code and return the device that it let in.

    The code's row is locked, so that of two devices that show the same code one gets in. Who has got in and
    shows the code again with the same key, within the code's life, is given the same device and changes
    nothing: the answer may have been lost on the way.

    Raises
    ------
    BadEnrolmentCode
        Wrong, expired and used by another key are told apart by nothing.
    BadProof
        The device does not hold the key that it shows.
    """
    try:
        code = rules.read_code(typed)
        rules.read_public_key(public_key)
    except rules.BadCode as error:
        raise BadEnrolmentCode from error
    except rules.BadKey as error:
        raise BadProof(str(error)) from error
    if not rules.is_signed_by(public_key, rules.enrolment_message(code, public_key), signature):
        raise BadProof
    now = timezone.now()
    with scope(Actor.system("enrol a device"), towns=[code.town_code]):
        row = (
            EnrolmentCode.objects.select_for_update(of=("self",))
            .filter(town_id=code.town_code, code_sha256=code.digest().hex(), expires_at__gt=now)
            .first()
        )
        if row is None:
            raise BadEnrolmentCode
        let_in: Device | None = row.device
        if let_in is not None:
            if let_in.public_key != public_key:
                raise BadEnrolmentCode
            return let_in
        device, _ = Device.objects.get_or_create(
            town_id=code.town_code,
            public_key=public_key,
            defaults={
                "name": name or row.label or "Tablet",
                "person_id": row.person_id,
                "app_version": app_version,
                "enrolled_at": now,
                "last_seen_at": now,
            },
        )
        EnrolmentCode.objects.filter(id=row.id).update(used_at=now, device=device)
        by = Actor(person_id=row.made_by_id, name="who made the code")
        note_event(device, DeviceEvent.What.ENROLLED, by=by, reason=row.label, now=now)
    return device


def offer_nonce(device_id: UUID, town_code: int, *, now: dt.datetime) -> ProofNeeded:
    """Return the refusal that carries a nonce. It is given for any id, so it tells nothing of whose exist."""
    expires = int(now.timestamp()) + rules.NONCE_LIFE_S
    nonce = rules.DeviceToken(device_id, town_code, expires)
    salt = secrets.token_urlsafe(12)
    return ProofNeeded(nonce=rules.seal_token(NONCE_KIND, nonce, key_for("nonce"), salt))


def issue_token(
    device_id: UUID, town_code: int, *, nonce: str, signature: str, now: dt.datetime
) -> tuple[str, int]:
    """Return a token for a device that has signed our nonce, and its life in seconds.

    A revoked device gets one too: it may still deposit what it holds, into quarantine.

    Raises
    ------
    ProofNeeded
        The nonce is not ours, too old, or was used for a token before; the answer has a new one.
    BadProof
        The signature does not fit, or there is no such device.
    """
    try:
        offered = rules.open_token(NONCE_KIND, nonce, key_for("nonce"), now.timestamp())
    except rules.BadToken as error:
        raise offer_nonce(device_id, town_code, now=now) from error
    if (offered.device_id, offered.town_code) != (device_id, town_code):
        raise offer_nonce(device_id, town_code, now=now)
    with scope(Actor.system("give a device its token"), towns=[town_code]):
        device = Device.objects.filter(town_id=town_code, id=device_id).first()
    message = rules.token_message(device_id, nonce)
    if device is None or not rules.is_signed_by(device.public_key, message, signature):
        raise BadProof
    if not _spend(nonce, town_code, expires_s=offered.expires_s, now=now):
        raise offer_nonce(device_id, town_code, now=now)
    token = rules.DeviceToken(device_id, town_code, int(now.timestamp()) + rules.TOKEN_LIFE_S)
    return rules.seal_token(TOKEN_KIND, token, key_for("token")), rules.TOKEN_LIFE_S


def _spend(nonce: str, town_code: int, *, expires_s: int, now: dt.datetime) -> bool:
    """Use a nonce up; False when it was used before. The unique index decides between two at once."""
    expires_at = dt.datetime.fromtimestamp(expires_s, dt.UTC)
    spent = SpentNonce(town_id=town_code, digest=rules.nonce_digest(nonce), expires_at=expires_at)
    try:
        with scope(Actor.system("give a device its token"), towns=[town_code]):
            # Those that another request is clearing away are left to it.
            old = SpentNonce.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                expires_at__lt=now
            )
            SpentNonce.objects.filter(id__in=list(old.values_list("id", flat=True)[:100])).delete()
            spent.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def note_contact(
    device_id: UUID,
    *,
    now: dt.datetime,
    acknowledged_seq: int | None = None,
    clock_offset_ms: int | None = None,
    app_version: str = "",
    queue: dict[str, Any] | None = None,
) -> None:
    """Keep what a device said of itself. Called after the push has committed: it must not hold that up."""
    changes: dict[str, Any] = {"last_seen_at": now}
    if acknowledged_seq is not None:
        changes["acknowledged_seq"] = acknowledged_seq
    if clock_offset_ms is not None:
        changes["clock_offset_ms"] = clock_offset_ms
    if app_version:
        changes["app_version"] = app_version[:40]
    if queue is not None:
        changes["queue"] = queue
    if acknowledged_seq is not None:
        changes["last_push_at"] = now
    Device.objects.filter(id=device_id).update(**changes)
