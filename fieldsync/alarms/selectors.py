"""What is alarming in the towns in scope: one query, cheap enough for the office's home."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from assessment.property.models import Photo
from fieldsync.alarms import rules
from fieldsync.alarms.parameters import thresholds

# Each part: code, town, device, how many, since when. A device's own numbers are read only where they are numbers.
_SQL = """
WITH device AS (
  SELECT id, town_id, name, state, last_seen_at, clock_offset_ms,
    CASE WHEN jsonb_typeof(queue->'pending') = 'number' THEN (queue->>'pending')::numeric ELSE 0 END
    + CASE WHEN jsonb_typeof(queue->'photos') = 'number' THEN (queue->>'photos')::numeric ELSE 0 END AS pending
  FROM fieldsync_device
), found AS (
  SELECT 'held-too-old' AS code, town_id, device_id, count(*) AS count, min(received_at) AS since
    FROM fieldsync_mutation WHERE held_for IS NOT NULL AND status = 'held' AND received_at < %(held)s
    GROUP BY town_id, device_id
  UNION ALL
  SELECT CASE code WHEN 'device-clone-suspected' THEN 'clone-suspected' ELSE 'quarantine-unattended' END,
    town_id, CASE code WHEN 'device-clone-suspected' THEN device_id END, count(*), min(quarantined_at)
    FROM fieldsync_quarantine
    WHERE state = 'waiting' AND (code = 'device-clone-suspected' OR quarantined_at < %(quarantine)s)
    GROUP BY 1, 2, 3
  UNION ALL
  SELECT 'conflicts-unattended', town_id, NULL, count(*), min(arose_at)
    FROM fieldsync_conflict WHERE state = 'open' AND arose_at < %(conflict)s GROUP BY town_id
  UNION ALL
  SELECT 'device-silent', town_id, id, pending::bigint, last_seen_at
    FROM device WHERE pending > 0 AND last_seen_at < %(silent)s
  UNION ALL
  SELECT 'clock-suspect', town_id, id, 1, %(now)s - make_interval(secs => abs(clock_offset_ms) / 1000.0)
    FROM device WHERE state = 'active' AND abs(clock_offset_ms) > %(clock_ms)s
  UNION ALL
  SELECT 'local-store-lost', town_id, device_id, 1, min(stated_at)
    FROM fieldsync_statement WHERE is_store_lost AND stated_at > %(store_lost)s GROUP BY town_id, device_id
  UNION ALL
  SELECT 'package-checksum-mismatch', d.town_id, d.id, jsonb_array_length(s.stale_packages), s.stated_at
    FROM device d CROSS JOIN LATERAL (
      SELECT stale_packages, stated_at FROM fieldsync_statement s
      WHERE s.town_id = d.town_id AND s.device_id = d.id ORDER BY stated_at DESC, id DESC LIMIT 1) s
    WHERE d.state = 'active' AND s.stale_packages <> '[]'
  UNION ALL
  SELECT 'photos-missing', town_id, NULL, count(*), min(created_at)
    FROM assessment_photo WHERE state = ANY (%(waiting)s) AND created_at < %(photo)s GROUP BY town_id
)
SELECT f.code, f.town_id, f.device_id, f.count, f.since, coalesce(d.name, '')
FROM found f LEFT JOIN device d ON d.town_id = f.town_id AND d.id = f.device_id
"""
#: A photo in one of these has no bytes here.
WAITING_PHOTOS = [
    state
    for state in ("declared", "receiving", "missing")
    if state in {value for value, _ in Photo.State.choices}
]


def list_alarms(*, now: dt.datetime) -> list[rules.Alarm]:
    """Return the alarms of all towns in scope, errors first; see `fieldsync.alarms.rules.KINDS`."""
    limits = thresholds()
    parameters: dict[str, Any] = {
        "now": now,
        "held": now - dt.timedelta(hours=limits.held_hours),
        "quarantine": now - dt.timedelta(days=limits.quarantine_days),
        "conflict": now - dt.timedelta(days=limits.conflict_days),
        "silent": now - dt.timedelta(hours=limits.silent_hours),
        "store_lost": now - dt.timedelta(days=limits.store_lost_days),
        "photo": now - dt.timedelta(days=limits.photo_days),
        "clock_ms": limits.clock_minutes * 60_000,
        "waiting": WAITING_PHOTOS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL, parameters)
        rows = cursor.fetchall()
    return rules.in_order(
        rules.Alarm(code, count, now - since, town, device_id, name)
        for code, town, device_id, count, since, name in rows
    )


def list_device_alarms(device_id: UUID, *, now: dt.datetime) -> list[rules.Alarm]:
    """Return the alarms of one device."""
    return [alarm for alarm in list_alarms(now=now) if alarm.device_id == device_id]


def list_disk_alarms() -> list[rules.Alarm]:
    """Return the alarm of the disk on which photos and the ledger lie, if there is one."""
    folder = Path(settings.VAR_DIR)
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return rules.disk_alarms(
        free_bytes=usage.free,
        total_bytes=usage.total,
        reserve_bytes=settings.DISK_RESERVE_MB * 1_000_000,
        limits=thresholds(),
    )
