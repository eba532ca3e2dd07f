"""Pictures for the office are drawn in a process that a hostile image may kill."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zlib
from uuid import UUID, uuid4

import pytest
from PIL import ExifTags, Image

from assessment.jobs.models import Job
from assessment.property.blobs import open_blob, store_blob
from assessment.property.models import Photo, Property
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.photos import renditions, rules, tasks
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House

pytestmark = pytest.mark.usefixtures("committed_db")


def make_image(kind: str = "JPEG", size: tuple[int, int] = (2000, 1500), **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (30, 90, 160)).save(stream, kind, **options)
    return stream.getvalue()


def make_exif(orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Model] = "Tablet 9"
    exif.get_ifd(ExifTags.IFD.Exif)[36867] = "2020:05:06 07:08:09"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[1], gps[2], gps[3], gps[4] = "N", (41.0, 23.0, 0.0), "W", (72.0, 54.0, 0.0)
    return exif


def make_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few bytes that says it is of 3.6 billion pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def draw(content: bytes, **values: object) -> Photo:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        home = Property.objects.create(town_id=TOWN_A, account_number=str(uuid4()))
        blob = store_blob(content, town_code=TOWN_A, media_type="image/jpeg")
        photo = Photo.objects.create(
            town_id=TOWN_A, property=home, sha256=blob.sha256, state="verified", **values
        )
    renditions.draw_photo(photo.id, town_code=TOWN_A, actor=SYSTEM)
    return read(photo.id)


def read(photo_id: UUID) -> Photo:
    with scope(SYSTEM, towns=[TOWN_A]):
        return Photo.objects.get(id=photo_id)


def picture(sha256: str) -> Image.Image:
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(sha256) as file:
        image = Image.open(io.BytesIO(file.read()))
        image.load()
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_gets_a_picture_for_the_page_and_a_small_one(kind: str) -> None:
    photo = draw(make_image(kind))
    assert photo.state == "processed"
    web, thumbnail = picture(photo.web_sha256), picture(photo.thumbnail_sha256)
    assert (web.format, max(web.size)) == ("JPEG", 1600)
    assert (thumbnail.format, max(thumbnail.size)) == ("JPEG", 320)


def test_an_iphones_photo_is_drawn_and_the_original_stays() -> None:
    pi_heif = pytest.importorskip("pi_heif")
    assert pi_heif.libheif_info()
    # No encoder is at hand: bytes that only claim to be HEIC are refused by the decoder, not by us.
    photo = draw(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + b"\0" * 200)
    assert photo.state == "unprocessable"


def test_a_rendition_is_upright_and_tells_nothing_of_the_camera() -> None:
    photo = draw(make_image(exif=make_exif()))
    web = picture(photo.web_sha256)
    assert web.size == (1200, 1600)
    assert not web.getexif()
    assert photo.exif["model"] == "Tablet 9"
    assert (photo.exif["latitude"], photo.exif["longitude"]) == (41.383333, -72.9)


def test_what_the_camera_says_otherwise_is_noted() -> None:
    taken_at = dt.datetime(2026, 5, 6, tzinfo=dt.UTC)
    photo = draw(make_image(exif=make_exif()), taken_at=taken_at, latitude=41.76, longitude=-72.74)
    assert [warning.split(" the photo ")[0] for warning in photo.warnings] == [
        "the camera dates",
        "the camera places",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an image",
        make_image()[:5000],
        make_bomb(),
        b"<svg onload=alert(1)>",
        b"GIF89a" + b"\0" * 500,
    ],
    ids=["empty", "text", "truncated", "bomb", "script", "other kind"],
)
def test_a_hostile_image_ends_its_own_process_and_stays_evidence(content: bytes) -> None:
    photo = draw(content)
    assert photo.state == "unprocessable"
    assert photo.web_sha256 == ""
    assert photo.warnings[0].startswith("no picture: ")


def test_the_drawing_process_sees_no_secret_of_the_server() -> None:
    assert set(renditions._ENVIRONMENT) == {"PATH", "PYTHONPATH", "LANG"}


def test_distance_is_that_of_the_map() -> None:
    # SOURCE: one minute of arc of latitude is a nautical mile, 1,852 m, by its definition to within 0.2 %.
    assert rules.distance_m(41.0, -72.0, 41.0 + 1 / 60, -72.0) == pytest.approx(1852, rel=0.002)


def test_uploads_start_one_job_that_draws_them_all(tablet: Tablet, houses: list[House]) -> None:
    for number in range(3):
        content = make_image(size=(400 + number, 300))
        tablet.take_photo(content, property_id=str(houses[0].property_id))
    tablet.push()
    tablet.upload_photos()
    with scope(SYSTEM, towns=[TOWN_A]):
        (job,) = Job.objects.filter(kind=renditions.RENDITIONS_JOB)
    assert renditions.draw_waiting(TOWN_A, actor=SYSTEM) == {"processed": 3, "unprocessable": 0}
    assert renditions.draw_waiting(TOWN_A, actor=SYSTEM) == {"processed": 0, "unprocessable": 0}
    assert job.kind == tasks.RENDITIONS_JOB
