"""Reading devices, for the office."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q

from assessment.region.errors import NotFound
from fieldsync.devices.models import Device, DeviceEvent

SILENT_AFTER = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device in the office's list."""

    device: Device
    open_packages: int
    pending: int
    oldest_age_s: int | None
    is_silent: bool


def get_device(device_id: UUID) -> Device:
    """Return a device of a town in scope, or raise `NotFound`."""
    device = Device.objects.select_related("person").filter(id=device_id).first()
    if device is None:
        raise NotFound("There is no such device.")
    return device


def list_devices(town_code: int, *, now: dt.datetime) -> list[DeviceLine]:
    """Return a town's devices, those last seen first; one that holds work and is silent for a day is marked."""
    rows = (
        Device.objects.filter(town_id=town_code)
        .select_related("person")
        .annotate(open_packages=Count("packages", filter=~Q(packages__state="closed")))
        .order_by("-last_seen_at")
    )
    return [
        DeviceLine(
            device=device,
            open_packages=device.open_packages,
            pending=_count(device.queue.get("pending")),
            oldest_age_s=device.queue.get("oldest_age_s"),
            is_silent=_count(device.queue.get("pending")) > 0 and now - device.last_seen_at > SILENT_AFTER,
        )
        for device in rows
    ]


def list_events(device_id: UUID, *, limit: int = 100) -> list[DeviceEvent]:
    """Return what was decided about a device and happened to it, the latest first."""
    rows = DeviceEvent.objects.filter(device_id=device_id).select_related("by")
    return list(rows.order_by("-at", "-id")[:limit])


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
