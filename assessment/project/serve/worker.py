"""gunicorn's threaded worker, which takes no new connection while its own requests wait."""

from __future__ import annotations

from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class FairThreadWorker(ThreadWorker):  # type: ignore[misc]
    """A worker that leaves new connections to the others while all of its threads are busy.

    gunicorn's own accepts as long as it may hold more connections, and queues them for its threads. Of two
    processes one then has twenty-five tablets waiting and the other fifteen. Left in the kernel's queue, which
    all processes share, they are served in the order in which they came. Idle connections do not count.
    """

    @property
    def is_saturated(self) -> bool:
        """Whether requests wait for a thread."""
        return bool(self.tpool._work_queue.qsize())

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept only while a thread is free; asked again at each turn of the loop, at least once a second."""
        super().set_accept_enabled(enabled and not self.is_saturated)

    def enqueue_req(self, conn: Any) -> None:
        """Give a request to the threads, and accept no more if it has to wait for one."""
        super().enqueue_req(conn)
        if self._accepting and self.is_saturated:
            super().set_accept_enabled(False)
