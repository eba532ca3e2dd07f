"""Knowing when a test's server has answered all that was asked, before its database goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class InFlight:
    """A WSGI application that counts the answers under way.

    A browser that is closed, or a tablet that is cut off, leaves its request to a thread of the server. Where
    the database goes before that has ended, it fails in the middle, and a later test is told of it.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._changed = threading.Condition()
        self._count = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._changed:
            self._count += 1
        try:
            return _Answer(self._application(environ, start_response), self._end)
        except BaseException:
            self._end()
            raise

    def wait(self, seconds: float = 10.0) -> bool:
        """Wait until nothing is under way; returns whether that came to be in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._count, seconds)

    def _end(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()


class _Answer:
    def __init__(self, chunks: Iterable[bytes], end: Callable[[], None]) -> None:
        self._chunks, self._end = chunks, end

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        end, self._end = self._end, lambda: None
        try:
            if hasattr(self._chunks, "close"):
                self._chunks.close()
        finally:
            end()
