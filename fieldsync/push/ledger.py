"""The ledger's statements: one insert, one look at what was there, one update, for a whole batch."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from assessment.region.ids import new_id
from fieldsync.devices.models import Device
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.reading import Item
from fieldsync.push.rules import Status

_INSERT_SQL = """
INSERT INTO fieldsync_mutation (id, town_id, mutation_id, device_id, device_seq, batch_id, kind, entity_id,
  package_id, author_id, captured_at, clock_offset_ms, schema_version, body, sha256, status, received_at)
SELECT m.id, %s, m.mutation_id, %s, m.device_seq, %s, m.kind, m.entity_id, m.package_id, m.author_id,
  m.captured_at, %s, m.schema_version, m.body, m.sha256, 'received', %s
FROM jsonb_to_recordset(%s::jsonb) AS m(id uuid, mutation_id uuid, device_seq bigint, kind text, entity_id uuid,
  package_id uuid, author_id uuid, captured_at timestamptz, schema_version smallint, body jsonb, sha256 text)
ON CONFLICT (town_id, mutation_id) DO NOTHING RETURNING mutation_id
"""

_STORE_SQL = """
UPDATE fieldsync_mutation m SET status = r.status, result = r.result, held_for = r.held_for
FROM jsonb_to_recordset(%s::jsonb) AS r(mutation_id uuid, status text, result jsonb, held_for uuid)
WHERE m.town_id = %s AND m.mutation_id = r.mutation_id
"""

# Each push asks these. As text they cost a tenth of what building them from the models does.
_NUMBERS_SQL = (
    "SELECT device_seq, mutation_id FROM fieldsync_mutation WHERE device_id = %s AND device_seq = ANY(%s)"
)

_ANY_HELD_SQL = """
SELECT EXISTS (SELECT FROM fieldsync_mutation WHERE town_id = %s AND held_for IS NOT NULL AND status = 'held'
  AND (mutation_id = ANY(%s) OR held_for = ANY(%s) OR device_id = %s))
"""

_STANDING_SQL = """
SELECT set_config('synchronous_commit', 'off', true), d.acknowledged_seq, d.state, d.wipe,
  d.copied_at IS NOT NULL, ARRAY(SELECT m.device_seq FROM fieldsync_mutation m WHERE m.device_id = d.id
    AND m.device_seq > d.acknowledged_seq ORDER BY m.device_seq LIMIT 10000),
  ARRAY(SELECT m.device_seq FROM fieldsync_mutation m WHERE m.device_id = d.id AND m.device_seq = ANY(%s)
    GROUP BY m.device_seq HAVING count(*) > 1)
FROM fieldsync_device d WHERE d.id = %s
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the server knows of a device when it has pushed.

    ``numbers_above`` are those that have arrived after the last of the unbroken run, ``numbers_twice`` those of
    the push that stand in the ledger with two mutations.
    """

    acknowledged_seq: int
    state: str
    wipe: str
    is_copied: bool
    numbers_above: list[int]
    numbers_twice: list[int]


@dataclass(frozen=True, slots=True)
class Known:
    """A mutation that the ledger had already."""

    row_id: UUID
    sha256: str
    status: str
    result: dict[str, Any]
    received_at: dt.datetime


def insert_mutations(
    device: Device,
    items: Sequence[Item],
    *,
    batch_id: UUID,
    clock_offset_ms: int | None,
    now: dt.datetime,
) -> set[UUID]:
    """Enter items that the ledger does not have, and return their ids.

    The unique index decides, not a look beforehand: of two requests with the same mutation the second
    waits here until the first has committed, and then finds it known. In the order of ids, so that two
    such requests cannot wait for each other.
    """
    rows = sorted(items, key=lambda item: item.mutation_id)
    # One JSON text for the batch: arrays of texts cost the driver four times as much to quote.
    content = f"[{','.join(_ledger_row(item) for item in rows)}]"
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_SQL, [device.town_id, device.id, batch_id, clock_offset_ms, now, content])
        return {row[0] for row in cursor.fetchall()}


def _ledger_row(item: Item) -> str:
    said = item.envelope
    facts = {
        "id": str(new_id()),
        "mutation_id": str(item.mutation_id),
        "device_seq": item.device_seq,
        "kind": said.kind if said else "",
        "entity_id": str(said.entity_id) if said else None,
        "package_id": str(said.package_id) if said and said.package_id else None,
        "author_id": str(said.actor_id) if said and said.actor_id else None,
        "captured_at": said.captured_at.isoformat() if said else None,
        "schema_version": item.schema_version,
        "sha256": item.sha256,
    }
    return f'{json.dumps(facts)[:-1]},"body":{item.text}}}'


def find_known(
    town_code: int, mutation_ids: Iterable[UUID], *, device_id: UUID | None = None
) -> dict[UUID, Known]:
    """Return what the ledger has of these mutations, with their results; of one device if it is given."""
    rows = Mutation.objects.filter(town_id=town_code, mutation_id__in=list(mutation_ids))
    if device_id is not None:
        rows = rows.filter(device_id=device_id)
    columns = rows.values_list("mutation_id", "id", "sha256", "status", "result", "received_at")
    return {
        key: Known(row_id, sha, status, result or {}, at) for key, row_id, sha, status, result, at in columns
    }


def find_reused_numbers(device: Device, items: Iterable[Item]) -> set[UUID]:
    """Return those new mutations whose number the device had used before: it may have been copied."""
    numbers = {item.mutation_id: item.device_seq for item in items if item.device_seq > 0}
    if not numbers:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS_SQL, [device.id, list(set(numbers.values()))])
        rows: list[tuple[int, UUID]] = cursor.fetchall()
    first: dict[int, UUID] = {}
    for seq, mutation_id in sorted(rows, key=lambda row: (row[1] in numbers, row[1])):
        first.setdefault(seq, mutation_id)
    return {key for key, seq in numbers.items() if first.get(seq) != key}


def store_results(town_code: int, results: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Write what became of mutations; the ledger's guard lets only unfinished ones be written."""
    if not results:
        return
    rows = [
        {
            "mutation_id": str(key),
            "status": result["status"],
            "result": result,
            "held_for": result.get("held_for"),
        }
        for key, result in sorted(results.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_SQL, [json.dumps(rows), town_code])


def quarantine(
    device: Device,
    rows: Mapping[UUID, tuple[UUID, str, str]],
    *,
    now: dt.datetime,
    others: Mapping[UUID, Item] | None = None,
) -> None:
    """Put mutations before a person: ``mutation_id -> (row id, code, detail)``; again changes nothing.

    ``others`` are second bodies that came under a used id.
    """
    others = others or {}
    Quarantine.objects.bulk_create(
        [
            Quarantine(
                town_id=device.town_id,
                mutation_id=row_id,
                device=device,
                code=code[:40],
                detail=detail[:400],
                other_body=json.loads(others[key].text) if key in others else None,
                other_sha256=others[key].sha256 if key in others else "",
                quarantined_at=now,
            )
            for key, (row_id, code, detail) in rows.items()
        ],
        ignore_conflicts=True,
    )


def row_ids(town_code: int, mutation_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the ledger's row ids of mutations."""
    rows = Mutation.objects.filter(town_id=town_code, mutation_id__in=list(mutation_ids))
    return dict(rows.values_list("mutation_id", "id"))


def numbers_above(device_id: UUID, acknowledged: int, *, limit: int = 10_000) -> list[int]:
    """Return the device's numbers above one, in order."""
    rows = Mutation.objects.filter(device_id=device_id, device_seq__gt=acknowledged).order_by("device_seq")
    return list(rows.values_list("device_seq", flat=True)[:limit])


def read_standing(device_id: UUID, numbers: Iterable[int]) -> Standing:
    """Return how a device stands, in a transaction whose commit then does not wait for the disk.

    What such a commit writes (when the device was seen, up to which number everything has arrived) is found
    again from the ledger after a crash.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STANDING_SQL, [list(numbers), device_id])
        _, *facts = cursor.fetchone()
    return Standing(*facts)


def lock_held(
    town_code: int,
    *,
    mutation_ids: Iterable[UUID] = (),
    held_for: Iterable[UUID] = (),
    device_id: UUID | None = None,
) -> list[Mutation]:
    """Lock and return mutations that are held: by their ids, by what they wait for, and a device's own.

    Whoever brings what they wait for, and whoever sends them again, wait for each other here, so that they
    are applied once. By device, and in the order of their numbers.
    """
    ids, arrived = list(mutation_ids), list(held_for)
    with connection.cursor() as cursor:
        cursor.execute(_ANY_HELD_SQL, [town_code, ids, arrived, device_id])
        # Nearly always nothing is held. What another transaction is about to hold neither look would see.
        if not cursor.fetchone()[0]:
            return []
    wanted = Q(mutation_id__in=ids) | Q(held_for__in=arrived)
    if device_id is not None:
        wanted |= Q(device_id=device_id)
    rows = Mutation.objects.filter(wanted, town_id=town_code, status=Status.HELD, held_for__isnull=False)
    return list(rows.select_for_update(of=("self",)).order_by("device_id", "device_seq"))
