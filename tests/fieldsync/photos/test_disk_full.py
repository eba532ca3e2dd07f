"""A disk that is really full: photos wait, nothing half-written counts, and the uploads go on afterwards."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assessment.property.models import Blob, Photo
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet, uploads
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House
from tests.fieldsync.photos.test_uploads import blobs, describe, make_bytes, read_blob

if TYPE_CHECKING:
    from pytest_django import Settings

DISK_KB = 1024


@pytest.fixture
def small_disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The store on a file system of 1 MB of its own."""
    disk = tmp_path / "small-disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_KB}k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system: run as root")
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(disk / "blobs"), "base_url": None},
        },
    }
    settings.DISK_RESERVE_MB = 0
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, *, leave_kb: int) -> Path:
    """Take up the disk but for a few kilobytes."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast.write_bytes(bytes(max(0, free - leave_kb * 1024)))
    return ballast


def without_waiting(tablet: Tablet) -> Tablet:
    tablet.transport._sleep = lambda _: None
    return tablet


def test_a_disk_that_fills_in_the_middle_of_a_photo_keeps_what_fitted(
    tablet: Tablet, small_disk: Path, houses: list[House]
) -> None:
    without_waiting(tablet)
    content = make_bytes()
    photo = describe(content)
    url, _ = uploads.create(tablet.transport, photo)
    # The room is asked for when a request begins; here it goes while the bytes come.
    answer = tablet.transport.http.patch(
        url,
        headers={
            **uploads.CHUNK, "Upload-Offset": "0", "Content-Length": str(len(content)),
            "Authorization": f"Bearer {tablet.transport.renew_token()}",
        },
        content=_pieces_that_fill(content, small_disk),
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (507, "disk-reserve")
    assert answer.headers["Retry-After"] == "600"
    held = int(answer.headers["Upload-Offset"])
    assert 0 < held < len(content)
    assert blobs() == []
    # Facts are taken all the while.
    tablet.take_photo(content, photo_id=str(photo["photo_id"]), property_id=str(houses[0].property_id))
    assert [result["status"] for result in tablet.push()] == ["applied"]
    (small_disk / "ballast").unlink()
    assert uploads.ask_offset(tablet.transport, url) == held
    assert uploads.send_chunk(tablet.transport, url, held, content[held:]) == len(content)
    assert blobs() == [photo["sha256"]]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert read_blob(str(photo["sha256"])) == content
        assert Photo.objects.get(id=photo["photo_id"]).state == "verified"


def _pieces_that_fill(content: bytes, disk: Path) -> Iterator[bytes]:
    """The photo's bytes; behind the first 100 kB somebody else takes the rest of the disk."""
    yield content[:100_000]
    deadline = time.monotonic() + 30
    while not _held(disk) and time.monotonic() < deadline:
        threading.Event().wait(0.01)  # until the server is past its first look at the disk
    fill(disk, leave_kb=90)
    yield content[100_000:]


def test_a_full_disk_refuses_a_photo_before_it_reads_it(tablet: Tablet, small_disk: Path) -> None:
    without_waiting(tablet)
    (small_disk / "blobs").mkdir()
    ballast = fill(small_disk, leave_kb=100)
    content = make_bytes()
    with pytest.raises(ProblemAnswer) as refused:
        uploads.create(tablet.transport, describe(content), content)
    assert refused.value.status == 507
    ballast.unlink()
    assert uploads.create(tablet.transport, describe(content), content)[1] == len(content)


def test_photos_until_the_disk_is_full_all_count_or_wait(tablet: Tablet, small_disk: Path) -> None:
    without_waiting(tablet)
    contents = [make_bytes(random.Random(n).randrange(90_000, 200_000), seed=n) for n in range(14)]
    taken, refusals = [], []
    for content in contents:
        try:
            uploads.create(tablet.transport, describe(content), content)
            taken.append(content)
        except ProblemAnswer as problem:
            refusals.append(problem.status)
    assert taken
    assert set(refusals) == {507}
    assert blobs() == sorted(hashlib.sha256(content).hexdigest() for content in taken)
    with scope(SYSTEM, towns=[TOWN_A]):
        for blob in Blob.objects.all():
            assert hashlib.sha256(read_blob(blob.sha256)).hexdigest() == blob.sha256


def _held(disk: Path) -> int:
    return sum(path.stat().st_size for path in (disk / "blobs" / "uploads").glob("*/*"))
