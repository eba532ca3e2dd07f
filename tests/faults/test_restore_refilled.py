"""A server restored from an older backup is refilled by its tablets, also when it has gone on meanwhile."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from assessment.jobs.models import Job
from assessment.jobs.tasks import run_job
from assessment.project.backup import databases, keys
from assessment.project.postgres import ensure_cluster
from assessment.property.blobs import open_blob
from assessment.property.models import Building, Inspection, Observation, Photo
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.services import set_policy
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.devices.services import make_enrolment_code
from fieldsync.feed.models import SyncEpoch
from fieldsync.feed.selectors import get_head
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.databases import TestDatabase, point_django_at
from tests.fieldsync.conftest import House, build_houses, cast, draw, server  # noqa: F401  fixtures
from tests.fieldsync.photos.test_uploads import make_bytes

HOUSES_EACH = 4
OLD_KEY, NEW_KEY = "the key of the server that was lost" * 2, "the key that a new server makes" * 2


class Region:
    """An office with its tablets, its backup, and the server that takes its place."""

    def __init__(
        self, address: str, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.address, self.folder = address, folder
        self.settings, self.monkeypatch = settings, monkeypatch
        self.tablets: list[Tablet] = []
        self.packages: dict[str, str] = {}
        self.identity = folder / "identity.txt"
        self.recipient = keys.make_identity(self.identity)

    def add_tablet(self, houses: list[House], person_id: UUID) -> Tablet:
        """Enrol a tablet and give it a package of the houses."""
        tablet = Tablet(self.folder / f"tablet-{len(self.tablets)}", self.address, sleep=self.work)
        self.enrol(tablet, person_id)
        package = draw(houses, tablet.device_id)
        tablet.download(str(package.id))
        self.tablets.append(tablet)
        self.packages[tablet.folder.name] = str(package.id)
        return tablet

    def enrol(self, tablet: Tablet, person_id: UUID) -> None:
        """Let a tablet in, or in again, by a new code."""
        with scope(SYSTEM, towns=[TOWN_A], reason="test"):
            code = make_enrolment_code(TOWN_A, actor=SYSTEM, person_id=person_id)
        tablet.enrol(code, name=tablet.folder.name)

    def work(self, _seconds: float = 0) -> None:
        """Do what the worker does while a tablet waits: build packages."""
        with scope(SYSTEM, towns=[TOWN_A]):
            waiting = list(
                Job.objects.filter(kind="package_build", state="queued").values_list("id", flat=True)
            )
        for job_id in waiting:
            run_job(str(job_id), TOWN_A)

    def back_up(self) -> Path:
        """Make a backup with the command."""
        out = self.folder / "backup"
        call_command("backup", out=out, recipient=[self.recipient], verbosity=0)
        return out

    def lose_the_server(self) -> None:
        """Begin on a new machine: an empty cluster, empty folders, another secret key."""
        cluster = ensure_cluster(self.folder / "elsewhere", durable=False)
        cluster.start()
        target = databases.of_cluster(cluster, "grandlist")
        self.monkeypatch.setattr(databases, "configured", lambda: target)
        place = self.folder / "elsewhere"
        self.settings.VAR_DIR = place
        self.settings.CERTIFICATIONS_DIR = place / "certifications"
        self.settings.SEALING_KEYS_DIR = place / "keys"
        self.settings.SECRET_KEY = NEW_KEY
        self.settings.STORAGES = {
            **self.settings.STORAGES,
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": str(place / "blobs"), "base_url": None},
            },
        }
        self.cluster = cluster

    def restore(self, backup: Path) -> None:
        """Restore with the command, and start the server on what was restored."""
        call_command("restore", backup, identity=self.identity, verbosity=0)
        point_django_at(TestDatabase(self.cluster, "grandlist"))
        self.settings.SECRET_KEY = (self.settings.VAR_DIR / "secrets" / "django-secret-key").read_text()

    def reconnect(self, order: list[Tablet]) -> None:
        """Let each tablet sync until it has nothing left to send, as it would over an evening."""
        for _ in range(3):
            for tablet in order:
                tablet.sync()


@pytest.fixture
def region(
    server: str,  # noqa: F811
    committed_db: TestDatabase,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Region]:
    """A region whose server can be lost and restored, at one address."""
    settings.SECRET_KEY = OLD_KEY
    source = databases.of_cluster(committed_db.cluster, committed_db.name)
    monkeypatch.setattr(databases, "configured", lambda: source)
    made = Region(server, tmp_path, settings, monkeypatch)
    yield made
    for tablet in made.tablets:
        tablet.close()
    connections.close_all()
    if hasattr(made, "cluster"):
        made.cluster.remove()


def work_an_hour(tablet: Tablet, houses: list[House], rng: random.Random, mark: str) -> None:
    """Visit each house, change what is found, photograph, and sync as the line allows."""
    for house in houses:
        property_id = str(house.property_id)
        visit = tablet.create_inspection(
            property_id,
            entry_code="01",
            visited_at="2026-11-20T10:00:00Z",
            note=f"{mark} {property_id[-4:]}",
        )
        tablet.patch_card(property_id, {house.path("living_area_sqft"): rng.randrange(800, 4000)})
        tablet.patch_card(property_id, {"comment": f"{mark} {rng.random()}"})
        content = make_bytes(rng.randrange(500, 3000)) + f"{mark}{property_id}".encode()
        tablet.take_photo(content, property_id=property_id, inspection_id=visit)
        if rng.random() < 0.5:
            tablet.sync()
    tablet.sync()


def let_everything_through() -> None:
    """Let what tablets send change the record at once, so that it comes back to them."""
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        set_policy(
            Town.objects.get(code=TOWN_A),
            actor=SYSTEM,
            key="auto_accept_observations",
            value={"building": ["any"], "property": ["any"]},
            valid_from=dt.date(2020, 1, 1),
        )


def acknowledged(tablets: list[Tablet]) -> dict[str, dict[str, Any]]:
    """Every result that any tablet holds, by mutation."""
    return {key: result for tablet in tablets for key, result in tablet.store.results().items()}


@pytest.mark.parametrize("went_on", [False, True], ids=["at once", "after new work"])
def test_all_acknowledged_work_comes_back_after_a_restore(region: Region, cast: Cast, went_on: bool) -> None:  # noqa: F811
    rng = random.Random(20261123)
    let_everything_through()
    houses = build_houses(TOWN_A, 3 * HOUSES_EACH)
    shares = [houses[n * HOUSES_EACH : (n + 1) * HOUSES_EACH] for n in range(3)]
    for share in shares:
        work_an_hour(region.add_tablet(share, cast.collector_a.id), share, rng, "before")
    backup = region.back_up()
    heads = {key: _head(key) for key in region.packages.values()}
    for tablet, share in zip(region.tablets, shares, strict=True):
        work_an_hour(tablet, share, rng, "after")
    late = region.add_tablet(houses[-2:], cast.collector_a.id)
    work_an_hour(late, houses[-2:], rng, "late")
    for tablet in region.tablets:
        tablet.sync()
    lost = acknowledged(region.tablets)
    shown = {
        tablet.folder.name: {str(h.property_id): tablet.shown_fields(str(h.property_id)) for h in share}
        for tablet, share in zip(region.tablets[:3], shares, strict=True)
    }
    region.lose_the_server()
    region.restore(backup)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Mutation.objects.count() < len(lost), "the hour is gone from the server"
    if went_on:
        _office_goes_on(houses, heads)
    rng.shuffle(region.tablets)
    region.reconnect([tablet for tablet in region.tablets if tablet is not late])
    with pytest.raises(ProblemAnswer, match="proof-invalid"):
        late.sync()  # let in after the backup: the restored server has never heard of it
    region.enrol(late, cast.collector_a.id)
    late.sync()
    assert late.store.packages() == {}, "drawn after the backup: it is gone, what was done for it is not"
    region.reconnect(region.tablets)
    _assert_all_is_back(region, lost)
    for tablet in region.tablets:
        for property_id, fields in shown.get(tablet.folder.name, {}).items():
            now = tablet.shown_fields(property_id)
            kept = {
                name: value
                for name, value in fields.items()
                if name.endswith(("living_area_sqft", "comment"))
            }
            assert {name: now[name] for name in kept} == kept
    with scope(SYSTEM, towns=[TOWN_A]):
        assert SyncEpoch.objects.count() == 2


def _office_goes_on(houses: list[House], heads: dict[str, int]) -> None:
    """Let the office change cards until every head is past where the lost server's had been."""
    turn = 0
    while any(_head(key) <= head + 40 for key, head in heads.items()):
        turn += 1
        with scope(SYSTEM, towns=[TOWN_A], reason="the office goes on"):
            for house in houses:
                Building.objects.filter(id=house.building_id).update(bedrooms=turn % 9)


def _head(package_id: str) -> int:
    with scope(SYSTEM, towns=[TOWN_A]):
        return get_head(UUID(package_id))


def _assert_all_is_back(region: Region, lost: dict[str, dict[str, Any]]) -> None:
    """Hold the restored server to everything that was ever acknowledged."""
    photos = [photo for tablet in region.tablets for photo in tablet.store.photos("received", "waiting")]
    with scope(SYSTEM, towns=[TOWN_A]):
        ledger = list(Mutation.objects.values_list("mutation_id", "kind", "entity_id", "status"))
        assert {str(row[0]) for row in ledger} >= set(lost)
        assert len(ledger) == len({row[0] for row in ledger}), "each once"
        kinds = Counter(row[1] for row in ledger)
        assert Inspection.objects.count() == kinds["inspection.create"]
        assert {str(key) for key in Photo.objects.values_list("id", flat=True)} == {
            p["photo_id"] for p in photos
        }
        for photo in photos:
            row = Photo.objects.get(id=photo["photo_id"])
            assert row.state in ("verified", "processed")
            with open_blob(row.sha256) as file:
                assert hashlib.sha256(file.read()).hexdigest() == photo["sha256"] == row.sha256
        seen = Observation.objects.values_list("mutation_id", "target_id", "field")
        assert [row for row, count in Counter(seen).items() if count > 1] == [], "no observation twice"
    for tablet in region.tablets:
        answer = tablet.reconcile()
        assert answer["missing_mutations"] == []
        assert answer["missing_photos"] == []
        assert answer["checksums_ok"], answer["stale_packages"]
        kept = {key: result["receipt"] for key, result in tablet.store.results().items()}
        asked = tablet.transport.send("POST", "mutations/status", json={"ids": sorted(kept)[:100]}).json()
        assert len(asked["results"]) == len(kept)
        if not tablet.store.packages():
            continue
        package_id = region.packages[tablet.folder.name]
        cursor_before = tablet.store.packages()[package_id]
        assert tablet.pull(package_id) == 0
        assert tablet.store.packages()[package_id] == cursor_before
        assert tablet.mismatches == 0
        assert all(result["receipt"] == kept[result["mutation_id"]] for result in asked["results"])
