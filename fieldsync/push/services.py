"""A push: ledger first, effects once, a result for each item.

One transaction for a batch. Where that fails for a reason nobody foresaw, the batch is taken again item
by item, each in a savepoint, so that the one that fails goes to quarantine and the others are applied.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import OperationalError

from assessment.region.actors import Actor
from assessment.region.errors import Problem
from assessment.region.scope import scope
from fieldsync.devices.lifecycle import mark_copied
from fieldsync.devices.models import Device
from fieldsync.devices.services import note_contact
from fieldsync.measures import count_results
from fieldsync.problems import Busy, Reauth
from fieldsync.push import ledger
from fieldsync.push.batch import Batch
from fieldsync.push.reading import read_item
from fieldsync.push.results import Result
from fieldsync.push.rules import Status, advance
from fieldsync.push.schemas import PushIn

log = structlog.get_logger(__name__)

ATTEMPTS = 6
_NOTABLE = frozenset({Status.CONFLICT, Status.HELD, Status.QUARANTINED, Status.REJECTED})
# Deadlock, serialization failure, and a lock that was not given in time.
_AGAIN = frozenset({"40P01", "40001", "55P03"})


@dataclass(frozen=True, slots=True)
class Taken:
    """The results of a batch, and the numbers of those of its items that had not come before."""

    results: list[Result]
    fresh_numbers: Collection[int]


def take_batch(
    device_id: UUID,
    town_code: int,
    batch: PushIn,
    *,
    now: dt.datetime,
    clock_offset_ms: int | None = None,
    request_id: str = "",
) -> Taken:
    """Take a batch and return a result for each of its items, in their order.

    What is returned is committed. However often and however concurrently an item is sent, it has one
    effect, and its first result is returned each time with ``duplicate``.

    Raises
    ------
    Busy
        Other writers won too often; nothing was changed.
    """
    items = [
        read_item(raw, index=n, device_id=device_id, schema_version=batch.schema_version)
        for n, raw in enumerate(batch.mutations)
    ]
    for item in items:
        item.clock_offset_ms = clock_offset_ms
    one_by_one = False
    begun = time.perf_counter()
    for _ in range(ATTEMPTS):
        run = Batch(
            device_id, town_code, batch.batch_id, items, now, clock_offset_ms, request_id, batch.grants
        )
        try:
            results = run.take(one_by_one=one_by_one)
            count_results(results, seconds=time.perf_counter() - begun)
            _log_results(device_id, batch, results)
            return Taken(results, run.fresh_numbers)
        except OperationalError as error:
            if _sqlstate(error) not in _AGAIN:
                raise
        except Problem as problem:
            if one_by_one or isinstance(problem, Reauth):
                raise
            one_by_one = True
        except Exception:
            if one_by_one:
                raise
            log.exception("a batch failed as a whole", batch=str(batch.batch_id), device=str(device_id))
            one_by_one = True
    raise Busy


def _log_results(device_id: UUID, batch: PushIn, results: list[Result]) -> None:
    """Write one line for a batch. Ids of what did not simply go through are in it, so that a log can be searched.

    All of the others are in the ledger with the batch's id; the journal has the request's.
    """
    counts = Counter(result["status"] for result in results)
    notable = {r["mutation_id"]: r["status"] for r in results if r["status"] in _NOTABLE}
    log.info("push", device=str(device_id), batch=str(batch.batch_id), items=dict(counts), mutations=notable)


def _sqlstate(error: BaseException) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


@dataclass(frozen=True, slots=True)
class Noted:
    """Up to which number everything of a device has arrived, and what the office has decided about it."""

    acknowledged_seq: int
    state: str
    wipe: str
    is_copied: bool


def note_push(
    device_id: UUID,
    town_code: int,
    batch: PushIn,
    *,
    now: dt.datetime,
    clock_offset_ms: int | None,
    fresh_numbers: Collection[int] = (),
) -> Noted:
    """Keep what the device said of itself, and return what it is to be told.

    In a transaction of its own after the batch has committed, so that batches of one device that are sent
    at once do not wait for each other on its row. Of two copies of a tablet that used a number in the same
    moment neither batch saw the other: whoever comes here last sees both.
    """
    actor = Actor(person_id=None, name="device", device_id=device_id)
    with scope(actor, towns=[town_code]):
        standing = ledger.read_standing(device_id, fresh_numbers)
        is_copied = standing.is_copied
        if standing.numbers_twice and not is_copied:
            mark_copied(Device.objects.get(id=device_id), numbers=standing.numbers_twice, now=now)
            is_copied = True
        acknowledged = advance(standing.acknowledged_seq, standing.numbers_above)
        note_contact(
            device_id,
            now=now,
            acknowledged_seq=acknowledged,
            clock_offset_ms=clock_offset_ms,
            app_version=batch.app_version,
            queue=batch.queue.model_dump() if batch.queue else None,
        )
    return Noted(acknowledged, standing.state, standing.wipe, is_copied=is_copied)
