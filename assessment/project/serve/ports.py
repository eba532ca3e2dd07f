"""The address the office listens on."""

from __future__ import annotations

import errno
import socket

from assessment.project.serve.errors import CannotServe


def open_port(host: str, port: int) -> socket.socket:
    """Listen on the port before anything else is started, so that no other program takes it meanwhile.

    Raises
    ------
    CannotServe
        ``port-taken`` with the way out, or ``port-refused``.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as trouble:
        listener.close()
        if trouble.errno == errno.EADDRINUSE:
            raise CannotServe(
                "port-taken",
                f"Port {port} is taken by another program. Choose another: PORT={_free_after(host, port)} make run",
            ) from trouble
        if trouble.errno == errno.EACCES:
            raise CannotServe(
                "port-refused", f"Ports below 1024 need root here; try PORT=8000 make run instead of {port}."
            ) from trouble
        raise CannotServe("port-refused", f"Cannot listen on {host}:{port}: {trouble.strerror}.") from trouble
    listener.set_inheritable(True)
    return listener


def _free_after(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + 100, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return candidate
    return port + 1
