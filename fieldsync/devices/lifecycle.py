"""The life of a device behind its enrolment: suspended, resumed, revoked, wiped, suspected of being a copy.

Whatever is decided takes nothing away from what the device still holds: its pushes and photos are taken,
into quarantine where it is not active. Each step is an event that stays.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.errors import Conflict, Invalid, NotFound
from assessment.region.rules import Permission
from fieldsync.devices.models import Device, DeviceEvent

_STEPS = {
    (Device.State.ACTIVE, Device.State.SUSPENDED): DeviceEvent.What.SUSPENDED,
    (Device.State.SUSPENDED, Device.State.ACTIVE): DeviceEvent.What.RESUMED,
    (Device.State.ACTIVE, Device.State.REVOKED): DeviceEvent.What.REVOKED,
    (Device.State.SUSPENDED, Device.State.REVOKED): DeviceEvent.What.REVOKED,
}


def note_event(
    device: Device,
    what: DeviceEvent.What,
    *,
    now: dt.datetime,
    by: Actor | None = None,
    reason: str = "",
) -> None:
    """Write one event of a device's life; ``by`` None is the device itself."""
    DeviceEvent.objects.create(
        town_id=device.town_id,
        device=device,
        what=what,
        at=now,
        by_id=by.person_id if by else None,
        by_name=by.name[:120] if by else "",
        reason=reason[:200],
    )


def set_device_state(
    device_id: UUID, state: Device.State, *, actor: Actor, reason: str, wipe: Device.Wipe = Device.Wipe.NONE
) -> Device:
    """Suspend, resume or revoke a device of a town in scope, and say what becomes of its data.

    The device is told with every answer from now on, also with the one that refuses it.

    Raises
    ------
    Forbidden
        The actor may not manage the town's devices.
    Conflict
        A revoked device does not come back: it is enrolled anew, with another key.
    Invalid
        An active device is not wiped at once: what it still holds would be lost unseen.
    """
    device = _locked(device_id, actor)
    before = Device.State(device.state)
    step = _STEPS.get((before, state))
    if step is None and before != state:
        raise Conflict("A revoked tablet does not come back: enrol it anew.")
    if wipe == Device.Wipe.NOW and state == Device.State.ACTIVE:
        raise Invalid("Suspend or revoke the tablet first: a wipe at once loses what it still holds.")
    now, asked_before = timezone.now(), device.wipe
    device.state, device.state_reason, device.wipe = state, reason[:200], wipe
    device.save(update_fields=["state", "state_reason", "wipe"])
    if step is not None:
        note_event(device, step, by=actor, reason=reason, now=now)
    if wipe not in (asked_before, Device.Wipe.NONE):
        label = Device.Wipe(wipe).label
        note_event(device, DeviceEvent.What.WIPE_ASKED, by=actor, reason=f"{label}: {reason}", now=now)
    return device


def clear_copy(device_id: UUID, *, actor: Actor, reason: str) -> Device:
    """Say that a device is no copy after all, or that the copy has been found; it gets packages again."""
    device = _locked(device_id, actor)
    if device.copied_at is not None:
        device.copied_at = None
        device.save(update_fields=["copied_at"])
        note_event(device, DeviceEvent.What.COPY_CLEARED, by=actor, reason=reason, now=timezone.now())
    return device


def mark_copied(device: Device, *, numbers: list[int], now: dt.datetime) -> None:
    """Mark a device that used a number twice for different things: two tablets may share its identity.

    Both bodies are in the ledger. The device is asked to enrol anew, and gets no package until it has or
    the office has looked; what it sends is taken.
    """
    if not Device.objects.filter(id=device.id, copied_at__isnull=True).update(copied_at=now):
        return
    device.copied_at = now
    said = ", ".join(map(str, sorted(numbers)[:10]))
    note_event(device, DeviceEvent.What.COPY_SUSPECTED, reason=f"numbers used twice: {said}", now=now)


def note_wiped(device: Device, *, pending: int, now: dt.datetime) -> None:
    """Keep that the device has wiped itself, and what it says was still unsent."""
    if device.wiped_at is None:
        Device.objects.filter(id=device.id).update(wiped_at=now)
        note_event(device, DeviceEvent.What.WIPED, reason=f"{pending} changes were not sent", now=now)


def _locked(device_id: UUID, actor: Actor) -> Device:
    device = Device.objects.select_for_update(of=("self",)).filter(id=device_id).first()
    if device is None:
        raise NotFound("There is no such device.")
    actor.require(Permission.MANAGE_DEVICES, device.town_id)
    return device
