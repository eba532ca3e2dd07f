"""How often may be asked at the door, where nobody has proven who they are: for a token, and to enrol.

Forty tablets may share one address. So whoever asks is counted first
by what they say they are (the device's id, the key), and what is refused there takes nothing from the
others at the address: one tablet gone wild does not shut them out. Only then is the address counted, which
stops a flood under ever new names. Both are kept in each process's memory, each of a machine's processes
with its share of the limit: a flood costs no database (docs/adr/door-limits-in-memory.md).
"""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict

from django.conf import settings
from django.http import HttpRequest

from assessment.region.proxies import client_address
from fieldsync.devices.pacing_rules import Bucket
from fieldsync.problems import AddressLimited, RateLimited

_KEPT_MOST = 10_000


class Buckets:
    """One bucket for each name; of too many the one that was asked for longest ago is forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, ...], Bucket] = OrderedDict()

    def draw(self, name: tuple[str, ...], *, now_s: float, rate_per_s: float, burst: int) -> float:
        """Take one request from a bucket; returns 0, or how long to wait for one."""
        with self._lock:
            bucket = self._buckets.pop(name, None) or Bucket(burst, now_s)
            bucket = bucket.refilled(now_s, rate_per_s=rate_per_s, burst=burst)
            bucket, given = bucket.take(1)
            self._buckets[name] = bucket
            while len(self._buckets) > _KEPT_MOST:
                self._buckets.popitem(last=False)
        return 0.0 if given else bucket.wait_s(rate_per_s=rate_per_s)


class Door:
    """The limits of one web process."""

    def __init__(self) -> None:
        self._callers, self._addresses = Buckets(), Buckets()

    def admit(self, route: str, address: str, caller: str, *, now_s: float) -> None:
        """Count one request.

        Parameters
        ----------
        route
            What is asked for; a flood at one route does not close the other.
        address, caller
            Where it comes from, and who it says to be. The same name at another address is somebody else,
            so that nobody shuts out a tablet from afar.

        Raises
        ------
        RateLimited
            This caller asks too often.
        AddressLimited
            All at the address together do.
        """
        share = settings.WEB_PROCESSES
        wait_s = self._callers.draw(
            (route, address, caller),
            now_s=now_s,
            rate_per_s=settings.FIELD_DOOR_REQUESTS_PER_S / share,
            burst=max(1, settings.FIELD_DOOR_REQUEST_BURST // share),
        )
        if wait_s:
            raise RateLimited.after(wait_s, spread=random.random())  # noqa: S311
        wait_s = self._addresses.draw(
            (route, address),
            now_s=now_s,
            rate_per_s=settings.FIELD_ADDRESS_REQUESTS_PER_S / share,
            burst=max(1, settings.FIELD_ADDRESS_REQUEST_BURST // share),
        )
        if wait_s:
            raise AddressLimited.after(wait_s, spread=random.random())  # noqa: S311


DOOR = Door()


def admit_unproven(request: HttpRequest, route: str, caller: str) -> None:
    """Count one request of somebody who has proven nothing yet; see `Door.admit` for what it raises."""
    DOOR.admit(route, client_address(request) or "", caller, now_s=time.monotonic())
