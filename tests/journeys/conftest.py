"""The office in a real browser: a server on a database with real commits, and Chromium."""

from __future__ import annotations

import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from django.conf import LazySettings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from assessment.region.models import Person
from tests.canaries import field_world  # noqa: F401  registers its makers
from tests.canaries.world import World, make_world
from tests.cast import PASSWORD, Cast, make_cast
from tests.databases import TestDatabase
from tests.in_flight import InFlight

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = (820, 1280)


@dataclass(frozen=True)
class Site:
    """A running office with one of everything in two towns."""

    url: str
    cast: Cast
    town: World
    other: World

    def at(self, path: str) -> str:
        """Address of a page of the first town."""
        return f"{self.url}/t/{self.town.town.slug}/{path}"


class _Requests(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        finally:
            connections.close_all()


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The browser closes connections when it likes."""


@pytest.fixture(scope="session")
def client_build() -> Path:
    """The built styles and scripts; built here when they are not."""
    built = ROOT / "assessment" / "office" / "static" / "dist" / "office.js"
    if not built.exists():
        node = shutil.which("node")
        if node is None or not (ROOT / "node_modules").exists():
            pytest.skip("the client is not built: run `npm ci && npm run build`")
        subprocess.run(
            [node, "assessment/office/client/build.mjs"], cwd=ROOT, check=True, capture_output=True
        )
    return built


@pytest.fixture
def site(
    committed_db: TestDatabase, settings: LazySettings, client_build: Path, tmp_path: Path
) -> Iterator[Site]:
    """The office, served from this process by threads."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    cast = make_cast()
    town = make_world(cast.town_a, cast.assessor_a, "AARDVARK", cast.actor(cast.assessor_a))
    other = make_world(cast.town_b, cast.assessor_b, "BUMBLEBEE", cast.actor(cast.assessor_b))
    server = _Server(("127.0.0.1", 0), _Requests)
    application = InFlight(get_wsgi_application())
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", cast, town, other)
    server.shutdown()
    application.wait()
    server.server_close()
    thread.join()
    connections.close_all()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: install the package `chromium`")
    # Playwright's loop runs in this thread; the tests use the database in between, never inside of it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


Open = Callable[..., Page]


@pytest.fixture
def browse(chromium: Browser, site: Site) -> Iterator[Open]:
    """Open a browser in which a person has signed in through the form; a script error fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def start(person: Person | None = None, *, width: int = 1280, script: bool = True) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{site.url}/sign-in")
        page.fill("#id_username", (person or site.town.person).email)
        page.fill("#id_password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"{site.url}/")
        return page

    yield start
    for context in contexts:
        context.close()
    assert errors == []
