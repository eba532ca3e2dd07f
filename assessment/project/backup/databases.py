"""The database's side: addresses by role, snapshots, and PostgreSQL's own programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from assessment.project.backup.errors import BackupRefused, DatabaseProgramFailed
from assessment.project.postgres import BACKUP, OWNER, Cluster, ensure_cluster
from assessment.project.postgres.binaries import Binaries, find_binaries

# Entries that every database of ours has before a restore, or that only a superuser may make.
_NOT_RESTORED = (
    "SCHEMA - public",
    "EXTENSION - ",
    "COMMENT - EXTENSION",
    "ACL - SCHEMA public",
    "COMMENT - SCHEMA",
)


@dataclass(frozen=True)
class Database:
    """A database with the addresses that backup and restore need, and the programs for it."""

    owner_url: str
    backup_url: str
    binaries: Binaries
    cluster: Cluster | None = None

    @property
    def name(self) -> str:
        """Its name on the server."""
        return str(conninfo_to_dict(self.owner_url)["dbname"])

    def named(self, name: str) -> Database:
        """Another database of the same private cluster."""
        assert self.cluster is not None
        return of_cluster(self.cluster, name)


def configured() -> Database:
    """The database of the settings: the private cluster's (started if need be), or by DATABASE_URL.

    Raises
    ------
    BackupRefused
        DATABASE_URL is set and the addresses of the owner and backup roles are not.
    """
    if "PRIVATE_CLUSTER" in settings.DATABASES["default"]:
        cluster = ensure_cluster(Path(settings.DATABASES["default"]["PRIVATE_CLUSTER"]))
        cluster.start()
        return of_cluster(cluster, "grandlist")
    backup_url = os.environ.get("DATABASE_BACKUP_URL")
    if not backup_url or not settings.DATABASE_OWNER_URL:
        raise BackupRefused(
            "With DATABASE_URL, a backup also needs DATABASE_OWNER_URL and DATABASE_BACKUP_URL (a role with "
            "BYPASSRLS that may read: without it the walls would leave every table empty)."
        )
    return Database(settings.DATABASE_OWNER_URL, backup_url, find_binaries())


def of_cluster(cluster: Cluster, name: str) -> Database:
    """A database of a private cluster."""
    return Database(cluster.url(OWNER, name), cluster.url(BACKUP, name), cluster.binaries, cluster)


@contextmanager
def snapshot(database: Database) -> Iterator[tuple[psycopg.Connection, str]]:
    """A transaction that sees one moment, and the name by which pg_dump sees the same.

    Raises
    ------
    BackupRefused
        The backup role cannot see past the walls: it would back up empty tables.
    """
    with psycopg.connect(database.backup_url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute(
            "SELECT rolbypassrls OR rolsuper, pg_export_snapshot() FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row is not None
        if not row[0]:
            raise BackupRefused(
                f"The role {connection.info.user} does not have BYPASSRLS: it would back up empty tables."
            )
        # An error instead of missing rows, should the attribute be taken away while we read.
        connection.execute("SET LOCAL row_security = off")
        yield connection, row[1]


def dump(database: Database, file: Path, *, snapshot_name: str) -> None:
    """Write the database as of a snapshot with pg_dump."""
    _run(
        database,
        "pg_dump",
        database.backup_url,
        ["--format=custom", f"--snapshot={snapshot_name}", f"--file={file}", "--no-comments"],
    )


def load(database: Database, file: Path) -> None:
    """Restore a dump into an empty database as the owner role, in one transaction."""
    listing = _run(database, "pg_restore", None, ["--list", str(file)])
    wanted = file.with_name(f".{file.name}.list")
    wanted.write_text(
        "\n".join(line for line in listing.splitlines() if not any(entry in line for entry in _NOT_RESTORED))
    )
    try:
        _run(
            database,
            "pg_restore",
            database.owner_url,
            ["--exit-on-error", "--single-transaction", f"--use-list={wanted}", str(file)],
        )
    finally:
        wanted.unlink()


def is_empty(database: Database) -> bool:
    """Whether nobody has made a table yet."""
    with psycopg.connect(database.owner_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    return row == (0,)


def _run(database: Database, program: str, url: str | None, arguments: list[str]) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    target: list[str] = []
    if url is not None:
        stated = conninfo_to_dict(url)
        # The password goes by the environment: arguments are for everybody on the machine to read.
        environment["PGPASSWORD"] = str(stated.pop("password", "") or "")
        target = ["--dbname=" + make_conninfo(**{name: str(value) for name, value in stated.items()})]
    answer = subprocess.run(
        [database.binaries.program(program), *target, *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment,
    )
    if answer.returncode:
        raise DatabaseProgramFailed(f"{program}: {answer.stderr.strip()[-1500:]}")
    return answer.stdout
