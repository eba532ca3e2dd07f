"""A server with something to lose, its backup, and another server to restore it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import Settings

from assessment.project.backup import databases, keys
from assessment.project.backup.databases import Database
from assessment.project.backup.making import make_backup
from assessment.project.postgres import Cluster, ensure_cluster
from assessment.property.blobs import store_blob
from assessment.region.scope import scope
from fieldsync.feed.services import begin_epoch
from tests.cast import SYSTEM, TOWN_A, make_cast
from tests.databases import TestDatabase

PHOTO = b"not really a photo" * 1000


@pytest.fixture
def source(committed_db: TestDatabase, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Database:
    """A database with people, a file, a signing key, a certification and an epoch."""
    database = databases.of_cluster(committed_db.cluster, committed_db.name)
    monkeypatch.setattr(databases, "configured", lambda: database)
    make_cast()
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        store_blob(PHOTO, town_code=TOWN_A, media_type="image/jpeg")
        begin_epoch(TOWN_A, actor=SYSTEM, reason="first use")
    for folder, name in (
        (settings.SEALING_KEYS_DIR, "sign-0062.pem"),
        (settings.CERTIFICATIONS_DIR, "62-2024.json"),
    ):
        Path(folder).mkdir()
        (Path(folder) / name).write_text(f"content of {name}")
    return database


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    path = tmp_path / "identity.txt"
    keys.make_identity(path)
    return path


@pytest.fixture
def recipient(identity: Path) -> str:
    return identity.read_text().split("recipient: ")[1].splitlines()[0]


@pytest.fixture
def backup(source: Database, recipient: str, tmp_path: Path) -> Path:
    make_backup(tmp_path / "backup", recipients=[recipient])
    return tmp_path / "backup"


@pytest.fixture
def elsewhere(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Another server: an empty cluster, empty folders."""
    cluster = ensure_cluster(tmp_path / "elsewhere", durable=False)
    cluster.start()
    target = databases.of_cluster(cluster, "grandlist")
    monkeypatch.setattr(databases, "configured", lambda: target)
    settings.VAR_DIR = tmp_path / "elsewhere"
    settings.CERTIFICATIONS_DIR = settings.VAR_DIR / "certifications"
    settings.SEALING_KEYS_DIR = settings.VAR_DIR / "keys"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(settings.VAR_DIR / "blobs"), "base_url": None},
        },
    }
    yield cluster
    connections.close_all()
    cluster.remove()
