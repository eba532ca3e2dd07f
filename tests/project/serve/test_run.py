"""`manage.py run` as a person at the terminal uses it: a real server, worker and database of its own."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from assessment.project.postgres import ensure_cluster

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.slow]


class Run:
    """A started `manage.py run` and what it said so far."""

    def __init__(self, var: Path, *arguments: str) -> None:
        self.var = var
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run", "--no-demo", *arguments],
            cwd=ROOT,
            env=os.environ | {"GRANDLIST_VAR_DIR": str(var), "GRANDLIST_WEB_WORKERS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str) -> None:
        with self._news:
            found = self._news.wait_for(
                lambda: any(text in line for line in self.lines) or self.process.poll() is not None,
                timeout=300,
            )
        assert found, self.said
        assert text in self.said, self.said

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def processes(self) -> list[str]:
        """Command lines of the processes that name this run's folder, in arguments or environment."""
        shown = subprocess.run(
            ["ps", "axeww", "-o", "pid,args"], capture_output=True, text=True, check=True
        ).stdout
        return [line for line in shown.splitlines() if str(self.var) in line]


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """One folder for the module, on a path with a space: making tables takes a while."""
    with tempfile.TemporaryDirectory(prefix="grandlist test ") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "var"
        yield path
        if (path / "postgres").exists():
            ensure_cluster(path).stop(force=True)
            shutil.rmtree(path)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _get(address: str, context: ssl.SSLContext | None = None) -> bytes:
    with urllib.request.urlopen(address, timeout=20, context=context) as answer:
        return bytes(answer.read())


def test_it_answers_and_ctrl_c_stops_all_that_it_started(var: Path, port: int) -> None:
    run = Run(var, "--port", str(port))
    try:
        run.wait_for("Ctrl-C stops everything")
        assert b'"status": "ok"' in _get(f"http://127.0.0.1:{port}/healthz")
        assert len(run.processes()) >= 2
    finally:
        code = run.end()
    assert code == 0, run.said
    assert run.processes() == []


def test_a_second_checkout_on_the_same_port_is_told_which_is_free(var: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        run = Run(var, "--port", str(port))
        assert run.process.wait(60) == 1
        run.end()
    assert re.search(rf"Port {port} is taken.*PORT=\d+ make run", run.said)
    assert "Traceback" not in run.said
    assert run.processes() == []


def test_the_same_checkout_is_not_started_twice(var: Path, port: int) -> None:
    first = Run(var, "--port", str(port))
    try:
        first.wait_for("Ctrl-C stops everything")
        second = Run(var, "--port", str(port + 1))
        assert second.process.wait(60) == 1
        second.end()
        assert f"already runs, on port {port}" in second.said
        assert b"ok" in _get(f"http://127.0.0.1:{port}/healthz")
    finally:
        first.end(signal.SIGTERM)


def test_a_child_that_dies_is_named_with_its_log_and_the_rest_is_stopped(var: Path, port: int) -> None:
    run = Run(var, "--port", str(port))
    run.wait_for("Ctrl-C stops everything")
    worker = next(line for line in run.processes() if "celery" in line)
    os.kill(int(worker.split()[0]), signal.SIGKILL)
    assert run.process.wait(60) == 1
    run.end()
    assert "The worker ended by itself" in run.said
    assert str(var / "log" / "worker.log") in run.said
    assert run.processes() == []


def test_https_is_trusted_by_a_client_that_trusts_the_printed_authority(var: Path, port: int) -> None:
    run = Run(var, "--port", str(port), "--https")
    try:
        run.wait_for("Ctrl-C stops everything")
        context = ssl.create_default_context(cafile=str(var / "tls" / "ca.crt"))
        assert b"ok" in _get(f"https://localhost:{port}/healthz", context)
        assert _get(f"https://127.0.0.1:{port}/ca.crt", context) == (var / "tls" / "ca.crt").read_bytes()
        assert "Each tablet must trust" in run.said
    finally:
        assert run.end() == 0
