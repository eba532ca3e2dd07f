"""Pacing: how often a device may ask, how many pushes run at once, and what each answer advises.

A device's bucket is a row, so that all workers of all machines draw on the same one. A worker does not
write it for each request: it takes a lease of several requests and spends that in memory, and remembers
for how long a device that asked too often is to wait, so that a tablet gone wild costs no database at all.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from assessment.region.actors import Actor
from assessment.region.scope import scope
from fieldsync.devices.models import Device, DevicePace
from fieldsync.devices.pacing_rules import Bucket, make_hints
from fieldsync.problems import Busy, RateLimited

LEASE = 50
LEASE_LIFE_S = 30.0
SLOT_WAIT_S = 10.0
LOADED_FOR_S = 2.0
_FORGET_ABOVE = 10_000


@dataclass(slots=True)
class _Lease:
    left: int
    until_s: float


class Pacer:
    """The leases of one worker process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: dict[UUID, _Lease] = {}

    def admit(self, device_id: UUID, town_code: int, *, now_s: float) -> None:
        """Count one request of a device.

        Raises
        ------
        RateLimited
            The device has asked too often; the answer says when to come back. What it holds stays with it.
        """
        with self._lock:
            lease = self._leases.get(device_id)
            if lease and now_s < lease.until_s:
                if lease.left > 0:
                    lease.left -= 1
                    return
                if lease.left < 0:
                    raise _limited(lease.until_s - now_s)
        given, wait_s = _draw(device_id, town_code, now_s=now_s)
        with self._lock:
            if len(self._leases) > _FORGET_ABOVE:
                self._leases = {k: v for k, v in self._leases.items() if v.until_s > now_s}
            if given:
                held = self._leases.get(device_id)
                more = held.left if held and held.left > 0 and now_s < held.until_s else 0
                self._leases[device_id] = _Lease(given - 1 + more, now_s + LEASE_LIFE_S)
                return
            self._leases[device_id] = _Lease(-1, now_s + wait_s)
        raise _limited(wait_s)


def _limited(wait_s: float) -> RateLimited:
    return RateLimited.after(wait_s, spread=random.random())  # noqa: S311


def _draw(device_id: UUID, town_code: int, *, now_s: float) -> tuple[int, float]:
    """Take a lease from the device's bucket: how many requests were given, and if none, the wait."""
    try:
        return _draw_from_row(device_id, town_code, now_s=now_s)
    except IntegrityError:
        return 1, 0.0  # no such device, as after a restore: whoever is asked next says so


def _draw_from_row(device_id: UUID, town_code: int, *, now_s: float) -> tuple[int, float]:
    rate, burst = float(settings.FIELD_REQUESTS_PER_S), int(settings.FIELD_REQUEST_BURST)
    actor = Actor(person_id=None, name="device", device_id=device_id)
    with transaction.atomic(), scope(actor, towns=[town_code]):
        with connection.cursor() as cursor:
            # A few requests forgotten at a crash harm nobody; waiting for the disk would harm each request.
            cursor.execute("SET LOCAL synchronous_commit = off")
        full = DevicePace(town_id=town_code, device_id=device_id, tokens=burst, at_s=now_s)
        DevicePace.objects.bulk_create([full], ignore_conflicts=True)
        row = DevicePace.objects.select_for_update(of=("self",)).get(device_id=device_id)
        bucket = Bucket(row.tokens, row.at_s).refilled(now_s, rate_per_s=rate, burst=burst)
        bucket, given = bucket.take(min(LEASE, max(1, burst // 10)))
        DevicePace.objects.filter(id=row.id).update(tokens=bucket.tokens, at_s=bucket.at_s)
        Device.objects.filter(id=device_id).update(last_seen_at=dt.datetime.fromtimestamp(now_s, dt.UTC))
    return given, bucket.wait_s(rate_per_s=rate)


class Slots:
    """How many pushes this process works on at once; the others wait a little, then are sent away.

    Beyond the cores there are, more at once only makes all of them slow; and a thread that waits here
    holds no lock and no connection. Whoever came first goes first: with no order, of forty tablets that push
    at once a few would wait three times as long as the others.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._used = 0
        self._queue: deque[threading.Event] = deque()
        self._now_s = now_s
        self._queued_s = -math.inf

    @property
    def is_loaded(self) -> bool:
        """Whether a push waits for another."""
        return bool(self._queue)

    @property
    def was_loaded(self) -> bool:
        """Whether a push waits for another, or had to a moment ago.

        By this connections are let go. By the queue of the very moment some were kept while two dozen tablets
        waited for one: the kept came again at once, before all who had not had their turn.
        """
        return self.is_loaded or self._now_s() - self._queued_s < LOADED_FOR_S

    @contextmanager
    def one(self, wait_s: float = SLOT_WAIT_S) -> Iterator[None]:
        """Hold a slot.

        Raises
        ------
        Busy
            None became free in time; nothing was changed.
        """
        self._take(wait_s)
        try:
            yield
        finally:
            with self._lock:
                self._pass_on()

    def _take(self, wait_s: float) -> None:
        with self._lock:
            if self._used < settings.FIELD_PUSH_SLOTS and not self._queue:
                self._used += 1
                return
            turn = threading.Event()
            self._queue.append(turn)
            self._queued_s = self._now_s()
        if turn.wait(wait_s):
            return
        with self._lock:
            if turn.is_set():  # given in the very moment
                return
            self._queue.remove(turn)
        raise Busy

    def _pass_on(self) -> None:
        """Give the slot to who waits longest, or back; the lock is held."""
        self._used -= 1
        while self._queue and self._used < settings.FIELD_PUSH_SLOTS:
            self._used += 1
            self._queue.popleft().set()


PACER = Pacer()
PUSH_SLOTS = Slots()


def admit(device_id: UUID, town_code: int) -> None:
    """Count one request of a device; raises `RateLimited` when there were too many."""
    PACER.admit(device_id, town_code, now_s=time.time())


def is_disk_low() -> bool:
    """Whether photos should wait already: twice the reserve is left, or less."""
    try:
        free = shutil.disk_usage(Path(settings.VAR_DIR)).free
    except OSError:
        return False  # a hint is never the reason for a failure
    return free < 2 * settings.DISK_RESERVE_MB * 1024 * 1024


def current_hints() -> dict[str, Any]:
    """Return the hints for one answer."""
    return make_hints(
        max_items=settings.FIELD_PUSH_MAX_ITEMS,
        poll_s=settings.FIELD_POLL_S,
        is_loaded=PUSH_SLOTS.is_loaded,
        is_disk_low=is_disk_low(),
        spread=random.random(),  # noqa: S311
    )
