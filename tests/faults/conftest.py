"""A database with real commits, held open as in production, and a folder for tablets and blobs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from tests.databases import TestDatabase


@pytest.fixture
def town_database(committed_db: TestDatabase, tmp_path: Path) -> Iterator[TestDatabase]:
    """This test's own database, whose connection outlives a request."""
    Path(settings.STORAGES["default"]["OPTIONS"]["location"]).mkdir(exist_ok=True)
    stated = connections["default"].settings_dict
    before, stated["CONN_MAX_AGE"] = stated["CONN_MAX_AGE"], None
    logging.disable(logging.CRITICAL)
    yield committed_db
    logging.disable(logging.NOTSET)
    stated["CONN_MAX_AGE"] = before
    connections.close_all()
