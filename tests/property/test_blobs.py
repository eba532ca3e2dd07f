"""Parts of blobs: streamed as asked, and no file left open however an answer ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from assessment.property.blobs import BlobPart, store_blob
from assessment.region.errors import NotFound
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast

CONTENT = bytes(range(256)) * 4096


def open_files() -> list[str]:
    return [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]


@pytest.fixture
def sha256(cast: Cast) -> str:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        return store_blob(CONTENT, town_code=TOWN_A, media_type="application/octet-stream").sha256


def part_of(sha256: str, first: int, stop: int) -> BlobPart:
    with scope(SYSTEM, towns=[TOWN_A]):
        return BlobPart(sha256, first, stop)


@pytest.mark.parametrize(("first", "stop"), [(0, len(CONTENT)), (5, 6), (300_000, 900_001), (7, 7)])
def test_just_the_bytes_that_were_asked_for_come(sha256: str, first: int, stop: int) -> None:
    assert b"".join(part_of(sha256, first, stop)) == CONTENT[first:stop]


def test_a_part_that_nobody_reads_opens_nothing(sha256: str) -> None:
    part = part_of(sha256, 0, 10)
    assert not any(sha256 in name for name in open_files())
    part.close()


def test_a_part_that_is_given_up_midway_is_closed(sha256: str) -> None:
    part = part_of(sha256, 0, len(CONTENT))
    chunks = iter(part)
    next(chunks)
    assert any(sha256 in name for name in open_files())
    part.close()
    assert not any(sha256 in name for name in open_files())


def test_a_part_of_another_towns_blob_is_found_by_nobody_else(sha256: str) -> None:
    with scope(SYSTEM, towns=[TOWN_B]), pytest.raises(NotFound):
        BlobPart(sha256, 0, 1)
