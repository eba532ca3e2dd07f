"""A database with real commits, held open as in production, and a folder for tablets and blobs."""

from __future__ import annotations

import itertools
import logging
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from tests.databases import TestDatabase, clone, point_django_at
from tests.faults.world import World


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


NewWorld = Callable[..., World]


@pytest.fixture
def new_world(
    town_database: TestDatabase, database_template: tuple[Any, str], tmp_path: Path
) -> Iterator[NewWorld]:
    """Make worlds one after the other, each in a database of its own; the one before is thrown away."""
    numbers, held = itertools.count(1), list[World]()
    blobs = Path(settings.STORAGES["default"]["OPTIONS"]["location"])

    def end() -> None:
        while held:
            world = held.pop()
            world.close()
            point_django_at(town_database)
            world.database.cluster.drop_database(world.database.name)
            shutil.rmtree(world.folder)
            shutil.rmtree(blobs)
            blobs.mkdir()

    def make(seed: int, **size: int) -> World:
        end()
        number = next(numbers)
        database = clone(*database_template, f"world_{number}")
        point_django_at(database)
        connections["default"].settings_dict["CONN_MAX_AGE"] = None
        held.append(World(random.Random(seed), database, tmp_path / f"world-{number}", **size))
        return held[-1]

    yield make
    end()
