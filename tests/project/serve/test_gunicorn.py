"""gunicorn by our configuration: it believes no proxy, and its processes know how many they are."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port and the Unix socket of three processes that tell what reaches them."""
    folder = tmp_path_factory.mktemp("g")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GRANDLIST_")} | {
        "DJANGO_SETTINGS_MODULE": "assessment.project.settings",
        "GRANDLIST_VAR_DIR": str(folder),
        "GRANDLIST_SECRET_KEY": "x" * 32,
        "GRANDLIST_TRUSTED_PROXIES": "127.0.0.1,unix",
        "FORWARDED_ALLOW_IPS": "*",
    }
    path = folder / "s"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(path))
        unix.listen()
        command = [
            sys.executable, "-m", "gunicorn", "--config=python:assessment.project.serve.gunicorn",
            f"--bind=fd://{tcp.fileno()}", f"--bind=fd://{unix.fileno()}", "--workers=3",
            "tests.project.serve.echo:application",
        ]  # fmt: skip
        child = subprocess.Popen(command, pass_fds=[tcp.fileno(), unix.fileno()], env=environ)
        try:
            yield tcp.getsockname()[1], path
        finally:
            child.terminate()
            child.wait(30)


@pytest.mark.parametrize("way", ["tcp", "unix"])
def test_it_hands_a_proxys_headers_on_and_acts_on_none(served: tuple[int, Path], way: str) -> None:
    port, path = served
    transport = httpx.HTTPTransport(uds=str(path)) if way == "unix" else httpx.HTTPTransport()
    said = {
        "X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off", "X-Forwarded-For": "203.0.113.9",
        "Script_Name": "/elsewhere",
    }  # fmt: skip
    with httpx.Client(transport=transport, timeout=60) as client:
        answer = client.get(f"http://127.0.0.1:{port}/", headers=said)
    assert answer.status_code == 200, "two headers that disagree are nobody's error"
    assert answer.json() == {
        "REMOTE_ADDR": "" if way == "unix" else "127.0.0.1",
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_FOR": "203.0.113.9",
        "processes": 3,
    }
