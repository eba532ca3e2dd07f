"""Databases for the tests: one private cluster, one migrated template, quick copies of it.

The template is made once for each content of the migrations and of all they read, and is kept between runs.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connections

from assessment.project.postgres import APP, OWNER, SUPERUSER, Cluster, ensure_cluster
from assessment.project.postgres.locks import exclusive
from assessment.project.postgres.postmaster import is_process

ROOT = Path(__file__).resolve().parents[1]
VAR = ROOT / "var"
APPS = ("assessment", "gis", "valuation", "fieldsync")
_IMPORT = re.compile(
    rf"^\s*(?:from|import)\s+((?:{'|'.join(APPS)})[\w.]*)(?:\s+import\s+(.+))?", re.MULTILINE
)


@dataclass(frozen=True)
class TestDatabase:
    """A database of the tests' cluster, with an address for each role."""

    __test__ = False
    cluster: Cluster
    name: str

    def url(self, role: str = APP) -> str:
        """Address for libpq, as the application role unless another is named."""
        return self.cluster.url(role, self.name)

    @property
    def owner_url(self) -> str:
        """Address as the role that owns the tables."""
        return self.url(OWNER)

    @property
    def superuser_url(self) -> str:
        """Address as the superuser, whom no policy stops."""
        return self.url(SUPERUSER)

    def connect(self, role: str = APP) -> psycopg.Connection:
        """A connection of its own, outside Django, in autocommit."""
        return self.cluster.connect(role, self.name)


def start_cluster() -> Cluster:
    """Start the tests' cluster and remove the databases that ended runs left."""
    cluster = ensure_cluster(VAR, "test-postgres", durable=False)
    cluster.start()
    for name in _databases(cluster):
        found = re.fullmatch(r"test_(\d+)_.*", name)
        if found and not is_process(int(found[1])):
            cluster.drop_database(name)
    return cluster


def ensure_template(cluster: Cluster) -> str:
    """Return the name of a database with today's migrations, made if there is none."""
    name = f"template_{schema_hash()}"
    with exclusive(VAR / "test-postgres" / "template.lock"):
        if not cluster.has_database(name):
            for old in _databases(cluster):
                if old.startswith("template_"):
                    cluster.drop_database(old)
            unfinished = f"unfinished_{name}"
            cluster.drop_database(unfinished)
            cluster.create_database(unfinished)
            database = TestDatabase(cluster, unfinished)
            point_django_at(database)
            call_command("migrate", verbosity=0)
            connections.close_all()
            with cluster.connect() as connection:
                connection.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name


def clone(cluster: Cluster, template: str, label: str) -> TestDatabase:
    """Make a copy of the template, named so that a later run can tell that this one has ended."""
    name = f"test_{os.getpid()}_{label}"
    cluster.create_database(name, template=template)
    return TestDatabase(cluster, name)


def point_django_at(database: TestDatabase) -> None:
    """Let Django's default connection, in every thread, use this database as the application role."""
    connections.close_all()
    stated = database.cluster.parameters(APP, database.name)
    connections["default"].settings_dict.update(
        NAME=database.name,
        USER=APP,
        PASSWORD=stated["password"],
        HOST=stated["host"],
        PORT=stated["port"],
        OWNER_ROLE={"USER": OWNER, "PASSWORD": database.cluster.parameters(OWNER)["password"]},
        CONN_MAX_AGE=0,
    )


def schema_hash() -> str:
    """A hash of everything that makes the schema: migrations, SQL, and the modules and files they read."""
    seen: set[Path] = set()
    waiting = [path for app in APPS for path in (ROOT / app).glob("migrations/*.py")]
    waiting += [path for app in APPS for path in (ROOT / app).rglob("*.sql")]
    waiting += [path for app in APPS for path in (ROOT / app).rglob("parameters/**/*") if path.is_file()]
    waiting.append(ROOT / "assessment" / "project" / "postgres" / "roles.py")
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.suffix == ".py":
            waiting.extend(_imported(path))
    digest = hashlib.sha256()
    for path in sorted(seen):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _imported(path: Path) -> Iterator[Path]:
    for module, names in _IMPORT.findall(path.read_text()):
        candidates = [module, *(f"{module}.{name.split(' ')[0].strip('( ')}" for name in names.split(","))]
        for candidate in candidates:
            folder = ROOT.joinpath(*candidate.split("."))
            for file in (folder.with_suffix(".py"), folder / "__init__.py"):
                if file.is_file():
                    yield file


def _databases(cluster: Cluster) -> list[str]:
    with cluster.connect() as connection:
        return [name for (name,) in connection.execute("SELECT datname FROM pg_database")]
