"""Pictures for the office are drawn in a process that a hostile image may kill."""

from __future__ import annotations

import datetime as dt
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image

from assessment.jobs.models import Job
from assessment.property.blobs import open_blob, store_blob
from assessment.property.models import Photo, Property
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.photos import renditions, rules, sandbox, tasks
from fieldsync.photos.parameters import tolerances
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House
from tests.fieldsync.photos import images
from tests.fieldsync.photos.images import make_exif, make_image


def draw(content: bytes, **values: object) -> Photo:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        home = Property.objects.create(town_id=TOWN_A, account_number=str(uuid4()))
        blob = store_blob(content, town_code=TOWN_A, media_type=values.get("media_type", "image/jpeg"))
        photo = Photo.objects.create(
            town_id=TOWN_A, property=home, sha256=blob.sha256, state="verified", **values
        )
    renditions.draw_photo(photo.id, town_code=TOWN_A, actor=SYSTEM)
    return read(photo.id)


def read(photo_id: UUID) -> Photo:
    with scope(SYSTEM, towns=[TOWN_A]):
        return Photo.objects.get(id=photo_id)


def show(content: bytes) -> Image.Image:
    """The picture for the page that is drawn of an image, without any record."""
    drawn = renditions.draw_pictures(io.BytesIO(content))
    assert drawn.why == ""
    image = Image.open(io.BytesIO(drawn.pictures[0]))
    image.load()
    return image


def read_bytes(sha256: str) -> bytes:
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(sha256) as file:
        return file.read()


def picture(sha256: str) -> Image.Image:
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(sha256) as file:
        image = Image.open(io.BytesIO(file.read()))
        image.load()
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_gets_a_picture_for_the_page_and_a_small_one(kind: str) -> None:
    drawn = renditions.draw_pictures(io.BytesIO(make_image(kind)))
    web, thumbnail = (Image.open(io.BytesIO(content)) for content in drawn.pictures)
    assert (web.format, max(web.size)) == ("JPEG", 1600)
    assert (thumbnail.format, max(thumbnail.size)) == ("JPEG", 320)


@pytest.mark.usefixtures("committed_db")
def test_an_iphones_photo_is_drawn_and_the_original_stays() -> None:
    pytest.importorskip("pi_heif")
    photo = draw(images.HEIC.read_bytes(), media_type="image/heic")
    assert photo.state == "processed"
    web = picture(photo.web_sha256)
    # Turned as the camera was held: grass to the left, a red house, sky to the right.
    assert web.size == (480, 640)
    seen = [
        max(zip(web.getpixel((x, 320 if x == 250 else 20)), "rgb", strict=True))[1] for x in (20, 250, 470)
    ]
    assert seen == ["g", "r", "b"]
    assert (photo.exif["model"], photo.exif["latitude"]) == ("Drawn House", 41.383333)
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(photo.sha256) as file:
        assert file.read() == images.HEIC.read_bytes()


def test_a_rendition_is_upright() -> None:
    drawn = renditions.draw_pictures(io.BytesIO(make_image(exif=make_exif())))
    assert Image.open(io.BytesIO(drawn.pictures[0])).size == (1200, 1600)
    assert drawn.facts == rules.DrawnFacts(
        width=2000,
        height=1500,
        exif={"make": "Maker", "model": "Tablet 9", "taken_at": "2020:05:06 07:08:09", "latitude": 41.383333,
              "longitude": -72.9},
    )  # fmt: skip


@pytest.mark.parametrize("make", [images.make_talkative, images.make_talkative_png])
def test_a_rendition_tells_nothing_of_place_time_or_camera(make: Callable[[], bytes]) -> None:
    drawn = renditions.draw_pictures(io.BytesIO(make()))
    for content in drawn.pictures:
        image = Image.open(io.BytesIO(content))
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not [word for word in (b"GPS", b"Exif", b"xmp", b"ICC_PROFILE") if word in content]
    assert len(drawn.pictures) == 2


@pytest.mark.parametrize(
    ("exif", "told", "codes"),
    [
        # The tablet: 6 May 2026, 07:08:09 of Connecticut's summer time, in Hartford.
        (make_exif(taken_at="2020:05:06 07:08:09"), (41.3834, -72.9001), ["time-differs"]),
        (make_exif(taken_at="2026:05:06 07:38:09"), (41.3834, -72.9001), []),
        (make_exif(taken_at="2026:05:06 09:08:09"), (41.3834, -72.9001), ["time-differs"]),
        (make_exif(taken_at="2026:05:06 12:08:09", offset="+01:00"), (41.3834, -72.9001), []),
        (make_exif(taken_at="2026:05:06 07:08:09", offset="+01:00"), (41.3834, -72.9001), ["time-differs"]),
        (make_exif(taken_at="2026:05:06 07:08:09"), (41.76, -72.74), ["place-differs"]),
        (make_exif(taken_at="not a time"), (41.3834, -72.9001), []),
        (Image.Exif(), (41.76, -72.74), []),
    ],
)
def test_what_the_camera_says_otherwise_is_noted(
    exif: Image.Exif, told: tuple[float, float], codes: list[str]
) -> None:
    facts = renditions.draw_pictures(io.BytesIO(make_image(size=(300, 200), exif=exif))).facts
    assert facts is not None
    found = rules.corroborate(
        facts.exif,
        taken_at=dt.datetime(2026, 5, 6, 11, 8, 9, tzinfo=dt.UTC),
        latitude=told[0],
        longitude=told[1],
        accuracy_m=5,
        tolerances=tolerances("America/New_York"),
    )
    assert [warning["code"] for warning in found] == codes


@pytest.mark.usefixtures("committed_db")
def test_a_difference_stays_with_the_photo_and_refuses_nothing() -> None:
    photo = draw(
        make_image(size=(300, 200), exif=make_exif()),
        taken_at=dt.datetime(2026, 5, 6, tzinfo=dt.UTC),
        latitude=41.76,
        longitude=-72.74,
    )
    assert photo.state == "processed"
    assert [warning["code"] for warning in photo.warnings] == ["time-differs", "place-differs"]


HOSTILE = {
    "empty": lambda: b"",
    "text": lambda: b"not an image",
    "truncated jpeg": lambda: make_image()[:5000],
    "truncated png": lambda: make_image("PNG")[:-300],
    "truncated heic": lambda: images.HEIC.read_bytes()[:2000],
    "only says heic": lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + b"\0" * 200,
    "png bomb": images.make_png_bomb,
    "jpeg bomb": images.make_jpeg_bomb,
    "webp bomb": images.make_webp_bomb,
    "heic bomb": images.make_heic_bomb,
    "deflate bomb": images.make_deflate_bomb,
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "pdf": lambda: b"%PDF-1.4\n" + b"x" * 500,
    "program": lambda: b"MZ" + b"\0" * 500,
    "other program": lambda: b"\x7fELF" + b"\0" * 500,
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "gif": lambda: make_image("GIF", size=(30, 30)),
    "tiff": lambda: make_image("TIFF", size=(30, 30)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_image_ends_its_own_process_only(name: str) -> None:
    drawn = renditions.draw_pictures(io.BytesIO(HOSTILE[name]()))
    assert (drawn.facts, drawn.pictures) == (None, ())
    assert drawn.why


@pytest.mark.usefixtures("committed_db")
def test_what_cannot_be_drawn_stays_evidence() -> None:
    content = images.make_png_bomb()
    photo = draw(content)
    assert (photo.state, photo.web_sha256) == ("unprocessable", "")
    assert [warning["code"] for warning in photo.warnings] == ["no-picture"]
    assert read_bytes(photo.sha256) == content


@pytest.mark.usefixtures("committed_db")
def test_what_no_database_can_store_is_left_out_of_the_exif() -> None:
    photo = draw(images.make_huge_metadata())
    assert photo.state == "processed"
    assert len(str(photo.exif.get("model", ""))) <= 100


@pytest.mark.parametrize(
    "content",
    [
        *(pytest.param(images.make_polyglot(kind), id=f"{kind} polyglot") for kind in ("html", "zip", "pdf")),
        pytest.param(images.make_exif_loop(), id="exif loop"),
    ],
)
def test_what_can_be_shown_is_shown_without_what_was_hidden_in_it(content: bytes) -> None:
    drawn = renditions.draw_pictures(io.BytesIO(content))
    assert len(drawn.pictures) == 2
    for shown in drawn.pictures:
        assert not [word for word in (b"script", b"PK\x03\x04", b"%PDF", b"JavaScript") if word in shown]


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_a_moving_picture_the_first_is_shown(kind: str) -> None:
    content = images.make_animated(kind)
    facts = renditions.draw_pictures(io.BytesIO(content)).facts
    assert facts is not None
    assert facts.frames == 3
    red, green, blue = show(content).getpixel((150, 100))  # type: ignore[misc]
    assert (red > 200, green < 50, blue < 50) == (True, True, True)


def in_sandbox(code: str) -> str:
    """What a line of Python says when it runs as the decoder does."""
    lines = (
        "import os, socket, subprocess, sys",
        "from fieldsync.photos.sandbox import limit",
        "limit()",
        f"try:\n    {code}\nexcept BaseException as error:\n    print(type(error).__name__)",
    )
    root = Path(sandbox.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=root, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or f"signal {-done.returncode}"


@pytest.mark.skipif(not sandbox.can_filter(), reason="only Linux filters a process's system calls")
@pytest.mark.parametrize(
    "code",
    [
        "socket.socket()",
        "socket.socketpair()",
        "os.execv('/bin/true', ['true'])",
        "subprocess.run(['/bin/true'])",
        "os.kill(os.getppid(), 0)",
        "os.unlink('/nonexistent')",
    ],
)
def test_the_decoder_reaches_neither_the_network_nor_another_program(code: str) -> None:
    assert in_sandbox(code) == "PermissionError"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("bytearray(2**31)", "MemoryError"),
        ("open('/tmp/photo-sandbox', 'wb').write(bytes(40 * 2**20))", "OSError"),
        ("[open('/dev/null') for _ in range(100)]", "OSError"),
        ("print(sys.maxsize > 0)", "True"),
    ],
)
def test_the_decoder_has_little_of_everything(code: str, said: str) -> None:
    assert in_sandbox(code) == said


@pytest.mark.parametrize(
    "said",
    [
        b"", b"[]", b"null", b"{}", b'{"width": -1, "height": 5}', b'{"width": "9", "height": 9}', b"[" * 100_000,
        b'{"width": 1e9, "height": 1}', b"\xff\xfe", b'{"width": true}',
    ],
)  # fmt: skip
def test_what_a_captured_decoder_says_is_not_believed(said: bytes) -> None:
    try:
        document = json.loads(said)
    except (ValueError, RecursionError):
        document = None
    assert rules.read_drawn_facts(document) is None


def test_facts_are_cleaned_before_they_are_kept() -> None:
    exif = {"make": "A\0B\ud800", "model": 7, "latitude": float("nan"), "longitude": 1.0, "other": "x" * 999}
    facts = rules.read_drawn_facts({"width": 3, "height": 4, "frames": 10**12, "exif": exif})
    assert facts == rules.DrawnFacts(width=3, height=4, frames=1, exif={"make": "AB"})


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
    assert renditions.draw_waiting(TOWN_A, actor=SYSTEM) == {
        "processed": 3,
        "unprocessable": 0,
        "unreadable": 0,
    }
    assert renditions.draw_waiting(TOWN_A, actor=SYSTEM) == {
        "processed": 0,
        "unprocessable": 0,
        "unreadable": 0,
    }
    assert job.kind == tasks.RENDITIONS_JOB
