"""A town with houses, an office, tablets and backups, in one database with real commits."""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.utils import timezone

from assessment.property.models import Building, Feature, Property
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.restoring import run_restore_hooks
from assessment.region.rules import Role
from assessment.region.scope import scope
from assessment.region.selectors import get_actor
from assessment.region.services import assign_role, create_person, set_policy
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.devices.services import make_enrolment_code
from fieldsync.packages.models import Package
from fieldsync.packages.rules import Selection
from fieldsync.packages.services import build_package, draw_package, is_current
from tests.cast import SINCE, SYSTEM, TOWN_A
from tests.databases import TestDatabase
from tests.faults.entered import Entered
from tests.faults.happenings import Happening
from tests.faults.line import Line, TabletDied
from tests.faults.replicas import FeedWatch

CERTIFIED = {
    "certificate_level": "CCMA II",
    "certificate_number": "1",
    "certificate_expires_on": dt.date(2099, 1, 1),
}


@dataclass(frozen=True, slots=True)
class House:
    """One property with its one building and one outbuilding."""

    number: int
    property_id: str
    building_id: str
    feature_id: str


@dataclass
class Device:
    """One tablet, its line, and how its clock goes wrong."""

    number: int
    folder: Path
    line: Line
    tablet: Tablet
    clock_offset: dt.timedelta = dt.timedelta()
    is_out: bool = False
    is_wiped: bool = False
    mismatches: int = 0
    mutations: int = 0
    photos: int = 0

    def reopen(self, world: World, *, schema_version: int | None = None) -> None:
        """Start the app again on what is on the disk, as after a crash or an update."""
        version = schema_version or self.tablet.schema_version
        self.mismatches += self.tablet.mismatches
        self.tablet.store.close()
        self.tablet = world.open_tablet(self, version)


class World:
    """Everything that a seed makes.

    Parameters
    ----------
    rng
        Decides everything that is not decided by the caller.
    database
        Fresh, and this world's own.
    folder
        For the tablets and the backups; the store of blobs is where the settings say.
    """

    def __init__(
        self,
        rng: random.Random,
        database: TestDatabase,
        folder: Path,
        *,
        devices: int,
        houses: int,
        packages: int | None = None,
    ) -> None:
        self.rng, self.database, self.folder = rng, database, folder
        self.application = WSGIHandler()
        self.entered, self.faults, self.watch = Entered(), Counter[str](), FeedWatch()
        self.happened = Counter[Happening]()
        self.tokens = 0
        self.backup: tuple[str, list[Any]] | None = None
        self.office = self._make_assessor("Ada")
        self.second = self._make_assessor("Bea")
        self._set_policies()
        self.houses = self._build_houses(houses)
        self.by_property = {house.property_id: house for house in self.houses}
        self.devices = [self._enrol(number) for number in range(devices)]
        self.packages = [self._draw(number) for number in range(packages or devices)]
        for device in self.devices:
            device.tablet.take_assigned()

    def token(self) -> int:
        """Return a number that this world never gave before."""
        self.tokens += 1
        return self.tokens

    def happen(self, what: Happening, times: int = 1) -> None:
        """Count something that has happened."""
        self.happened[what] += times

    # --- making it ---

    def _make_assessor(self, name: str) -> Actor:
        town = Town.objects.get(code=TOWN_A)
        person = create_person(
            f"{name.lower()}@example.org", actor=SYSTEM, name=f"{name} Assessor", **CERTIFIED
        )
        with scope(SYSTEM, towns=[TOWN_A], reason="the world"):
            assign_role(person, actor=SYSTEM, town=town, role=Role.ASSESSOR, valid_from=SINCE)
            return get_actor(person, on=timezone.localdate())

    def _set_policies(self) -> None:
        with scope(SYSTEM, towns=[TOWN_A], reason="the world"):
            set_policy(
                Town.objects.get(code=TOWN_A), actor=SYSTEM, key="auto_accept_observations", valid_from=SINCE,
                value={"building": ["any"], "property": ["any"]},
            )  # fmt: skip

    def _build_houses(self, count: int) -> list[House]:
        with scope(SYSTEM, towns=[TOWN_A], reason="the world"):
            own: list[dict[str, Any]] = [{"town_id": TOWN_A} for _ in range(count)]
            properties = Property.objects.bulk_create(
                Property(account_number=f"{n:06}", address=f"{n} MAIN ST", **more)
                for n, more in enumerate(own)
            )
            buildings = Building.objects.bulk_create(
                Building(property=p, style="Colonial", living_area_sqft=1, gross_area_sqft=9_000_000, **more)
                for p, more in zip(properties, own, strict=True)
            )
            features = Feature.objects.bulk_create(
                Feature(property=p, code="SHD1", **more) for p, more in zip(properties, own, strict=True)
            )
        rows = zip(properties, buildings, features, strict=True)
        return [House(n, str(p.id), str(b.id), str(f.id)) for n, (p, b, f) in enumerate(rows)]

    def _enrol(self, number: int) -> Device:
        town = Town.objects.get(code=TOWN_A)
        person = create_person(f"c{number}@example.org", actor=SYSTEM, name=f"Collector {number}")
        with scope(SYSTEM, towns=[TOWN_A], reason="the world"):
            assign_role(person, actor=SYSTEM, town=town, role=Role.DATA_COLLECTOR, valid_from=SINCE)
            code = make_enrolment_code(TOWN_A, actor=SYSTEM, person_id=person.id)
        folder = self.folder / f"tablet-{number}"
        folder.mkdir(parents=True)
        line = Line(self.application, self.faults, self.watch.see)
        device = Device(number, folder, line, None)  # type: ignore[arg-type]
        # The first tablet starts as an app of long ago.
        device.tablet = self.open_tablet(device, 1 if number == 0 else 2)
        device.tablet.enrol(code, name=f"Tablet {number}")
        return device

    def open_tablet(self, device: Device, schema_version: int) -> Tablet:
        """Start a tablet's app on its folder."""
        return Tablet(
            device.folder,
            "http://127.0.0.1",
            http=httpx.Client(transport=device.line, base_url="http://127.0.0.1"),
            schema_version=schema_version,
            sleep=lambda seconds: self._time_passes(),
            clock=lambda: dt.datetime.now(dt.UTC) + device.clock_offset,
            attempts=2,
        )

    def copy_tablet(self, device: Device) -> Device:
        """Put the folder of a tablet on another one: same identity, key and outbox; from now on they part."""
        version, number = device.tablet.schema_version, len(self.devices)
        folder = self.folder / f"tablet-{number}"
        device.tablet.store.close()
        shutil.copytree(device.folder, folder)
        with sqlite3.connect(folder / "tablet.sqlite3") as store:
            # The photos lie in the folder too; the app names them by their whole path.
            store.execute("UPDATE photo SET path = replace(path, ?, ?)", (str(device.folder), str(folder)))
        store.close()
        device.mismatches += device.tablet.mismatches
        device.tablet = self.open_tablet(device, version)
        line = Line(self.application, self.faults, self.watch.see)
        copy = Device(number, folder, line, None, device.clock_offset)  # type: ignore[arg-type]
        copy.tablet = self.open_tablet(copy, version)
        self.devices.append(copy)
        return copy

    def twins_of(self, device: Device) -> list[Device]:
        """Return the tablets of one identity that are still about, the first of them first."""
        key = device.tablet.device_id
        return [twin for twin in self.devices if twin.tablet.device_id == key and not twin.is_out]

    def settle(self) -> None:
        """Mend all lines, let everybody in but those who are out for good, and let everything come to rest."""
        for device in self.devices:
            device.line.mend()
        for _ in range(2):
            for device in self.devices:
                if not self.sync(device, tries=4) and not device.is_out:
                    raise AssertionError(f"tablet {device.number} cannot sync over a whole line")

    def _draw(self, number: int) -> str:
        """Draw a package of its own share of the houses and some of its neighbour's, for one of the tablets."""
        device = self.devices[number % len(self.devices)]
        share = max(2, len(self.houses) // len(self.devices))
        start = number * share
        chosen = [self.houses[n % len(self.houses)] for n in range(start, start + share + share // 2)]
        ids = tuple(UUID(house.property_id) for house in chosen)
        with scope(SYSTEM, towns=[TOWN_A], reason="the world"):
            package = draw_package(
                TOWN_A, actor=SYSTEM, title=f"Route {number}", list_year=2026,
                selection=Selection(property_ids=ids, limit=20_000), device_id=UUID(device.tablet.device_id),
            )  # fmt: skip
        build_package(package.id, town_code=TOWN_A, actor=SYSTEM)
        return str(package.id)

    # --- the worker, the line ---

    def _time_passes(self) -> None:
        """While a tablet waits, the worker does what it was asked: packages built anew after a restore."""
        with scope(SYSTEM, towns=[TOWN_A]):
            waiting = [p.id for p in Package.objects.exclude(state="closed") if not is_current(p)]
        for package_id in waiting:
            build_package(package_id, town_code=TOWN_A, actor=SYSTEM)

    def sync(self, device: Device, *, tries: int) -> bool:
        """Let a tablet sync until it has got through; returns whether it has."""
        return any(self.attempt(device, lambda: _sync(device.tablet)) for _ in range(tries))

    def attempt(self, device: Device, act: Callable[[], Any]) -> bool:
        """Let a tablet do something over its line; returns whether it got through."""
        try:
            return self._attempt(device, act)
        finally:
            if device.is_out and not device.is_wiped and not device.tablet.store.spans():
                # What only this tablet held is on the server alone from now on, and in no older backup.
                device.is_wiped, self.backup = True, None

    def _attempt(self, device: Device, act: Callable[[], Any]) -> bool:
        try:
            act()
        except TabletDied:
            device.reopen(self)
            return False
        except httpx.TransportError:
            return False
        except ProblemAnswer as problem:
            if not _is_expected(problem):
                raise
            return False
        return True

    # --- backups ---

    def back_up(self) -> None:
        """Copy the database and note which blobs there are."""
        connections.close_all()
        name = f"{self.database.name}_backup"
        self.database.cluster.drop_database(name)
        self.database.cluster.create_database(name, template=self.database.name)
        files = self.folder / "backup"
        shutil.rmtree(files, ignore_errors=True)
        shutil.copytree(
            _blobs(), files, copy_function=os.link, ignore=shutil.ignore_patterns("uploads", "spool")
        )
        self.backup = (name, self.entered.copy_of_office())
        self.happen(Happening.BACKED_UP)

    def restore(self) -> None:
        """Put the last backup in place of everything, and begin new epochs, as `manage.py restore` does."""
        self.put_back()
        with scope(SYSTEM, towns=[TOWN_A], reason="restore"):
            run_restore_hooks(actor=SYSTEM, towns=[TOWN_A], reason="restored")
        self.watch.begin_epoch()
        self.happen(Happening.RESTORED)

    def put_back(self) -> None:
        """Make database and blobs what they were when the backup was taken, as if nothing had happened since."""
        assert self.backup is not None
        name, self.entered.office = self.backup[0], list(self.backup[1])
        connections.close_all()
        self.database.cluster.drop_database(self.database.name)
        self.database.cluster.create_database(self.database.name, template=name)
        shutil.rmtree(_blobs())
        shutil.copytree(self.folder / "backup", _blobs(), copy_function=os.link)

    def close(self) -> None:
        """Close tablets and drop the backup."""
        for device in self.devices:
            device.tablet.close()
        self.database.cluster.drop_database(f"{self.database.name}_backup")


def _blobs() -> Path:
    return Path(settings.STORAGES["default"]["OPTIONS"]["location"])


def _sync(tablet: Tablet) -> None:
    tablet.sync()
    tablet.take_assigned()


def _is_expected(problem: ProblemAnswer) -> bool:
    """Whether the server said something that a tablet has to live with."""
    # 400: a body that was cut on the way, answered by the server that read it.
    told = problem.code in (
        "device-revoked", "package-not-ready", "not-found", "package-closed", "enrol-again",
    )  # fmt: skip
    return problem.status == 400 or problem.status >= 500 or told
