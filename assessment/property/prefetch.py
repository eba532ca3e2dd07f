"""Preparing the next batch while the database works on the last: the two take turns on nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()
_WAIT_S = 0.1


def prefetch(items: Iterable[T], *, depth: int = 2) -> Iterator[T]:
    """Yield ``items``, which a thread makes up to ``depth`` ahead; its errors are raised here.

    The items must not touch the database: the thread has no transaction. When the consumer stops early,
    the thread ends with the item that it is making.
    """
    queue: Queue[Any] = Queue(maxsize=depth)
    stopped = Event()

    def put(item: Any) -> bool:
        while not stopped.is_set():
            try:
                queue.put(item, timeout=_WAIT_S)
            except Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    return
        except BaseException as error:  # noqa: BLE001 - whatever it is, the consumer raises it
            put((None, error))
        else:
            put((_END, None))

    thread = Thread(target=make, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item, error = queue.get(timeout=_WAIT_S)
            except Empty:
                continue
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
