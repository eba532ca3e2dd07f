"""What every test may use: a database as the application role, and one with real commits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

from tests.cast import Cast, make_cast
from tests.databases import TestDatabase, clone, ensure_template, point_django_at, start_cluster

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker, Settings

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def database_template(django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Any, str]]:
    """The tests' cluster and the name of its migrated template."""
    cluster = start_cluster()
    with django_db_blocker.unblock():
        template = ensure_template(cluster)
    yield cluster, template
    cluster.stop()


@pytest.fixture(scope="session")
def django_db_setup(
    database_template: tuple[Any, str], django_db_blocker: DjangoDbBlocker
) -> Iterator[TestDatabase]:
    """The database of this worker, in which each test runs in a transaction that is rolled back."""
    database = clone(*database_template, "main")
    with django_db_blocker.unblock():
        point_django_at(database)
    yield database
    with django_db_blocker.unblock():
        connections.close_all()
    database.cluster.drop_database(database.name)


@pytest.fixture
def committed_db(
    django_db_setup: TestDatabase, database_template: tuple[Any, str], django_db_blocker: DjangoDbBlocker
) -> Iterator[TestDatabase]:
    """A fresh database for this test alone, in which commits are real and deferred triggers fire.

    Django's default connection points at it; do not also mark the test with ``django_db``.
    """
    database = clone(*database_template, f"committed_{next(_numbers)}")
    with django_db_blocker.unblock():
        point_django_at(database)
        try:
            yield database
        finally:
            point_django_at(django_db_setup)
    database.cluster.drop_database(database.name)


@pytest.fixture(scope="session", autouse=True)
def _own_broker() -> None:
    """Let messages that tests commit go nowhere; the tests of the broker start their own."""
    app = import_module("assessment.project.celery").app
    app.conf.update(broker_url="memory://", broker_transport_options={})


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path: Path) -> None:
    """Keep what a test writes (blobs, certifications, keys) in a folder of its own."""
    settings.VAR_DIR = tmp_path
    # Tests of other things send as fast as they can.
    settings.FIELD_REQUESTS_PER_S, settings.FIELD_REQUEST_BURST = 100_000, 1_000_000
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "blobs"), "base_url": None},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.STATIC_ROOT = tmp_path
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # a quick one: the cast is large
    settings.CERTIFICATIONS_DIR = tmp_path / "certifications"
    settings.SEALING_KEYS_DIR = tmp_path / "keys"
    # Argon2 is slow on purpose; the cast has ten people.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Hash passwords quickly: Argon2 takes its time on purpose, ten times for each cast."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def cast(db: None) -> Cast:
    """Two towns with their people, in the test's own transaction."""
    return make_cast()
