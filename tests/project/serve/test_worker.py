"""A web process takes a new connection only while it has a thread for it."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from selectors import DefaultSelector

from assessment.project.serve.worker import FairThreadWorker


def test_nothing_is_accepted_while_requests_wait_for_a_thread() -> None:
    worker = FairThreadWorker.__new__(FairThreadWorker)
    worker._accepting, worker.poller, worker.tpool = False, DefaultSelector(), ThreadPoolExecutor(1)
    go_on = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener, worker.tpool:
        worker.sockets = [listener]
        worker.set_accept_enabled(True)
        assert worker._accepting
        worker.handle = lambda conn: go_on.wait(10)
        worker.method_queue = Ignored()
        worker.enqueue_req(None)
        worker.enqueue_req(None)
        assert not worker._accepting
        worker.set_accept_enabled(True)
        assert not worker._accepting
        go_on.set()
        worker.tpool.submit(int).result()  # behind the two
        worker.set_accept_enabled(True)
        assert worker._accepting
        worker.poller.close()


class Ignored:
    """Stands for the queue by which the loop learns that a request is done."""

    def defer(self, *_: object) -> None:
        pass
