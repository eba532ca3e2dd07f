"""What goes wrong halfway: a backup cut off, a full disk in backup and restore. The error is clear, nothing is replaced."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from assessment.project.backup import databases
from assessment.project.backup.databases import Database
from assessment.project.backup.errors import BackupDamaged
from assessment.project.backup.restoring import restore_backup
from assessment.project.postgres import Cluster, ensure_cluster
from assessment.property.blobs import open_blob, store_blob
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A
from tests.databases import TestDatabase, point_django_at
from tests.project.backup.conftest import PHOTO

MB = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB, where the system lets a test have one."""
    yield from _disk(tmp_path / "small", 2)


def _disk(folder: Path, size_mb: int) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "grandlist-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk that fills up needs the right to mount one")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, leave_bytes: int) -> Path:
    """Take all but some of a disk's room."""
    room = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * max(0, room.f_bavail * room.f_frsize - leave_bytes))
    return ballast


@pytest.mark.parametrize("leave_bytes", [100_000, 1_400_000], ids=["in the dump", "in the files"])
def test_a_disk_that_fills_during_a_backup_leaves_no_backup(
    source: Database,
    recipient: str,
    small_disk: Path,
    leave_bytes: int,
) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="a file that will not fit"):
        store_blob(os.urandom(2 * MB), town_code=TOWN_A, media_type="image/jpeg")
    ballast = fill(small_disk, leave_bytes)
    with pytest.raises(CommandError, match="No space left on device"):
        call_command("backup", out=small_disk / "night", recipient=[recipient])
    assert not (small_disk / "night").exists()
    with pytest.raises(BackupDamaged, match="no finished backup"):
        restore_backup(small_disk / "night.unfinished", identity=None)
    ballast.unlink()


def test_a_backup_that_was_killed_is_no_backup_and_the_next_one_is(
    source: Database,
    recipient: str,
    tmp_path: Path,
) -> None:
    half = tmp_path / "night.unfinished"
    half.mkdir()
    (half / "database.dump").write_bytes(b"PGDMP, and then the machine lost its power")
    with pytest.raises(BackupDamaged, match="no finished backup"):
        restore_backup(half, identity=None)
    call_command("backup", out=tmp_path / "night", recipient=[recipient])
    assert not half.exists(), "what was left over does not pile up"
    call_command("drill", backup=tmp_path / "night")


def test_a_disk_that_fills_while_files_are_restored_replaces_nothing_and_the_next_try_mends_it(
    backup: Path,
    identity: Path,
    elsewhere: Cluster,
    settings: Settings,
    small_disk: Path,
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(small_disk), "base_url": None},
        },
    }
    ballast = fill(small_disk, len(PHOTO) // 2)
    with pytest.raises(CommandError, match="No space left on device"):
        call_command("restore", backup, identity=identity)
    assert databases.is_empty(databases.of_cluster(elsewhere, "grandlist"))
    assert not (settings.SEALING_KEYS_DIR / "sign-0062.pem").exists()
    assert [p for p in small_disk.rglob("*") if p.is_file() and p != ballast] == [], "half a file is none"
    ballast.unlink()
    call_command("restore", backup, identity=identity)
    point_django_at(TestDatabase(elsewhere, "grandlist"))
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(_sha256_in(backup)) as file:
        assert file.read() == PHOTO


def test_half_a_file_that_an_earlier_try_left_is_written_anew(
    backup: Path,
    identity: Path,
    elsewhere: Cluster,
    settings: Settings,
) -> None:
    name = next(path for path in (backup / "blobs").rglob("*") if path.is_file())
    left = settings.VAR_DIR / "blobs" / name.relative_to(backup / "blobs")
    left.parent.mkdir(parents=True)
    left.write_bytes(PHOTO[: len(PHOTO) // 2])
    restore_backup(backup, identity=identity)
    point_django_at(TestDatabase(elsewhere, "grandlist"))
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(_sha256_in(backup)) as file:
        assert file.read() == PHOTO


def _sha256_in(folder: Path) -> str:
    return next(
        path.name for path in (folder / "blobs").rglob("*") if re.fullmatch("[0-9a-f]{64}", path.name)
    )


@pytest.fixture
def open_disk() -> Iterator[Path]:
    """A disk of 200 MB that the database's user may enter; pytest's own folders are closed to it."""
    with tempfile.TemporaryDirectory(prefix="grandlist-test-") as folder:
        Path(folder).chmod(0o755)
        yield from _disk(Path(folder) / "disk", 200)


@pytest.fixture
def full_server(
    open_disk: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Cluster, Path]]:
    """A server whose database lies on a disk that is nearly full; gives it, and what fills it."""
    cluster = ensure_cluster(open_disk, durable=False)
    cluster.start()
    target = databases.of_cluster(cluster, "grandlist")
    monkeypatch.setattr(databases, "configured", lambda: target)
    settings.VAR_DIR = open_disk
    settings.CERTIFICATIONS_DIR = open_disk / "certifications"
    settings.SEALING_KEYS_DIR = open_disk / "keys"
    assert cluster.data.is_relative_to(open_disk)
    ballast = fill(open_disk, 12 * MB)
    yield cluster, ballast
    connections.close_all()
    ballast.unlink(missing_ok=True)
    cluster.remove()


def test_a_disk_that_fills_while_the_database_is_restored_replaces_nothing(
    backup: Path,
    identity: Path,
    full_server: tuple[Cluster, Path],
    settings: Settings,
) -> None:
    cluster, ballast = full_server
    with pytest.raises(
        CommandError,
        match=r"No space left|Check free disk space|closed the connection|terminating connection",
    ):
        call_command("restore", backup, identity=identity)
    ballast.unlink()
    cluster.start()  # PostgreSQL may have stopped for want of room for its own log
    assert databases.is_empty(databases.of_cluster(cluster, "grandlist"))
    assert not (settings.SEALING_KEYS_DIR / "sign-0062.pem").exists()
