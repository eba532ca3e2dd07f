"""The processes that `make run` starts: their logs, their signs of life, their end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOP_TIMEOUT_S = 25
LONGEST_LOG_BYTES = 20_000_000
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One started process with its log.

    Attributes
    ----------
    name
        What the person at the terminal knows it as.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def has_ended(self) -> bool:
        """Whether it is no longer running."""
        return self.process.poll() is not None

    def last_lines(self, count: int = 20) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-count:])


def start_child(
    name: str,
    arguments: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a process in a session of its own, so that Ctrl-C reaches the supervisor only.

    Should the supervisor be killed outright, the system tells the process to end (on Linux).
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LONGEST_LOG_BYTES:
        log.replace(log.with_suffix(".1.log"))
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            pass_fds=tuple(pass_fds),
            start_new_session=True,
            # No thread runs yet in the supervisor, so this is safe.
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
    return Child(name=name, process=process, log=log)


def stop_children(children: Sequence[Child], *, timeout_s: float = STOP_TIMEOUT_S) -> list[str]:
    """End all at once, gently; kill those that take too long, with everything they started.

    Returns
    -------
    list of str
        Names of those that had to be killed.
    """
    for child in children:
        if not child.has_ended:
            child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    killed = []
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            killed.append(child.name)
        _kill_group(child.process.pid)
        child.process.wait()
    return killed


def _kill_group(pid: int) -> None:
    # The child leads its own group: what is left in it are grandchildren that missed the signal.
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
