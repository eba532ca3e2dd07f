"""A real server for the benchmarks: its own cluster that flushes to disk, gunicorn as in production."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx


@contextlib.contextmanager
def fresh_product() -> Iterator[Path]:
    """Set up Django on an empty, durable database in a folder of its own; gives the folder."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    os.environ["GRANDLIST_VAR_DIR"] = str(folder)
    os.environ.setdefault("GRANDLIST_LOG_LEVEL", "ERROR")
    # One device of a benchmark stands for many: the bucket is drawn on, and does not run dry.
    os.environ.setdefault("GRANDLIST_FIELD_REQUESTS_PER_S", "100000")
    os.environ.setdefault("GRANDLIST_FIELD_REQUEST_BURST", "1000000")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from assessment.project.postgres import ensure_cluster

    cluster = ensure_cluster(folder)
    cluster.start()
    try:
        call_command("migrate", verbosity=0)
        (folder / "static").mkdir(exist_ok=True)
        with cluster.connect() as connection:
            postmaster = connection.execute(
                "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)"
            ).fetchone()
        (folder / "cpu-of").write_text(str(postmaster[0] if postmaster else 0))
        yield folder
    finally:
        connections.close_all()
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def server() -> Iterator[tuple[str, int]]:
    """Run gunicorn as the product does; gives its address and the process id of its master."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [
            sys.executable, "-m", "gunicorn", "--config=python:assessment.project.serve.gunicorn",
            f"--bind=fd://{listener.fileno()}",
        ]  # fmt: skip
        child = subprocess.Popen(command, pass_fds=[listener.fileno()])
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            _wait_for(address)
            yield address, child.pid
        finally:
            child.terminate()
            child.wait(30)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.request("OPTIONS", f"{address}/api/field/v1/uploads").status_code == 204:
                return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def cpu_seconds(master: int) -> float:
    """Return the processor time that a server's processes and the database's have used so far.

    On a machine that others use too, this says more than the clock.
    """
    postmaster = int((Path(os.environ["GRANDLIST_VAR_DIR"]) / "cpu-of").read_text())
    ticks = 0
    for pid in [*family(master), *family(postmaster)]:
        with contextlib.suppress(FileNotFoundError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(fields[n]) for n in (11, 12))
            # Backends that have ended count through their parent.
            ticks += sum(int(fields[n]) for n in (13, 14))
    return ticks / os.sysconf("SC_CLK_TCK")


def pace_ms() -> float:
    """Return how long this machine takes for a fixed sum, the best of three: figures of two hours compare by it."""
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        total = 0
        for number in range(2_000_000):
            total += number * number
        best = min(best, time.perf_counter() - began)
    return 1000 * best


def family(master: int) -> list[int]:
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [master, *map(int, children)]


def resident_mb(master: int) -> float:
    """Return the memory of the largest of a server's processes, in MB."""
    return max(_resident_mb(pid) for pid in family(master))


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
