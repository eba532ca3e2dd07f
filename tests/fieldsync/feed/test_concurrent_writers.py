"""No change is missed by a reader who follows the feed while many write, and no writer is stopped."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import OperationalError, connection

from assessment.property.models import Building, Owner, Property
from assessment.region.scope import scope
from fieldsync.feed.models import FeedHead, PackageRecord
from fieldsync.feed.selectors import get_head
from fieldsync.feed.services import add_records
from fieldsync.packages.models import Package
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import build_houses, draw

WRITERS = 8
COMMITS = 40


class Reader(threading.Thread):
    """Follows one package's feed as fast as it can and remembers every number it was shown."""

    def __init__(self, package_id: UUID) -> None:
        super().__init__(daemon=True)
        self.package_id, self.stop = package_id, threading.Event()
        self.seen: dict[UUID, int] = {}
        self.cursor = 0
        self.backwards = 0

    def run(self) -> None:
        while not self.stop.is_set():
            self.read()
        self.read()
        connection.close()

    def read(self) -> None:
        with scope(SYSTEM, towns=[TOWN_A]):
            rows = PackageRecord.objects.filter(package_id=self.package_id, seq__gt=self.cursor)
            for record_id, seq in rows.order_by("seq").values_list("record_id", "seq"):
                self.backwards += seq <= self.cursor
                self.seen[record_id] = seq
                self.cursor = seq


def test_eight_writers_on_overlapping_packages_lose_nothing(cast: Cast, committed_db: object) -> None:
    houses = build_houses(TOWN_A, 40)
    packages = [draw(houses[:24], None), draw(houses[16:], None), draw(houses[8:32], None)]
    readers = [Reader(package.id) for package in packages]
    for reader in readers:
        reader.start()
    deadlocks: list[str] = []

    def write(number: int) -> dict[UUID, int]:
        rng = random.Random(number)
        written: dict[UUID, int] = {}
        for step in range(COMMITS):
            # Own houses only, so that any deadlock is the feed's; in random order, four at a time.
            mine = [house for index, house in enumerate(houses) if index % WRITERS == number]
            some = rng.sample(mine, 4)
            try:
                with scope(SYSTEM, towns=[TOWN_A], reason="concurrent"):
                    for house in some:
                        Building.objects.filter(id=house.building_id).update(living_area_sqft=step)
                        written[house.property_id] = step
            except OperationalError as error:
                deadlocks.append(str(error))
        connection.close()
        return written

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    for reader in readers:
        reader.stop.set()
        reader.join()
    assert deadlocks == []
    with scope(SYSTEM, towns=[TOWN_A]):
        for reader in readers:
            rows = PackageRecord.objects.filter(package_id=reader.package_id)
            latest = dict(rows.values_list("record_id", "seq"))
            assert reader.seen == latest
            assert reader.backwards == 0
            assert reader.cursor == get_head(reader.package_id) == max(latest.values())
            assert len(set(latest.values())) == len(latest)


def test_each_change_of_a_record_has_a_number_of_its_own(cast: Cast, committed_db: object) -> None:
    (house,) = build_houses(TOWN_A, 1)
    package = draw([house], None)

    def write(number: int) -> None:
        for step in range(10):
            with scope(SYSTEM, towns=[TOWN_A], reason="concurrent"):
                Building.objects.filter(id=house.building_id).update(living_area_sqft=100 * number + step)
        connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(1, WRITERS + 1)))
    with scope(SYSTEM, towns=[TOWN_A]):
        assert get_head(package.id) == 1 + 10 * WRITERS


def test_a_bulk_change_is_numbered_once_for_each_record(cast: Cast, committed_db: object) -> None:
    houses = build_houses(TOWN_A, 30)
    package = draw(houses[:20], None)
    with scope(SYSTEM, towns=[TOWN_A], reason="bulk"):
        Property.objects.update(zoning="R-4")
        Building.objects.update(grade="C")
    with scope(SYSTEM, towns=[TOWN_A]):
        assert get_head(package.id) == 40
        assert PackageRecord.objects.filter(package=package, seq__gt=20).count() == 20


def test_what_is_undone_is_not_numbered(cast: Cast, committed_db: object) -> None:
    houses = build_houses(TOWN_A, 2)
    package = draw(houses, None)
    with scope(SYSTEM, towns=[TOWN_A], reason="kept"):
        Building.objects.filter(id=houses[0].building_id).update(grade="B")
        try:
            with scope(SYSTEM, towns=[TOWN_A], reason="undone"):
                Building.objects.filter(id=houses[1].building_id).update(grade="B")
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    with scope(SYSTEM, towns=[TOWN_A]):
        assert get_head(package.id) == 3
        assert PackageRecord.objects.get(seq=3).record_id == houses[0].property_id


def test_a_change_after_an_early_check_is_numbered_too(cast: Cast, committed_db: object) -> None:
    houses = build_houses(TOWN_A, 2)
    package = draw(houses, None)
    with scope(SYSTEM, towns=[TOWN_A], reason="in two steps"):
        Building.objects.filter(id=houses[0].building_id).update(grade="B")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        Building.objects.filter(id=houses[1].building_id).update(grade="B")
    with scope(SYSTEM, towns=[TOWN_A]):
        assert get_head(package.id) == 4


def test_a_closed_package_is_numbered_no_more(cast: Cast, committed_db: object) -> None:
    houses = build_houses(TOWN_A, 2)
    package = draw(houses, None)
    with scope(SYSTEM, towns=[TOWN_A], reason="closed"):
        FeedHead.objects.filter(package=package).update(is_open=False)
    with scope(SYSTEM, towns=[TOWN_A], reason="late"):
        Building.objects.update(grade="B")
    with scope(SYSTEM, towns=[TOWN_A]):
        assert get_head(package.id) == 2


def test_whoever_joins_a_package_while_it_is_written_misses_nothing(cast: Cast, committed_db: object) -> None:
    """A writer has looked for packages and not yet committed: adding its record must wait for it."""
    (house,) = build_houses(TOWN_A, 1)
    with scope(SYSTEM, towns=[TOWN_A], reason="empty"):
        package = Package.objects.create(
            town_id=TOWN_A, title="Empty", list_year=2026, drawn_at="2026-10-01T00:00:00Z"
        )
    looked, joined = threading.Event(), threading.Event()
    order: list[str] = []

    def write() -> None:
        with scope(SYSTEM, towns=[TOWN_A], reason="slow"):
            Building.objects.filter(id=house.building_id).update(grade="B")
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            looked.set()
            joined.wait(0.5)
            order.append("written")
        connection.close()

    def join() -> None:
        looked.wait()
        with scope(SYSTEM, towns=[TOWN_A], reason="join"):
            add_records(package, [house.property_id], actor=SYSTEM)
            order.append("joined")
            joined.set()
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        began = time.monotonic()
        for done in [pool.submit(write), pool.submit(join)]:
            done.result()
    assert order == ["written", "joined"]
    assert time.monotonic() - began < 5


def test_an_undone_first_step_does_not_hide_the_second(cast: Cast, committed_db: object) -> None:
    """The first journaled row of a transaction is what queues the numbering; here it is undone."""
    houses = build_houses(TOWN_A, 2)
    package = draw(houses, None)
    with scope(SYSTEM, towns=[TOWN_A], reason="in two steps"):
        try:
            with scope(SYSTEM, towns=[TOWN_A], reason="undone"):
                Building.objects.filter(id=houses[0].building_id).update(grade="B")
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        Building.objects.filter(id=houses[1].building_id).update(grade="B")
    with scope(SYSTEM, towns=[TOWN_A]):
        assert get_head(package.id) == 3
        assert PackageRecord.objects.get(seq=3).record_id == houses[1].property_id


def test_a_change_of_nobodys_card_does_not_hide_one_of_a_card(cast: Cast, committed_db: object) -> None:
    (house,) = build_houses(TOWN_A, 1)
    package = draw([house], None)
    with scope(SYSTEM, towns=[TOWN_A], reason="an owner first"):
        Owner.objects.create(town_id=TOWN_A, name="SOMEBODY")
        Building.objects.filter(id=house.building_id).update(grade="B")
    with scope(SYSTEM, towns=[TOWN_A]):
        assert get_head(package.id) == 2
