"""File locks: one that makes launchers take turns, one by which users of a server know of each other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold `path` alone; a second launcher waits. The system lets go when the process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Lease:
    """This process's claim on a running server, shared with other processes and given up by dying too.

    The last process to let go may stop the server; one that finds others leaves it running. A process has
    one claim on a server, however many `Cluster` objects it makes: get it with `lease_of`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._pid = 0

    @property
    def held(self) -> bool:
        """Whether this very process (not the parent it was forked from) holds the claim."""
        return self._descriptor is not None and self._pid == os.getpid()

    def take(self) -> None:
        """Claim the server; repeating does nothing."""
        if self.held:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        self._descriptor, self._pid = descriptor, os.getpid()

    def is_last(self) -> bool:
        """Whether nobody else claims the server. Ask it while holding the launchers' lock."""
        descriptor = self._descriptor if self.held else None
        opened = descriptor is None
        if descriptor is None:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            if not opened:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            return True
        finally:
            if opened:
                os.close(descriptor)

    def release(self) -> None:
        """Let go of the claim, if this process has one."""
        if self.held and self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None


_leases: dict[Path, Lease] = {}


def lease_of(path: Path) -> Lease:
    """The one claim of this process that goes by the file ``path``."""
    return _leases.setdefault(path.resolve(), Lease(path))
