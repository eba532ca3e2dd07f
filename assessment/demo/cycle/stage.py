"""The machine room of the cycle: a product of its own in a folder of its own, with server and worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"
START_WITHIN_S = 900


class CycleFailed(Exception):
    """A step did not do what it should; the message says which and shows the last lines of output."""


class Stage:
    """A server and a worker on a free port, with data below ``out/var``; stopped on leaving.

    Parameters
    ----------
    out
        The folder of the cycle's files. A folder that holds an earlier cycle's data is refused.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "GRANDLIST_VAR_DIR": str(out / "var"),
            "GRANDLIST_LOG_LEVEL": "WARNING",
        }
        self._server: subprocess.Popen[bytes] | None = None
        self._log = out / "server.log"

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def command(self, *arguments: str, expect: int = 0) -> str:
        """Run ``manage.py`` with ``arguments`` as an operator would, and return what it printed."""
        done = subprocess.run(
            [sys.executable, str(MANAGE), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != expect:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise CycleFailed(
                f"`{' '.join(arguments)}` ended with {done.returncode}, expected {expect}:\n{tail}"
            )
        return done.stdout if expect == 0 else done.stdout + done.stderr

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run a command with ``--json`` and return its document."""
        printed = self.command(*arguments, "--json")
        document: dict[str, Any] = json.loads(printed[printed.index("{") :])
        return document

    def start(self) -> None:
        """Start the product (PostgreSQL, server, worker) and wait until it answers."""
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [sys.executable, str(MANAGE), "run", "--port", str(self.port)],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if self._server.poll() is not None:
                raise CycleFailed("the server ended at once:\n" + self._tail())
            try:
                if httpx.get(self.url + "/healthz", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.3)
        raise CycleFailed(f"the server did not answer within {START_WITHIN_S} s:\n" + self._tail())

    def stop(self) -> None:
        """Stop all that was started; PostgreSQL last, by the supervisor."""
        if self._server is None or self._server.poll() is not None:
            return
        self._server.send_signal(signal.SIGTERM)
        try:
            self._server.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
