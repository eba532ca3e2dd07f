"""What a build writes: pictures, the map, a GeoPackage; when it is made anew; how parts are served."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import tarfile
from pathlib import Path

import pyogrio
import pytest
from django.utils import timezone
from pmtiles.reader import MemorySource, Reader, all_tiles

from assessment.jobs.models import Job
from assessment.property.blobs import open_blob, store_blob
from assessment.property.models import Building, Inspection, Photo
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.feed import rules as feed_rules
from fieldsync.packages import building, tasks, tiles
from fieldsync.packages.geopackage import write_geopackage
from fieldsync.packages.models import Package
from gis.tiles.models import TileArchive
from gis.tiles.services import make_tiles
from tests.canaries.world import picture
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, draw
from tests.fieldsync.packages.ground import lay_ground


def part_of(package: Package, kind: str) -> dict[str, object] | None:
    assert package.manifest is not None
    return next((part for part in package.manifest["parts"] if part["kind"] == kind), None)


def content_of(part: dict[str, object]) -> bytes:
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(str(part["sha256"])) as file:
        content = file.read()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (part["sha256"], part["bytes"])
    return content


def add_photo(house: House, marker: str, *, is_primary: bool = False) -> str:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        blob = store_blob(picture(marker), town_code=TOWN_A, media_type="image/jpeg")
        Photo.objects.create(
            town_id=TOWN_A, property_id=house.property_id, role="front", state="processed", is_primary=is_primary,
            sha256=blob.sha256, thumbnail_sha256=blob.sha256,
        )  # fmt: skip
    return blob.sha256


def test_pictures_go_as_one_tar_each_once_and_the_primary_first(houses: list[House]) -> None:
    second, first = add_photo(houses[0], "bbb"), add_photo(houses[1], "aaa", is_primary=True)
    assert add_photo(houses[2], "bbb") == second
    part = part_of(draw(houses, None), "photo-thumbs")
    assert part is not None
    assert (part["count"], part["optional"]) == (2, True)
    with tarfile.open(fileobj=io.BytesIO(content_of(part))) as tar:
        assert tar.getnames() == [f"{first}.jpg", f"{second}.jpg"]
        file = tar.extractfile(f"{second}.jpg")
        assert file is not None
        assert hashlib.sha256(file.read()).hexdigest() == second


def test_pictures_stop_at_what_a_tablet_should_carry(
    houses: list[House], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fieldsync.packages import parts

    add_photo(houses[0], "bbb")
    first = add_photo(houses[1], "aaa", is_primary=True)
    monkeypatch.setattr(parts, "THUMBNAILS_MAX_BYTES", len(picture("aaa")))
    part = part_of(draw(houses, None), "photo-thumbs")
    assert part is not None
    with tarfile.open(fileobj=io.BytesIO(content_of(part))) as tar:
        assert tar.getnames() == [f"{first}.jpg"]


class TestMap:
    """Six lots, the last five miles away from the first."""

    @pytest.fixture
    def archive(self, houses: list[House]) -> TileArchive:
        fabric = lay_ground([house.property_id for house in houses], apart_ft=5_000)
        return make_tiles(fabric.id, actor=SYSTEM, town_code=TOWN_A)

    def test_the_map_is_the_piece_around_the_parcels(self, houses: list[House], archive: TileArchive) -> None:
        part = part_of(draw(houses[:1], None), "map")
        assert part is not None
        content = content_of(part)
        with scope(SYSTEM, towns=[TOWN_A]), open_blob(archive.blob.sha256) as file:
            whole = dict(all_tiles(MemorySource(file.read())))
        piece = dict(all_tiles(MemorySource(content)))
        assert 0 < len(piece) == part["count"] < len(whole)
        assert piece == {place: whole[place] for place in piece}
        assert {zoom for zoom, _, _ in piece} == {13, 14, 15}
        header = Reader(MemorySource(content)).header()
        assert header["min_lon_e7"] < header["center_lon_e7"] < header["max_lon_e7"]

    def test_the_same_area_gives_the_same_bytes(self, houses: list[House], archive: TileArchive) -> None:
        one, two = (part_of(draw(houses[:1], None), "map") for _ in range(2))
        assert one == two

    def test_an_area_of_nearly_all_tiles_shares_the_towns_own_archive(
        self, houses: list[House], archive: TileArchive
    ) -> None:
        part = part_of(draw(houses, None), "map")
        assert part is not None
        assert part["sha256"] == archive.blob.sha256

    def test_an_archive_too_large_to_read_through_is_shared(
        self, houses: list[House], archive: TileArchive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tiles, "MOST_BYTES", 10)
        part = part_of(draw(houses[:1], None), "map")
        assert part is not None
        assert part["sha256"] == archive.blob.sha256


def test_without_tiles_and_pictures_a_package_has_neither(houses: list[House]) -> None:
    package = draw(houses, None)
    assert part_of(package, "map") is part_of(package, "photo-thumbs") is None


def test_a_package_opens_in_a_gis(houses: list[House], tmp_path: Path) -> None:
    lay_ground([house.property_id for house in houses[:5]])
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        Building.objects.filter(id=houses[0].building_id).update(year_built=None, stories="1.50")
        Inspection.objects.create(
            town_id=TOWN_A, property_id=houses[1].property_id, purpose="revaluation", entry_code="00",
            visited_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC), list_year=2026, note="öäü",
        )  # fmt: skip
    package = draw(houses, None)
    path = tmp_path / "package.gpkg"
    with scope(SYSTEM, towns=[TOWN_A]):
        path.write_bytes(write_geopackage(package).read())
    layers = {str(name): str(kind) for name, kind in pyogrio.list_layers(path)}
    assert layers == {"parcels": "MultiPolygon", "buildings": "Point", "inspections": "Point"}
    parcels = pyogrio.read_dataframe(path, layer="parcels")
    assert parcels.crs.to_epsg() == 2234
    assert len(parcels) == 6
    assert parcels.geometry.isna().sum() == 1
    assert parcels.geometry.area.dropna().round().tolist() == [10_000] * 5
    assert parcels["address"].tolist() == [f"{n} MAIN ST" for n in range(1, 7)]
    buildings = pyogrio.read_dataframe(path, layer="buildings")
    assert set(buildings["style"]) == {"Colonial"}
    assert parcels.geometry[0].contains(buildings.geometry[0])
    inspections = pyogrio.read_dataframe(path, layer="inspections")
    assert inspections["note"].tolist() == ["öäü"]


def test_a_package_whose_changes_outgrew_it_is_built_anew_by_the_clock(
    tablet: Tablet, houses: list[House], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = draw(houses, tablet.device_id)
    draw(houses, None)  # nobody has this one
    assert tasks.rebuild() == 0
    with scope(SYSTEM, towns=[TOWN_A], reason="grade"):
        Building.objects.update(grade="B")
    assert tasks.rebuild() == 0
    now = timezone.now()
    with scope(SYSTEM, towns=[TOWN_A]):
        assert building.find_stale_packages(TOWN_A, now=now + dt.timedelta(days=1)) == [package]
    monkeypatch.setattr(feed_rules, "SMALL_DELTA_BYTES", 0)
    assert (tasks.rebuild(), tasks.rebuild()) == (1, 1)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Job.objects.get(kind=tasks.BUILD_PACKAGE).key == str(package.id)


def test_parts_are_served_as_http_has_it(tablet: Tablet, houses: list[House]) -> None:
    part = part_of(draw(houses, tablet.device_id), "records")
    assert part is not None
    path, etag = f"blobs/{part['sha256']}", f'"{part["sha256"]}"'

    def ask(**headers: str) -> tuple[int, int]:
        answer = tablet.transport.send("GET", path, headers=headers)
        assert answer.headers["ETag"] == etag
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        return answer.status_code, len(answer.content)

    whole = (200, part["bytes"])
    assert ask() == whole
    assert ask(Range="bytes=0-9") == (206, 10)
    assert ask(Range="bytes=0-9", **{"If-Range": etag}) == (206, 10)
    assert ask(Range="bytes=0-9", **{"If-Range": '"another"'}) == whole
    assert ask(**{"If-None-Match": etag}) == (304, 0)
    with pytest.raises(ProblemAnswer) as refused:
        ask(Range="bytes=99999999-")
    assert (refused.value.status, refused.value.headers["Content-Range"]) == (416, f"bytes */{part['bytes']}")
