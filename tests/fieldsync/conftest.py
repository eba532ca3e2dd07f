"""A server on a real port with real commits, a town with properties, and tablets that talk to it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections

from assessment.property.models import Building, Property
from assessment.region.models import Person
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.devices.services import make_enrolment_code
from fieldsync.packages.models import Package
from fieldsync.packages.rules import Selection
from fieldsync.packages.services import build_package, draw_package
from tests.cast import SYSTEM, TOWN_A, Cast, make_cast
from tests.databases import TestDatabase
from tests.in_flight import InFlight

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    block_on_close = True

    def process_request_thread(self, request: object, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


@pytest.fixture
def server(committed_db: TestDatabase, settings: SettingsWrapper, tmp_path: Path) -> Iterator[str]:
    """The address of a threaded server on this test's database."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    httpd = _Server(("127.0.0.1", 0), _QuietHandler, ipv6=False)
    application = InFlight(get_wsgi_application())
    httpd.set_app(application)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    application.wait()
    httpd.server_close()
    thread.join()


@pytest.fixture
def cast(committed_db: TestDatabase, settings: SettingsWrapper) -> Cast:
    """The people of two towns; nobody signs in here, so their passwords need no slow hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return make_cast()


@dataclass(frozen=True)
class House:
    """One property of a town with its one building."""

    property_id: UUID
    building_id: UUID

    def path(self, field: str) -> str:
        """The path of a field of the building on the card."""
        return f"building/{self.building_id}/{field}"


def build_houses(town_code: int, count: int) -> list[House]:
    """Put ``count`` properties with a building each on the record of a town."""
    with scope(SYSTEM, towns=[town_code], reason="the tests' houses"):
        properties = Property.objects.bulk_create(
            Property(
                town_id=town_code,
                account_number=f"{n:06}",
                address=f"{n} MAIN ST",
                street_name="MAIN ST",
                address_number=str(n),
                neighbourhood="12",
            )
            for n in range(1, count + 1)
        )
        buildings = Building.objects.bulk_create(
            Building(town_id=town_code, property=p, style="Colonial", year_built=1950, living_area_sqft=1820)
            for p in properties
        )
    return [House(p.id, b.id) for p, b in zip(properties, buildings, strict=True)]


@pytest.fixture
def houses(cast: Cast) -> list[House]:
    """Six houses in town A."""
    return build_houses(TOWN_A, 6)


def draw(houses: list[House], device_id: UUID | str | None, town_code: int = TOWN_A) -> Package:
    """Draw, assign and build a package of the houses."""
    with scope(SYSTEM, towns=[town_code], reason="the tests' package"):
        package = draw_package(
            town_code,
            actor=SYSTEM,
            title="Route 12",
            selection=Selection(property_ids=tuple(h.property_id for h in houses), limit=20_000),
            list_year=2026,
            device_id=UUID(str(device_id)) if device_id else None,
        )
    return build_package(package.id, town_code=town_code, actor=SYSTEM)


MakeTablet = Callable[..., Tablet]
NewTablet = Callable[[str], Tablet]


@pytest.fixture
def new_tablet(server: str, tmp_path: Path) -> Iterator[NewTablet]:
    """Tablets that have not been enrolled, each with a folder of that name."""
    made: list[Tablet] = []

    def make(name: str) -> Tablet:
        made.append(Tablet(tmp_path / name, server))
        return made[-1]

    yield make
    for tablet in made:
        tablet.close()


@pytest.fixture
def make_tablet(new_tablet: NewTablet, cast: Cast) -> MakeTablet:
    """Enrol tablets; each in a folder of its own. ``person`` carries it."""
    numbers = itertools.count(1)

    def make(person: Person | None = None, town_code: int = TOWN_A, name: str = "") -> Tablet:
        with scope(SYSTEM, towns=[town_code], reason="the tests' tablet"):
            code = make_enrolment_code(
                town_code, actor=SYSTEM, person_id=(person or cast.collector_a).id, label="Tablet"
            )
        name = name or f"Tablet {next(numbers)}"
        tablet = new_tablet(name)
        tablet.enrol(code, name=name)
        return tablet

    return make


@pytest.fixture
def tablet(make_tablet: MakeTablet) -> Tablet:
    """One tablet of town A, carried by its collector."""
    return make_tablet()
