"""Packages: drawn, built, taken, resumed, changed, taken back; and the wall between towns."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from pathlib import Path
from uuid import uuid4

import pytest
import shapely

from assessment.jobs import runs
from assessment.jobs.models import Job
from assessment.jobs.services import start_job
from assessment.property.models import Building, Owner, Ownership, Property
from assessment.region.errors import Conflict, Forbidden, Invalid
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.client.tablet import PackageDamaged
from fieldsync.devices.models import Device
from fieldsync.feed.models import PackageRecord
from fieldsync.feed.services import begin_epoch
from fieldsync.packages import cards, choosing, rules, selectors, services
from fieldsync.packages.models import Package
from fieldsync.packages.rules import Selection
from fieldsync.packages.tasks import BUILD_PACKAGE
from gis.fabric.models import FabricVersion, Parcel, ParcelProperty
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.fieldsync.conftest import House, MakeTablet, build_houses, draw


def test_a_package_is_taken_whole_and_agrees(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    (line,) = tablet.list_packages()
    assert (line["title"], line["state"], line["record_count"]) == ("Route 12", "ready", 6)
    manifest = tablet.download(str(package.id))
    assert set(tablet.cards(str(package.id))) == {str(house.property_id) for house in houses}
    assert tablet.store.checksum(str(package.id)) == (6, manifest["checksum"]["value"])
    assert [part["kind"] for part in manifest["parts"]] == ["records", "geometry", "codelists"]
    assert tablet.pull(str(package.id)) == 0


def test_the_same_records_give_the_same_parts(houses: list[House]) -> None:
    first = draw(houses, None)
    again = services.build_package(first.id, town_code=TOWN_A, actor=SYSTEM)
    assert first.manifest is not None
    assert again.manifest is not None
    assert [p["sha256"] for p in again.manifest["parts"]] == [p["sha256"] for p in first.manifest["parts"]]


def test_a_package_is_built_by_a_job(houses: list[House]) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        package = services.draw_package(
            TOWN_A, actor=SYSTEM, title="x", selection=Selection(neighbourhood="12"), list_year=2026
        )
        job = start_job(BUILD_PACKAGE, actor=SYSTEM, town=TOWN_A, payload={"package_id": str(package.id)})
    assert runs.run(job.id, TOWN_A) == "succeeded"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert selectors.get_package(package.id).state == "ready"


def test_the_manifest_is_not_sent_twice(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    path = f"packages/{package.id}/manifest"
    etag = tablet.transport.send("GET", path).headers["ETag"]
    assert tablet.transport.send("GET", path, headers={"If-None-Match": etag}).status_code == 304


def test_a_part_that_broke_off_is_resumed(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    assert package.manifest is not None
    part = package.manifest["parts"][0]
    path = f"blobs/{part['sha256']}"
    whole = tablet.transport.send("GET", path)
    assert whole.headers["Cache-Control"].endswith("immutable")
    (tablet.parts.folder / part["sha256"]).write_bytes(whole.content[:100])
    tablet.download(str(package.id))
    rest = tablet.transport.send("GET", path, headers={"Range": "bytes=100-199"})
    assert (rest.status_code, rest.content) == (206, whole.content[100:200])
    assert rest.headers["Content-Range"] == f"bytes 100-199/{part['bytes']}"
    with pytest.raises(ProblemAnswer) as refused:
        tablet.transport.send("GET", path, headers={"Range": f"bytes={part['bytes']}-"})
    assert refused.value.status == 416


def test_a_part_that_was_altered_on_the_way_is_not_taken(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    assert package.manifest is not None
    part = package.manifest["parts"][0]
    (tablet.parts.folder / part["sha256"]).write_bytes(b"x" * part["bytes"])
    with pytest.raises(PackageDamaged):
        tablet.download(str(package.id))
    assert tablet.store.packages() == {}
    tablet.download(str(package.id))


def test_a_card_has_no_float_and_no_confidential_owner(houses: list[House]) -> None:
    key = houses[0].property_id
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        Property.objects.filter(id=key).update(location_x_ft=1.25, total_acres="0.25", user_fields={"1": 2.5})
        for name, hidden in (("OPEN", False), ("HIDDEN", True)):
            owner = Owner.objects.create(town_id=TOWN_A, name=name)
            Ownership.objects.create(
                town_id=TOWN_A,
                property_id=key,
                owner=owner,
                valid_from=dt.date(2020, 1, 1),
                is_confidential=hidden,
            )
        card = cards.render_cards([key])[key]
    assert card["owner"] == ["OPEN"]
    assert card["property"]["total_acres"] == "0.2500"
    assert card["property"]["user_fields"] == {"1": "2.5"}
    assert json.loads(json.dumps(card), parse_float=pytest.fail) == card


def test_the_geometry_is_in_degrees_and_in_place(houses: list[House]) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        fabric = FabricVersion.objects.create(
            town_id=TOWN_A, number=1, state="current", source_name="x", source_sha256="0" * 64,
            source_crs="EPSG:2234", identifier_column="ID", row_count=1, parcel_count=1,
            imported_by_name="x", imported_at=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        shape = shapely.box(950_000, 680_000, 950_100, 680_100)
        parcel = Parcel.objects.create(
            town_id=TOWN_A, fabric=fabric, row=1, parcel_key="7", geom=shapely.to_wkb(shape),
            bbox=(950_000, 680_000, 950_100, 680_100), area_sqft=10_000, shape_digest="x", words_digest="x",
        )  # fmt: skip
        ParcelProperty.objects.create(
            town_id=TOWN_A, parcel=parcel, property_id=houses[0].property_id, method="hand"
        )
    package = draw(houses, None)
    assert package.manifest is not None
    part = package.manifest["parts"][1]
    from assessment.property.blobs import open_blob

    with scope(SYSTEM, towns=[TOWN_A]), open_blob(part["sha256"]) as file:
        (line,) = gzip.decompress(file.read()).splitlines()
    feature = json.loads(line)
    assert feature["id"] == str(houses[0].property_id)
    longitude, latitude = feature["geometry"]["coordinates"][0][0]
    # SOURCE: EPSG:2234 counts 1,000,000 ft and 500,000 ft from 72°45' W, 40°50' N; a degree north is 364,000 ft.
    assert longitude == pytest.approx(-72.93, abs=0.02)
    assert latitude == pytest.approx(40.8333 + 180_000 / 364_400, abs=0.002)


def test_records_that_join_and_leave_come_by_the_feed(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses[:3], tablet.device_id)
    tablet.download(str(package.id))
    ids = [house.property_id for house in houses]
    with scope(SYSTEM, towns=[TOWN_A], reason="split"):
        services.change_members(package.id, actor=SYSTEM, add=ids[3:5], remove=ids[:1])
    assert tablet.pull(str(package.id)) == 3
    assert set(tablet.cards(str(package.id))) == {str(key) for key in ids[1:5]}
    with scope(SYSTEM, towns=[TOWN_A], reason="split back"):
        services.change_members(package.id, actor=SYSTEM, add=ids[:1])
    tablet.pull(str(package.id))
    assert set(tablet.cards(str(package.id))) == {str(key) for key in ids[:5]}


def test_pages_of_changes_add_up(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    with scope(SYSTEM, towns=[TOWN_A], reason="bulk"):
        Building.objects.update(grade="B")
    cursor, seen = tablet.store.packages()[str(package.id)], []
    while True:
        path = f"packages/{package.id}/changes"
        page = tablet.transport.send("GET", path, params={"cursor": cursor, "limit": 4}).json()
        seen += [change["id"] for change in page["changes"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
        assert page["checksum"] is None
    assert sorted(seen) == sorted(str(house.property_id) for house in houses)
    assert page["checksum"]["records"] == 6


def test_a_tablet_whose_rows_went_wrong_takes_the_package_anew(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    key = str(package.id)
    tablet.download(key)
    good = tablet.cards(key)
    tablet.store.put_record(key, "card", str(houses[0].property_id), {"property": {}})
    tablet.pull(key)
    assert tablet.cards(key) == good


def test_after_a_restore_a_tablet_takes_the_package_anew(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    with scope(SYSTEM, towns=[TOWN_A], reason="restore"):
        begin_epoch(TOWN_A, actor=SYSTEM, reason="restore")
    cursor = tablet.store.packages()[str(package.id)]
    with pytest.raises(ProblemAnswer) as refused:
        tablet.transport.send("GET", f"packages/{package.id}/changes", params={"cursor": cursor})
    assert (refused.value.status, refused.value.code) == (409, "epoch-changed")
    waits: list[float] = []
    tablet.transport._sleep = waits.append
    with pytest.raises(ProblemAnswer) as told:
        tablet.pull(str(package.id))
    assert told.value.code == "package-not-ready"
    assert waits
    assert all(5.0 <= wait <= 7.5 for wait in waits)
    with scope(SYSTEM, towns=[TOWN_A]):
        job = Job.objects.get(kind=BUILD_PACKAGE)
    runs.run(job.id, TOWN_A)
    tablet.pull(str(package.id))
    assert tablet.store.packages()[str(package.id)] != cursor


def test_a_cursor_of_another_package_is_refused(tablet: Tablet, houses: list[House]) -> None:
    one, two = draw(houses[:2], tablet.device_id), draw(houses[2:], tablet.device_id)
    tablet.download(str(one.id))
    for cursor in (tablet.store.packages()[str(one.id)], "nonsense"):
        with pytest.raises(ProblemAnswer) as refused:
            tablet.transport.send("GET", f"packages/{two.id}/changes", params={"cursor": cursor})
        assert (refused.value.status, refused.value.code) == (400, "cursor-invalid")


def test_a_package_taken_back_or_closed_is_told_so(tablet: Tablet, houses: list[House]) -> None:
    one, two = draw(houses[:2], tablet.device_id), draw(houses[2:], tablet.device_id)
    for package in (one, two):
        tablet.download(str(package.id))
    with scope(SYSTEM, towns=[TOWN_A], reason="done"):
        services.take_back_package(one.id, actor=SYSTEM)
        services.close_package(two.id, actor=SYSTEM)
    for package, status, code in ((one, 404, "not-found"), (two, 410, "package-closed")):
        with pytest.raises(ProblemAnswer) as refused:
            tablet.pull(str(package.id))
        assert (refused.value.status, refused.value.code) == (status, code)
    assert tablet.list_packages() == []
    with scope(SYSTEM, towns=[TOWN_A], reason="late"), pytest.raises(Conflict):
        services.assign_package(two.id, uuid4(), actor=SYSTEM)


def test_what_is_sent_for_a_package_taken_back_is_taken_all_the_same(
    tablet: Tablet, houses: list[House]
) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"}, package_id=str(package.id))
    with scope(SYSTEM, towns=[TOWN_A], reason="done"):
        services.take_back_package(package.id, actor=SYSTEM)
    assert [result["status"] for result in tablet.push()] == ["applied"]


def test_another_towns_tablet_and_another_tablet_see_nothing(
    make_tablet: MakeTablet, houses: list[House], cast: Cast
) -> None:
    mine, other, stranger = make_tablet(), make_tablet(), make_tablet(cast.collector_b, TOWN_B)
    package = draw(houses, mine.device_id)
    mine.download(str(package.id))
    assert package.manifest is not None
    cursor = mine.store.packages()[str(package.id)]
    sha256 = package.manifest["parts"][0]["sha256"]
    for tablet in (other, stranger):
        assert tablet.list_packages() == []
        paths = [f"packages/{package.id}/manifest", f"packages/{package.id}/changes?cursor={cursor}"]
        if tablet is stranger:
            paths.append(f"blobs/{sha256}")
        for path in paths:
            with pytest.raises(ProblemAnswer) as refused:
                tablet.transport.send("GET", path)
            with pytest.raises(ProblemAnswer) as nothing:
                tablet.transport.send(
                    "GET", path.replace(str(package.id), str(uuid4())).replace(sha256, "f" * 64)
                )
            told = [{**p.value.document, "request_id": "", "instance": ""} for p in (refused, nothing)]
            assert told[0] == told[1]
            assert refused.value.status == 404


def test_a_town_cannot_draw_the_others_properties_or_use_its_tablets(
    make_tablet: MakeTablet, houses: list[House], cast: Cast
) -> None:
    theirs, tablet = build_houses(TOWN_B, 2), make_tablet(cast.collector_b, TOWN_B)
    selection = Selection(property_ids=tuple(h.property_id for h in [*houses[:1], *theirs]))
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        package = services.draw_package(TOWN_A, actor=SYSTEM, title="x", selection=selection, list_year=2026)
        assert package.record_count == 1
        from assessment.region.errors import NotFound

        with pytest.raises(NotFound):
            services.assign_package(package.id, tablet.device_id, actor=SYSTEM)
    with scope(SYSTEM, towns=[TOWN_B]):
        assert (Package.objects.count(), PackageRecord.objects.count()) == (0, 0)
        assert Device.objects.count() == 1


def test_only_who_manages_packages_draws_one(houses: list[House], cast: Cast) -> None:
    actor = cast.actor(cast.collector_a)
    with scope(actor, towns=[TOWN_A], reason="test"), pytest.raises(Forbidden):
        services.draw_package(
            TOWN_A, actor=actor, title="x", selection=Selection(neighbourhood="12"), list_year=2026
        )


def test_the_longest_uninspected_come_first(houses: list[House]) -> None:
    days = [dt.date(2020, 1, 1), None, dt.date(2010, 5, 1), dt.date(2016, 10, 1), dt.date(2012, 1, 1), None]
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        for house, day in zip(houses, days, strict=True):
            Property.objects.filter(id=house.property_id).update(last_full_inspection_on=day)
        since = rules.ten_years_before(dt.date(2026, 10, 1))
        chosen = choosing.choose_properties(TOWN_A, Selection(not_inspected_since=since))
    ids = [house.property_id for house in houses]
    assert set(chosen[:2]) == {ids[1], ids[5]}
    assert chosen[2:] == [ids[2], ids[4]]


def test_a_selection_of_nothing_or_everything_is_refused(houses: list[House]) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        for selection in (Selection(), Selection(street="NO SUCH ST"), Selection(street="MAIN ST", limit=0)):
            with pytest.raises(Invalid):
                services.draw_package(TOWN_A, actor=SYSTEM, title="x", selection=selection, list_year=2026)
        assert Package.objects.count() == 0


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None), ("bytes=0-9", (0, 10)), ("bytes=90-", (90, 100)), ("bytes=-10", (90, 100)),
        ("bytes=5-500", (5, 100)), ("bytes=0-1,5-6", None), ("items=0-1", None), ("bytes=9-3", None),
        ("bytes=x-y", None),
    ],
)  # fmt: skip
def test_a_range_is_read_as_http_has_it(header: str | None, span: tuple[int, int] | None) -> None:
    assert rules.read_range(header, 100) == span


def test_a_tablet_restarted_has_what_it_had(
    tablet: Tablet, houses: list[House], server: str, tmp_path: Path
) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"})
    again = Tablet(tablet.folder, server)
    try:
        assert again.device_id == tablet.device_id
        assert again.shown_fields(str(houses[0].property_id))["comment"] == "seen"
        assert [result["status"] for result in again.push()] == ["applied"]
    finally:
        again.close()


def test_a_hash_names_a_part(houses: list[House]) -> None:
    package = draw(houses, None)
    assert package.manifest is not None
    from assessment.property.blobs import open_blob

    for part in package.manifest["parts"]:
        with scope(SYSTEM, towns=[TOWN_A]), open_blob(part["sha256"]) as file:
            content = file.read()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (part["sha256"], part["bytes"])
