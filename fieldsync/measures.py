"""The field's figures for `/metrics`: counters that each process keeps, gauges read from the rows.

Labels are words of the protocol and names of fields: nothing of a person, a property or a town.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from fieldsync.alarms.selectors import list_alarms, list_disk_alarms

ITEMS = Counter("grandlist_field_items_total", "Items of pushes by what became of them", ["status"])
DUPLICATES = Counter("grandlist_field_duplicates_total", "Items that the ledger had already")
BATCH_SECONDS = Histogram(
    "grandlist_field_batch_seconds",
    "Time to take a batch, from its first statement to its commit",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
FIELDS = Counter("grandlist_field_merges_total", "Fields of patches by how they merged", ["field", "outcome"])
STATEMENTS = Counter("grandlist_field_statements_total", "End-of-day statements", ["complete"])
UPLOAD_BYTES = Counter("grandlist_field_upload_bytes_total", "Bytes of photos received")

# One row for each figure: name, label, value.
_SQL = """
SELECT 'held_items', '', count(*)::float FROM fieldsync_mutation WHERE held_for IS NOT NULL AND status = 'held'
UNION ALL SELECT 'held_oldest_seconds', '', coalesce(extract(epoch FROM %(now)s - min(received_at)), 0)::float
  FROM fieldsync_mutation WHERE held_for IS NOT NULL AND status = 'held'
UNION ALL SELECT 'quarantine_items', code, count(*) FROM fieldsync_quarantine WHERE state = 'waiting' GROUP BY code
UNION ALL SELECT 'conflicts_open', kind, count(*) FROM fieldsync_conflict WHERE state = 'open' GROUP BY kind
UNION ALL SELECT 'devices', state, count(*) FROM fieldsync_device GROUP BY state
UNION ALL SELECT 'unsent_oldest_seconds', '', coalesce(max((queue->>'oldest_age_s')::float
  + extract(epoch FROM %(now)s - last_seen_at)), 0) FROM fieldsync_device
  WHERE jsonb_typeof(queue->'oldest_age_s') = 'number' AND state <> 'revoked'
UNION ALL SELECT 'photos', state, count(*) FROM assessment_photo GROUP BY state
UNION ALL SELECT 'feed_unread_changes', '', count(*) FROM fieldsync_packagerecord r
  JOIN fieldsync_feedhead h ON h.package_id = r.package_id AND h.is_open WHERE r.op = 'put' AND r.content_hash IS NULL
UNION ALL SELECT 'statements_incomplete_day', '', count(*) FROM fieldsync_statement
  WHERE stated_at > %(now)s - interval '1 day' AND NOT is_complete
"""
_MEANING = {
    "held_items": "Changes that wait for another",
    "held_oldest_seconds": "Age of the oldest of them",
    "quarantine_items": "Items that wait for a person, by reason",
    "conflicts_open": "Open conflicts by kind",
    "devices": "Tablets by state",
    "unsent_oldest_seconds": "Age of the oldest item that any tablet said it had not sent",
    "photos": "Photos by state",
    "feed_unread_changes": "Changed records of open packages that nobody has pulled since",
    "statements_incomplete_day": "Statements of the last day in which something was missing",
}
_LABELS = {"quarantine_items": "code", "conflicts_open": "kind", "devices": "state", "photos": "state"}


def count_results(results: Sequence[Mapping[str, Any]], *, seconds: float) -> None:
    """Count what became of a batch's items, after its commit."""
    BATCH_SECONDS.observe(seconds)
    for result in results:
        if result.get("duplicate"):
            DUPLICATES.inc()
            continue
        ITEMS.labels(result["status"]).inc()
        for path, outcome in result.get("fields", {}).items():
            # Of `building/<id>/condition` the last part: the path names a building.
            FIELDS.labels(path.rpartition("/")[2][:40], str(outcome)[:20]).inc()


def collect(now: dt.datetime) -> Iterable[Metric]:
    """Return the gauges of all towns in scope."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"now": now})
        rows = cursor.fetchall()
    for name, meaning in _MEANING.items():
        label = _LABELS.get(name)
        family = GaugeMetricFamily(f"grandlist_field_{name}", meaning, labels=[label] if label else None)
        for found, value, count in rows:
            if found == name:
                family.add_metric([value] if label else [], count)
        yield family
    alarms = GaugeMetricFamily(
        "grandlist_field_alarms", "Alarms by code, see docs/operations.md", labels=["code"]
    )
    for code, count in count_alarms(now).items():
        alarms.add_metric([code], count)
    yield alarms
    yield from _disk()


def count_alarms(now: dt.datetime) -> dict[str, int]:
    """Return how many alarms there are of each code, the disk's included."""
    counts: dict[str, int] = {}
    for alarm in [*list_alarms(now=now), *list_disk_alarms()]:
        counts[alarm.code] = counts.get(alarm.code, 0) + 1
    return counts


def _disk() -> Iterable[Metric]:
    folder = Path(settings.VAR_DIR)
    while not folder.exists():
        folder = folder.parent
    free, reserve = shutil.disk_usage(folder).free, settings.DISK_RESERVE_MB * 1_000_000
    yield GaugeMetricFamily("grandlist_field_disk_free_bytes", "Room for photos and the ledger", value=free)
    yield GaugeMetricFamily("grandlist_field_disk_reserve_bytes", "Below it photos must wait", value=reserve)
