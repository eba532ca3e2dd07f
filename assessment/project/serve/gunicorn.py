"""How gunicorn runs: WSGI with threads, which streams uploads to disk (docs/adr)."""

from __future__ import annotations

import gc
import multiprocessing
import os
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess

wsgi_app = "assessment.project.wsgi:application"
worker_class = "assessment.project.serve.worker.FairThreadWorker"
# One for each core: threads wait for disks and lines. With one more, forty tablets at once share the cores
# unevenly, and those of the fullest process wait twice as long (docs/performance.md).
workers = int(os.environ.get("GRANDLIST_WEB_WORKERS", "0")) or min(4, max(2, multiprocessing.cpu_count()))
threads = int(os.environ.get("GRANDLIST_WEB_THREADS", "8"))
# A thread may wait long for a photo over a weak line; a worker that does not answer at all is replaced.
timeout = 120
graceful_timeout = 20
keepalive = 5
# Far above any figure of ours; a leak in a library then ends some night, staggered over the workers.
max_requests = 50_000
max_requests_jitter = 10_000
# Who may say from where a request comes, and that it came by HTTPS, is one setting, GRANDLIST_TRUSTED_PROXIES,
# which the application reads: gunicorn would believe every Unix socket, and this machine's own address.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
accesslog = None  # requests are logged by the application, without addresses of people
errorlog = "-"
loglevel = "warning"
if Path("/dev/shm").is_dir():  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108  the heartbeat file; a slow disk must not end a worker


def on_starting(server: Any) -> None:
    """Tell the processes how many they are, also where that was counted here or given by an argument."""
    os.environ["GRANDLIST_WEB_WORKERS"] = str(server.cfg.workers)


def post_worker_init(_worker: Any) -> None:
    """Leave what the application is made of out of garbage collection, and collect less often.

    A batch of changes makes some ten thousand objects, none of them in circles; going through all of Django's
    again for every few of them took a tenth of the time of a push.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
