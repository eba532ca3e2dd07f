from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import shapely
from django.test import Client
from pmtiles.reader import MemorySource, Reader

from assessment.jobs.models import Job
from assessment.jobs.registry import RunningJob, get_registration
from assessment.property.blobs import open_blob
from assessment.region.errors import Forbidden, NotFound
from assessment.region.ids import new_id
from assessment.region.scope import scope
from gis.errors import TilesFailed
from gis.models import FabricVersion, TileArchive
from gis.tiles.making import TileParcel, write_archive
from gis.tiles.ranges import ByteRange, Unsatisfiable, parse_range
from gis.tiles.services import make_tiles
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.gis.conftest import RealTown
from tests.gis.land import import_some

pytestmark = pytest.mark.django_db


@pytest.fixture
def fabric(hamden: RealTown, cast: Cast, tmp_path: Path) -> FabricVersion:
    return import_some(hamden, cast.town_a, tmp_path)


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def bytes_of(archive: TileArchive) -> bytes:
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(archive.blob.sha256) as stream:
        return stream.read()


class TestMaking:
    def test_the_archive_holds_the_parcels_at_each_zoom(self, fabric: FabricVersion):
        archive = make_tiles(fabric.id, actor=SYSTEM, town_code=TOWN_A)
        content = bytes_of(archive)
        reader = Reader(MemorySource(content))
        header = reader.header()
        assert (header["min_zoom"], header["max_zoom"]) == (13, 15)
        (layer,) = reader.metadata()["vector_layers"]
        assert layer["id"] == "parcels"
        assert set(layer["fields"]) == {"key", "address", "number", "property"}
        west, south = header["min_lon_e7"] / 1e7, header["min_lat_e7"] / 1e7
        assert (-73.0 < west < -72.8, 41.3 < south < 41.5) == (True, True)
        tile = reader.get(15, *tile_at(15, west + 0.001, south + 0.001))
        assert b"GOODRICH ST" in gzip.decompress(tile)

    def test_making_again_returns_what_is_there(self, fabric: FabricVersion):
        first = make_tiles(fabric.id, actor=SYSTEM, town_code=TOWN_A)
        again = make_tiles(fabric.id, actor=SYSTEM, town_code=TOWN_A)
        assert first.id == again.id

    def test_the_job_makes_the_tiles_of_its_fabric(self, fabric: FabricVersion):
        with scope(SYSTEM, towns=[TOWN_A]):
            job = Job.objects.get(kind="map_tiles")
        steps: list[int] = []
        result = get_registration("map_tiles").run(
            RunningJob(
                id=job.id,
                town_code=TOWN_A,
                payload=job.payload,
                actor=SYSTEM,
                progress=lambda done, total=0, label="": steps.append(done),
            )
        )
        with scope(SYSTEM, towns=[TOWN_A]):
            assert result["sha256"] == TileArchive.objects.get(fabric=fabric).blob.sha256
        assert steps == [0, 1]

    def test_another_towns_fabric_is_not_found(self, fabric: FabricVersion):
        with pytest.raises(NotFound):
            make_tiles(fabric.id, actor=SYSTEM, town_code=TOWN_B)

    def test_a_collector_may_not_make_tiles(self, fabric: FabricVersion, cast: Cast):
        with pytest.raises(Forbidden):
            make_tiles(fabric.id, actor=cast.actor(cast.collector_a), town_code=TOWN_A)

    def test_no_parcel_makes_no_archive(self, tmp_path: Path):
        with pytest.raises(TilesFailed):
            write_archive(tmp_path / "none.pmtiles", [], name="nowhere")

    def test_a_folder_that_is_not_there_is_a_failure_and_not_a_crash(self, tmp_path: Path):
        lot = TileParcel("1", "", "", "", shapely.to_wkb(shapely.box(950_000, 680_000, 950_100, 680_100)))
        with pytest.raises(TilesFailed):
            write_archive(tmp_path / "no" / "such" / "x.pmtiles", [lot], name="nowhere")


class TestServing:
    @pytest.fixture
    def archive(self, fabric: FabricVersion) -> TileArchive:
        return make_tiles(fabric.id, actor=SYSTEM, town_code=TOWN_A)

    @pytest.fixture
    def content(self, archive: TileArchive) -> bytes:
        return bytes_of(archive)

    def test_a_range_is_answered_with_just_these_bytes(self, archive, content, cast: Cast):
        client = signed_in(cast.collector_a)
        response = client.get(f"/tiles/hamden/{archive.fabric_id}.pmtiles", headers={"Range": "bytes=0-126"})
        assert response.status_code == 206
        assert response["Content-Range"] == f"bytes 0-126/{len(content)}"
        assert b"".join(response.streaming_content) == content[:127]

    def test_without_a_range_the_whole_archive_comes(self, archive, content, cast: Cast):
        response = signed_in(cast.assessor_a).get(f"/tiles/hamden/{archive.fabric_id}.pmtiles")
        assert (response.status_code, response["Accept-Ranges"]) == (200, "bytes")
        assert b"".join(response.streaming_content) == content

    def test_a_map_can_be_read_through_ranges_alone(self, archive, cast: Cast):
        client = signed_in(cast.assessor_a)

        def get_bytes(offset: int, length: int) -> bytes:
            asked = {"Range": f"bytes={offset}-{offset + length - 1}"}
            return b"".join(
                client.get(f"/tiles/hamden/{archive.fabric_id}.pmtiles", headers=asked).streaming_content
            )

        reader = Reader(get_bytes)
        header = reader.header()
        x, y = tile_at(13, header["center_lon_e7"] / 1e7, header["center_lat_e7"] / 1e7)
        assert reader.get(13, x, y)

    def test_what_is_known_is_not_sent_again(self, archive, cast: Cast):
        client = signed_in(cast.assessor_a)
        address = f"/tiles/hamden/{archive.fabric_id}.pmtiles"
        etag = client.head(address)["ETag"]
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 304

    def test_a_range_of_an_older_file_gets_the_whole_new_one(self, archive, content, cast: Cast):
        response = signed_in(cast.assessor_a).get(
            f"/tiles/hamden/{archive.fabric_id}.pmtiles", headers={"Range": "bytes=0-9", "If-Range": '"old"'}
        )
        assert response.status_code == 200
        assert len(b"".join(response.streaming_content)) == len(content)

    def test_bytes_beyond_the_end_are_refused_with_the_size(self, archive, content, cast: Cast):
        response = signed_in(cast.assessor_a).get(
            f"/tiles/hamden/{archive.fabric_id}.pmtiles", headers={"Range": "bytes=99999999-"}
        )
        assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(content)}")

    def test_another_towns_tiles_are_answered_like_none(self, archive, cast: Cast):
        stranger = signed_in(cast.assessor_b)
        theirs = stranger.get(f"/tiles/hamden/{archive.fabric_id}.pmtiles")
        in_own_town = stranger.get(f"/tiles/west-hartford/{archive.fabric_id}.pmtiles")
        nothing = stranger.get(f"/tiles/west-hartford/{new_id()}.pmtiles")
        assert theirs.status_code == in_own_town.status_code == nothing.status_code == 404

    def test_nobody_is_sent_to_sign_in(self, archive):
        assert Client().get(f"/tiles/hamden/{archive.fabric_id}.pmtiles").status_code == 302


class TestRanges:
    # SOURCE: RFC 9110, 14.1.2 and 14.2, on a file of 10,000 bytes.
    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("bytes=0-499", ByteRange(0, 499)),
            ("bytes=9500-", ByteRange(9500, 9999)),
            ("bytes=-500", ByteRange(9500, 9999)),
            ("bytes=-20000", ByteRange(0, 9999)),
            ("bytes=9500-99999", ByteRange(9500, 9999)),
            (None, None),
            ("", None),
            ("items=0-1", None),
            ("bytes=0-0,-1", None),
            ("bytes=5-4", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
        ],
    )
    def test_a_header_is_read_as_the_standard_says(self, header, expected):
        assert parse_range(header, 10_000) == expected

    @pytest.mark.parametrize("header", ["bytes=10000-", "bytes=-0"])
    def test_a_range_without_a_byte_is_not_satisfiable(self, header):
        with pytest.raises(Unsatisfiable):
            parse_range(header, 10_000)


def tile_at(zoom: int, lon: float, lat: float) -> tuple[int, int]:
    import math

    n = 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return int((lon + 180) / 360 * n), int(y)
