"""What the office sees of one tablet: how it is, what it has sent, what of that still waits."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from fieldsync.alarms.rules import Alarm
from fieldsync.alarms.selectors import list_alarms, list_device_alarms
from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device
from fieldsync.devices.selectors import list_devices
from fieldsync.packages.models import Package
from fieldsync.packages.selectors import list_packages_of_device
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.rules import Status
from fieldsync.reconciliation.models import Statement
from fieldsync.reconciliation.selectors import find_last_statements, list_statements

ROWS = 20
# The latest items are enough: the whole ledger of a tablet's years need not be grouped for a page.
_BATCHES_SQL = """
SELECT batch_id, min(received_at), jsonb_object_agg(status, n)::text FROM (
  SELECT batch_id, status, min(received_at) AS received_at, count(*) AS n FROM (
    SELECT batch_id, status, received_at FROM fieldsync_mutation
    WHERE device_id = %s ORDER BY device_seq DESC LIMIT 4000) latest
  GROUP BY batch_id, status) counted
GROUP BY batch_id ORDER BY 2 DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch as it was taken."""

    batch_id: UUID
    received_at: dt.datetime
    count: int
    results: str


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One tablet, with at most `ROWS` of each list."""

    device: Device
    alarms: Sequence[Alarm]
    queue: dict[str, Any]
    packages: Sequence[Package]
    statements: Sequence[Statement]
    batches: Sequence[BatchLine]
    held: Sequence[Mutation]
    quarantined: Sequence[Quarantine]
    conflicts: Sequence[Conflict]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One tablet in the list, with its alarms and its last statement."""

    device: Device
    open_packages: int
    pending: int
    oldest_age_s: int | None
    alarms: Sequence[Alarm]
    statement: Statement | None


def list_rows(town_code: int, *, now: dt.datetime) -> list[DeviceRow]:
    """Return a town's tablets, those with alarms first, then those last seen first."""
    alarms: dict[UUID, list[Alarm]] = {}
    for alarm in list_alarms(now=now):
        if alarm.device_id is not None:
            alarms.setdefault(alarm.device_id, []).append(alarm)
    lines = list_devices(town_code, now=now)
    statements = find_last_statements([line.device.id for line in lines])
    rows = [
        DeviceRow(
            line.device,
            line.open_packages,
            line.pending,
            line.oldest_age_s,
            alarms.get(line.device.id, []),
            statements.get(line.device.id),
        )
        for line in lines
    ]
    return sorted(rows, key=lambda row: not row.alarms)


def view_device(device: Device, *, now: dt.datetime) -> DeviceView:
    """Return what a tablet's page shows, in nine queries whatever it has sent."""
    return DeviceView(
        device=device,
        alarms=list_device_alarms(device.id, now=now),
        queue=_queue(device),
        packages=list_packages_of_device(device.id),
        statements=list(list_statements(device.id)[:ROWS]),
        batches=_list_batches(device.id),
        held=list(
            Mutation.objects.filter(device=device, held_for__isnull=False, status=Status.HELD)
            .order_by("device_seq")
            .only("mutation_id", "kind", "device_seq", "received_at", "held_for", "captured_at")[:ROWS]
        ),
        quarantined=list(
            Quarantine.objects.filter(device=device, state=Quarantine.State.WAITING)
            .select_related("mutation")
            .order_by("quarantined_at")[:ROWS]
        ),
        conflicts=list(
            Conflict.objects.filter(device=device, state=Conflict.State.OPEN)
            .select_related("property")
            .order_by("arose_at")[:ROWS]
        ),
    )


def _queue(device: Device) -> dict[str, Any]:
    """Return what the tablet last said of itself; of what it did not say, None."""
    said = device.queue if isinstance(device.queue, dict) else {}
    quota = said.get("quota_used")
    return {
        "pending": said.get("pending"),
        "photos": said.get("photos"),
        "bytes": said.get("bytes"),
        "oldest_age_s": said.get("oldest_age_s"),
        "persisted": said.get("persisted"),
        "quota_percent": round(100 * quota) if isinstance(quota, int | float) else None,
    }


def _list_batches(device_id: UUID) -> list[BatchLine]:
    with connection.cursor() as cursor:
        cursor.execute(_BATCHES_SQL, [device_id, ROWS])
        rows = cursor.fetchall()
    # Django leaves JSON of raw SQL as text.
    counts = [(key, at, json.loads(found)) for key, at, found in rows]
    return [BatchLine(key, at, sum(found.values()), _spell(found)) for key, at, found in counts]


def _spell(found: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {status}" for status, count in sorted(found.items()))
