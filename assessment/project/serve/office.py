"""Start everything, wait until it answers, stay, and stop everything that was started."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import shutil
import signal
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import connections

from assessment.project.postgres import Cluster, ensure_cluster
from assessment.project.serve import preparation
from assessment.project.serve.certificates import (
    Certificate,
    ensure_certificate,
    network_addresses,
    own_names,
)
from assessment.project.serve.children import Child, start_child, stop_children
from assessment.project.serve.errors import CannotServe
from assessment.project.serve.ports import open_port

READY_TIMEOUT_S = 180


@dataclass(frozen=True)
class Options:
    """What the person asked for."""

    port: int = 8000
    host: str = ""
    https: bool = False
    demonstration: bool = True
    certificate: Path | None = None
    key: Path | None = None
    workers: int = 2

    @property
    def listen_on(self) -> str:
        """Loopback only, except with HTTPS, which is for the network."""
        return self.host or ("0.0.0.0" if self.https else "127.0.0.1")  # noqa: S104


class _StopAsked(Exception):
    """Ctrl-C, SIGTERM or a closed terminal."""


@dataclass
class Office:
    """The running whole."""

    options: Options
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    cluster: Cluster | None = None

    def run(self) -> None:
        """Start, stay until told to stop, stop.

        Raises
        ------
        CannotServe
            When something cannot be started, or ends by itself; all else has then been stopped.
        """
        begun = time.monotonic()
        try:
            with _one_for_this_checkout(self.options.port), _signals_as_exceptions():
                self._start()
                self._announce(time.monotonic() - begun)
                self._stay()
        except _StopAsked:
            self.say("\nStopping")
        finally:
            self._stop()

    def _start(self) -> None:
        certificate = self._certificate()
        listener = open_port(self.options.listen_on, self.options.port)
        with listener:
            if "PRIVATE_CLUSTER" in connections["default"].settings_dict:
                self.cluster = ensure_cluster(Path(settings.VAR_DIR))
                self.cluster.start()
            preparation.migrate(self.say)
            preparation.collect_static(self.say)
            if self.options.demonstration:
                preparation.load_demonstration(self.say)
            connections.close_all()
            environment = self._environment()
            logs = Path(settings.VAR_DIR) / "log"
            self.children.append(
                start_child(
                    "web server",
                    [
                        *_python("gunicorn"),
                        "--config=python:assessment.project.serve.gunicorn",
                        f"--bind=fd://{listener.fileno()}",
                        *_tls_arguments(certificate),
                    ],
                    log=logs / "web.log",
                    environment=environment,
                    pass_fds=[listener.fileno()],
                )
            )
        self.children.append(
            start_child(
                "worker",
                [
                    *_python("celery"),
                    "--app=assessment.project.celery",
                    "--quiet",
                    "worker",
                    "--beat",
                    f"--schedule={_folder('run') / 'beat'}",
                    f"--concurrency={self.options.workers}",
                    "--without-gossip",
                    "--without-mingle",
                    "--without-heartbeat",
                    "--loglevel=INFO",
                ],
                log=logs / "worker.log",
                environment=environment,
            )
        )
        self._wait_until_healthy(certificate)

    def _certificate(self) -> Certificate | None:
        options = self.options
        if not options.https:
            return None
        if options.certificate and options.key:
            for path in (options.certificate, options.key):
                if not path.is_file():
                    raise CannotServe("tls-file-missing", f"There is no file {path}.")
            return Certificate(options.certificate, options.key)
        if options.certificate or options.key:
            raise CannotServe(
                "tls-file-missing", "Give both GRANDLIST_TLS_CERT and GRANDLIST_TLS_KEY, or neither."
            )
        return ensure_certificate(_folder("tls"), own_names(), now=dt.datetime.now(dt.UTC))

    def _environment(self) -> dict[str, str]:
        metrics = _folder("run") / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir()
        environment = os.environ | {
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "GRANDLIST_VAR_DIR": str(settings.VAR_DIR),
            "PYTHONUNBUFFERED": "1",
        }
        if self.options.https:
            hosts = dict.fromkeys([*settings.ALLOWED_HOSTS, *own_names()])
            environment |= {
                "GRANDLIST_HTTPS": "true",
                "GRANDLIST_ALLOWED_HOSTS": ",".join("[::1]" if host == "::1" else host for host in hosts),
            }
        return environment

    def _wait_until_healthy(self, certificate: Certificate | None) -> None:
        scheme = "https" if certificate else "http"
        host = "127.0.0.1" if self.options.listen_on in ("0.0.0.0", "127.0.0.1") else self.options.listen_on  # noqa: S104
        address = f"{scheme}://{host}:{self.options.port}/healthz"
        # We ask ourselves whether we are there; a given certificate need not name the loopback address.
        context = ssl._create_unverified_context() if certificate else None  # noqa: S323
        deadline = time.monotonic() + READY_TIMEOUT_S
        said = "it did not answer"
        while time.monotonic() < deadline:
            self._check_children()
            try:
                with urllib.request.urlopen(address, timeout=10, context=context):  # noqa: S310
                    return
            except urllib.error.HTTPError as answer:
                said = _troubles(answer.read())
                if answer.code == 503 and "disk" in said:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        raise CannotServe(
            "not-healthy", f"The web server is not well: {said}. Its log is {self.children[0].log}."
        )

    def _announce(self, seconds: float) -> None:
        scheme, port = ("https", self.options.port) if self.options.https else ("http", self.options.port)
        self.say(f"Grandlist is ready after {seconds:.1f} s")
        self.say(f"  office   {scheme}://127.0.0.1:{port}")
        if self.options.https:
            for address in network_addresses():
                self.say(f"  network  https://{address}:{port}    tablets: https://{address}:{port}/field/")
            if not self.options.certificate:
                self._explain_trust()
        sign_in = preparation.read_sign_in()
        if sign_in:
            self.say("  sign in  " + sign_in.replace("\n", "\n           "))
        else:
            self.say("  sign in  nobody is known yet: .venv/bin/python manage.py add_person --help")
        self.say(f"  logs     {Path(settings.VAR_DIR) / 'log'}")
        self.say("Ctrl-C stops everything.")

    def _explain_trust(self) -> None:
        self.say(
            "  Each tablet must trust this server's own authority once: open /ca.crt on it in the browser, then\n"
            "    iPad     Settings > General > VPN & Device Management: install the profile; then\n"
            "             General > About > Certificate Trust Settings: turn it on\n"
            "    Android  Settings > Security > Encryption & credentials > Install a certificate > CA certificate\n"
            f"  (the file is {Path(settings.VAR_DIR) / 'tls' / 'ca.crt'})"
        )

    def _stay(self) -> None:
        while True:
            time.sleep(0.5)
            self._check_children()

    def _check_children(self) -> None:
        for child in self.children:
            if child.has_ended:
                raise CannotServe(
                    "child-ended",
                    f"The {child.name} ended by itself (status {child.process.returncode}). The end of {child.log}:\n"
                    f"{child.last_lines()}",
                )

    def _stop(self) -> None:
        with _signals_ignored():
            for name in stop_children(self.children):
                self.say(
                    f"The {name} did not end in time and was killed; its jobs are taken up at the next start."
                )
            self.children.clear()
            connections.close_all()
            if self.cluster is not None:
                self.cluster.stop()


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _tls_arguments(certificate: Certificate | None) -> list[str]:
    if certificate is None:
        return []
    return [f"--certfile={certificate.certificate}", f"--keyfile={certificate.key}"]


def _folder(name: str) -> Path:
    folder = Path(settings.VAR_DIR) / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _troubles(body: bytes) -> str:
    try:
        parts = json.loads(body)
    except ValueError:
        return "it answered with an error"
    return ", ".join(
        f"{name}: {answer}" for name, answer in parts.items() if name != "status" and answer != "ok"
    )


@contextlib.contextmanager
def _one_for_this_checkout(port: int) -> Iterator[None]:
    """Refuse a second start from one checkout: two beats and two sets of workers would share its files."""
    path = _folder("run") / "serving"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotServe(
                "already-running",
                f"This checkout's office already runs, on port {file.read().strip() or '?'}.",
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(port))
        file.flush()
        yield


@contextlib.contextmanager
def _signals_as_exceptions() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _StopAsked

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    """Let the orderly end come to its end; it is bounded in time."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
