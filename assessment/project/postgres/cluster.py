"""One private PostgreSQL cluster: made, started, shared and stopped."""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from assessment.project.postgres import server
from assessment.project.postgres.binaries import Binaries, copy_binaries, find_binaries
from assessment.project.postgres.errors import LauncherError
from assessment.project.postgres.locks import exclusive, lease_of
from assessment.project.postgres.passwords import make_passwords, read_passwords
from assessment.project.postgres.place import Place, can_reach, find_place
from assessment.project.postgres.postmaster import find_postmaster
from assessment.project.postgres.roles import OWNER, SUPERUSER, create_roles, prepare_database

DATABASE = "grandlist"

# No statement and no row is logged: both hold personal data.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "1GB"}


class Cluster:
    """A private cluster below `var/`; make it with `ensure_cluster`.

    Parameters
    ----------
    place
        Its folders and user.
    binaries
        The programs.
    passwords
        By role that may sign in.
    durable
        False for tests: nothing is flushed to disk.
    """

    def __init__(
        self, place: Place, binaries: Binaries, passwords: Mapping[str, str], *, durable: bool
    ) -> None:
        self._place = place
        self._binaries = binaries
        self._passwords = dict(passwords)
        self._durable = durable
        self._lease = lease_of(place.home / "in-use")
        self._told_atexit = False

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self._place.data

    @property
    def binaries(self) -> Binaries:
        """The programs that run it, also `pg_dump` and `pg_restore`."""
        return self._binaries

    @property
    def pid(self) -> int | None:
        """Process id of the server, or None when it does not run."""
        postmaster = find_postmaster(self.data)
        return postmaster.pid if postmaster else None

    def parameters(self, role: str, database: str = DATABASE) -> dict[str, str]:
        """Connection parameters by libpq's names; the server need not run yet."""
        postmaster = find_postmaster(self.data)
        folder = (
            postmaster.socket_folder if postmaster and postmaster.socket_folder else self._place.socket_folder
        )
        return {
            "host": str(folder),
            "port": "5432",
            "user": role,
            "password": self._passwords[role],
            "dbname": database,
        }

    def url(self, role: str, database: str = DATABASE) -> str:
        """The same as a URL that libpq and Django's settings read. It holds the password."""
        stated = self.parameters(role, database)
        query = urlencode({"host": stated["host"], "port": stated["port"]})
        return f"postgresql://{role}:{quote(stated['password'])}@/{quote(database, safe='')}?{query}"

    def connect(self, role: str = SUPERUSER, database: str = "postgres") -> psycopg.Connection:
        """Open a connection in autocommit, as the superuser unless another role is named."""
        return psycopg.connect(**self.parameters(role, database), autocommit=True)  # type: ignore[arg-type]

    def start(self) -> bool:
        """Start the server unless it runs, and claim it until `stop` or the end of this process.

        Returns
        -------
        bool
            Whether this call started it.
        """
        with exclusive(self._place.home / "lock"):
            started = find_postmaster(self.data) is None
            if not started:
                try:
                    self._wait_until_ready()
                except LauncherError:
                    # One that was killed may be seen a last time, and be gone before it answers.
                    started = find_postmaster(self.data) is None
                    if not started:
                        raise
            if started:
                server.start_server(self._place, self._binaries, self._settings())
                self._mark_started()
                self._wait_until_ready()
            self._ensure_roles()
            self._lease.take()
        if not self._told_atexit:
            atexit.register(self._stop_at_exit)
            self._told_atexit = True
        return started

    def stop(self, *, force: bool = False) -> bool:
        """Give up this process's claim, and stop the server if no other has one and a launcher started it.

        Parameters
        ----------
        force
            Stop it whoever started or uses it.

        Returns
        -------
        bool
            Whether it was stopped.
        """
        with exclusive(self._place.home / "lock"):
            last = self._lease.is_last()
            self._lease.release()
            pid = self.pid
            if pid is None or not (force or (last and self._was_started_by_launcher(pid))):
                return False
            server.stop_server(self._place, self._binaries)
            return True

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database that the owner role owns, empty or as a copy of `template`.

        Raises
        ------
        psycopg.errors.DuplicateDatabase
            When it exists.
        psycopg.errors.ObjectInUse
            When somebody stays connected to the template.
        """
        with self.connect() as connection:
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}").format(
                sql.Identifier(name),
                sql.Identifier(OWNER),
                sql.Identifier(template or "template0"),
                # Copying files beats logging every page when nothing needs to survive a crash.
                sql.SQL("WAL_LOG" if self._durable else "FILE_COPY"),
            )
            when_nobody_is_connected(lambda: connection.execute(statement))
        with self.connect(database=name) as connection:
            prepare_database(connection)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending its connections; one that does not exist is fine."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def rename_database(self, name: str, new_name: str) -> None:
        """Give a database that nobody is connected to another name."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(name), sql.Identifier(new_name)
                )
            )

    def remove(self) -> None:
        """Stop the server and delete all of the cluster's data: for scratch clusters."""
        self.stop(force=True)
        for folder in (self.data, self._place.socket_folder):
            shutil.rmtree(folder, ignore_errors=True)
        if self._place.store != self._place.home:
            shutil.rmtree(self._place.store, ignore_errors=True)

    def has_database(self, name: str) -> bool:
        """Whether a database of this name exists."""
        with self.connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        return found is not None

    def _settings(self) -> dict[str, str]:
        settings = dict(_SETTINGS)
        if not self._durable:
            settings |= _FORGETFUL
        if _is_small("/dev/shm"):  # noqa: S108  asked for its size only
            # A container's default of 64 MB is too little for parallel queries.
            settings["dynamic_shared_memory_type"] = "mmap"
        return settings

    def _ensure_roles(self) -> None:
        """Make roles and database once; the mark holds a version, so that a later release can add to them."""
        mark = self.data / "grandlist-roles"
        if mark.exists() and mark.read_text() == "1":
            return
        with self.connect() as connection:
            create_roles(
                connection, {role: word for role, word in self._passwords.items() if role != SUPERUSER}
            )
        if not self.has_database(DATABASE):
            self.create_database(DATABASE)
        mark.write_text("1")

    def _wait_until_ready(self) -> None:
        server.wait_until_ready(self._place, make_conninfo(**self.parameters(SUPERUSER, "postgres")))

    def _mark_started(self) -> None:
        (self._place.home / "started").write_text(str(self.pid))

    def _was_started_by_launcher(self, pid: int) -> bool:
        try:
            return (self._place.home / "started").read_text() == str(pid)
        except FileNotFoundError:
            return False

    def _stop_at_exit(self) -> None:
        if not self._lease.held:
            return
        if self._place.home.exists():
            self.stop()
        elif self.pid is not None:
            # The folder was deleted under a server whose data lie elsewhere: nobody can claim it any more.
            server.stop_server(self._place, self._binaries)


def ensure_cluster(var_dir: Path, name: str = "postgres", *, durable: bool = True) -> Cluster:
    """Find the cluster in `var_dir/name`, or make it; it is not started.

    Two processes may call this at once: the second waits for the first.

    Parameters
    ----------
    var_dir
        The checkout's `var` folder, or any other that the caller may write.
    name
        Folder of the cluster, and name of its passwords' file in `var_dir/secrets`.
    durable
        False for a cluster that may be lost with the machine, such as the tests'.

    Raises
    ------
    LauncherError
        When it cannot be made; the message says what to do.
    """
    home = var_dir / name
    try:
        home.mkdir(parents=True, exist_ok=True)
        return _ensure_cluster(home, var_dir / "secrets" / f"{name}.json", durable=durable)
    except PermissionError as trouble:
        raise LauncherError(
            "postgres-no-permission",
            f"No permission for {trouble.filename}. It was probably made by another user (root?): "
            "run as that user, or set GRANDLIST_VAR_DIR to a folder of your own.",
        ) from trouble


def _ensure_cluster(home: Path, password_file: Path, *, durable: bool) -> Cluster:
    with exclusive(home / "lock"):
        binaries = find_binaries()
        place = find_place(home)
        if place.account.switch and not can_reach(binaries.folder / "postgres", place.account):
            binaries = copy_binaries(binaries, place.store)
        passwords = read_passwords(password_file)
        if not place.data.exists():
            passwords = passwords or make_passwords(password_file)
            server.initialize(place, binaries, passwords[SUPERUSER], durable=durable)
        elif passwords is None:
            if find_postmaster(place.data):
                raise LauncherError(
                    "postgres-passwords-lost",
                    f"{password_file} is gone while the server in {place.data} runs. "
                    "Stop it, and start again: new passwords are then made.",
                )
            passwords = make_passwords(password_file)
            server.reset_superuser_password(place, binaries, passwords[SUPERUSER])
            (place.data / "grandlist-roles").unlink(missing_ok=True)
        return Cluster(place, binaries, passwords, durable=durable)


def _is_small(folder: str) -> bool:
    try:
        size = os.statvfs(folder)
    except OSError:
        return False
    return size.f_blocks * size.f_frsize < 512 * 1024 * 1024


def when_nobody_is_connected(copy: Callable[[], object], tries: int = 6) -> None:
    """Copy a database, again while somebody is connected to it.

    PostgreSQL itself waits five seconds and ends the autovacuum that it finds there; on a busy machine the next
    one has begun by then.
    """
    for left in reversed(range(tries)):
        try:
            copy()
            return
        except psycopg.errors.ObjectInUse:
            if not left:
                raise
