"""A PostgreSQL server that a test may kill: a scratch cluster that flushes to disk, with today's schema."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

from assessment.project.backup import databases
from assessment.project.postgres import Cluster, ensure_cluster
from tests.databases import TestDatabase, point_django_at


@contextmanager
def scratch_server(template: tuple[Cluster, str]) -> Iterator[TestDatabase]:
    """Start a server of its own, holding a copy of the tests' template, and point Django at it.

    Unlike the tests' own cluster it loses nothing that it acknowledged when it is killed.
    """
    with tempfile.TemporaryDirectory(prefix="grandlist-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        source = databases.of_cluster(*template)
        with databases.snapshot(source) as (_, moment):
            databases.dump(source, folder / "template.dump", snapshot_name=moment)
        cluster = ensure_cluster(folder)
        try:
            cluster.start()
            databases.load(databases.of_cluster(cluster, "grandlist"), folder / "template.dump")
            database = TestDatabase(cluster, "grandlist")
            point_django_at(database)
            yield database
        finally:
            connections.close_all()
            cluster.remove()
