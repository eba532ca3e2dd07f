"""Reading `postmaster.pid`, and telling a living server from a stale file.

A pid file outlives a killed server, and in a container the same number soon belongs to another program;
PostgreSQL then refuses to start. What counts here is whether that process stands in our data directory.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Postmaster:
    """What a server wrote about itself.

    Attributes
    ----------
    pid
        Process id of the postmaster.
    socket_folder
        Where its socket is; None while it starts.
    """

    pid: int
    socket_folder: Path | None


def read_postmaster(data: Path) -> Postmaster | None:
    """Read the pid file of `data`, or None when there is none that can be read."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    socket_folder = Path(lines[4]) if len(lines) > 4 and lines[4] else None
    return Postmaster(pid=pid, socket_folder=socket_folder)


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that is alive in `data`, or None when there is none or its file is stale."""
    postmaster = read_postmaster(data)
    if postmaster is None or not _is_alive_in(postmaster.pid, data):
        return None
    return postmaster


def is_process(pid: int) -> bool:
    """Whether any process has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_alive_in(pid: int, data: Path) -> bool:
    if not is_process(pid):
        return False
    proc = Path(f"/proc/{pid}")
    if not proc.exists():
        # No /proc (macOS): the command line names the data directory.
        command = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return str(data) in command.stdout
    try:
        # A dead server that nobody has reaped has no working directory: FileNotFoundError.
        return (proc / "cwd").samefile(data)
    except (FileNotFoundError, PermissionError):
        return False
