"""The files of uploads: one writer at a time, none that a dead one can block, and a disk that may be full."""

from __future__ import annotations

import base64
import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from fieldsync.photos import rules, spool
from fieldsync.problems import UploadLocked

if TYPE_CHECKING:
    from pytest_django import Settings


def receive(turn: spool.Turn, content: bytes, *, count: int | None = None, check: str = "") -> spool.Received:
    return spool.receive(
        turn,
        BytesIO(content).read,
        offset=turn.length(),
        count=len(content) if count is None else count,
        check=rules.read_chunk_checksum(check) if check else None,
    )


def test_bytes_are_appended_and_hashed() -> None:
    upload_id, content = uuid4(), os.urandom(200_000)
    with spool.take_turn(upload_id) as turn:
        got = receive(turn, content)
        assert (got.length, got.is_cut) == (len(content), False)
        assert got.sha256 == turn.sha256() == hashlib.sha256(content).hexdigest()
    with spool.take_turn(upload_id) as turn:
        assert receive(turn, b"more").sha256 is None  # only the file as a whole can say
    assert spool.path_of(upload_id).read_bytes() == content + b"more"


def test_a_turn_leaves_nothing_beside_the_file() -> None:
    upload_id = uuid4()
    with spool.take_turn(upload_id):
        pass
    assert [path.name for path in spool.path_of(upload_id).parent.iterdir()] == [upload_id.hex]


def test_of_two_writers_the_second_is_told_to_wait() -> None:
    upload_id = uuid4()
    with spool.take_turn(upload_id) as turn:
        receive(turn, b"first")
        with pytest.raises(UploadLocked):
            with spool.take_turn(upload_id):
                pass
        receive(turn, b" and on")
    assert spool.path_of(upload_id).read_bytes() == b"first and on"


def test_a_silent_writer_is_taken_over_and_cannot_write_any_more(settings: Settings) -> None:
    settings.UPLOAD_TAKEOVER_S = 0
    upload_id = uuid4()
    with spool.take_turn(upload_id) as old:
        receive(old, b"old")
        with spool.take_turn(upload_id) as new:
            receive(new, b" new")
            for step in (lambda: receive(old, b" late"), lambda: old.truncate(0)):
                with pytest.raises(UploadLocked):
                    step()
            receive(new, b" more")
    assert spool.path_of(upload_id).read_bytes() == b"old new more"
    assert not spool.path_of(upload_id).with_suffix(".turn").exists()


def test_the_lock_dies_with_its_process(settings: Settings) -> None:
    upload_id = uuid4()
    path = spool.path_of(upload_id)
    path.parent.mkdir(parents=True)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, os, sys\n"
            "fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
            "fcntl.flock(fd, fcntl.LOCK_EX)\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()",
            str(path.with_suffix(".turn")),
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(UploadLocked):
            with spool.take_turn(upload_id):
                pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with spool.take_turn(upload_id) as turn:
            assert receive(turn, b"at once").length == 7


def test_many_writers_at_once_never_mix_their_bytes(settings: Settings) -> None:
    settings.UPLOAD_TAKEOVER_S = 0
    upload_id = uuid4()
    wrong: list[bytes] = []

    def write(letter: int) -> None:
        piece = bytes([letter]) * 100
        for _ in range(40):
            try:
                with spool.take_turn(upload_id) as turn:
                    receive(turn, piece)
            except UploadLocked:
                continue

    threads = [threading.Thread(target=write, args=(65 + n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    content = spool.path_of(upload_id).read_bytes()
    wrong += [c for at in range(0, len(content), 100) if len(set(c := content[at : at + 100])) != 1]
    assert content
    assert wrong == []


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        # SOURCE: RFC 3720, appendix B.4: the CRC-32C of 32 bytes of zeros is aa 36 91 8a in its order of bytes,
        # that is 0x8a9136aa.
        ("crc32c", bytes.fromhex("8a9136aa")),
        ("sha1", hashlib.sha1(bytes(32)).digest()),
        ("sha256", hashlib.sha256(bytes(32)).digest()),
    ],
)
def test_a_chunk_is_checked_by_each_algorithm(algorithm: str, digest: bytes) -> None:
    header = f"{algorithm} {base64.b64encode(digest).decode()}"
    with spool.take_turn(uuid4()) as turn:
        assert receive(turn, bytes(32), check=header).length == 32
        with pytest.raises(spool.ChunkMismatch):
            receive(turn, b"x" * 32, check=header)
        assert turn.length() == 32


@contextmanager
def file_size_limit(count: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``count`` bytes, as on a disk that is full there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_what_fitted_and_the_rest_follows() -> None:
    upload_id, content = uuid4(), os.urandom(300_000)
    with spool.take_turn(upload_id) as turn:
        with file_size_limit(100_000), pytest.raises(spool.DiskFull):
            receive(turn, content)
        held = turn.length()
        assert 0 < held <= 100_000
        receive(turn, content[held:])
        assert turn.sha256() == hashlib.sha256(content).hexdigest()


def test_a_full_disk_takes_nothing_of_a_chunk_with_a_checksum() -> None:
    content = os.urandom(300_000)
    check = f"sha256 {base64.b64encode(hashlib.sha256(content).digest()).decode()}"
    with spool.take_turn(uuid4()) as turn:
        receive(turn, b"before")
        with file_size_limit(100_000), pytest.raises(spool.DiskFull):
            receive(turn, content, check=check)
        assert turn.length() == 6


def test_old_files_are_swept_and_new_ones_stay(tmp_path: Path) -> None:
    old, new = uuid4(), uuid4()
    for upload_id in (old, new):
        with spool.take_turn(upload_id) as turn:
            receive(turn, b"x")
    os.utime(spool.path_of(old), (1000, 1000))
    assert spool.sweep(2000) == 1
    assert (spool.length_of(old), spool.length_of(new)) == (0, 1)
