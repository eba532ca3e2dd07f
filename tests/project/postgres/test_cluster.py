"""The launcher against real servers: each test has a cluster of its own in a temporary folder."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from assessment.project.postgres import APP, BACKUP, OWNER, SEARCH, Cluster, LauncherError, ensure_cluster
from assessment.project.postgres.binaries import find_binaries
from assessment.project.postgres.cluster import when_nobody_is_connected
from assessment.project.postgres.postmaster import find_postmaster, is_process

ROOT = Path(__file__).resolve().parents[3]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that other users may enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="grandlist-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    """A var folder with a stopped cluster, to be copied: initdb takes a second."""
    with tempfile.TemporaryDirectory(prefix="grandlist-test-") as folder:
        Path(folder).chmod(0o755)
        var = Path(folder) / "var"
        ensure_cluster(var, durable=False)
        yield var


@pytest.fixture
def var(made_once: Path, open_path: Path) -> Iterator[Path]:
    """A folder on a path with a space and a quote, with a cluster that was never started."""
    var = open_path / "O'Hara & sons" / "var"
    subprocess.run(["cp", "-a", f"{made_once}/.", str(_made(var))], check=True)
    yield var
    _remove(var)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _remove(var: Path) -> None:
    if (var / "postgres").exists():
        ensure_cluster(var, durable=False).stop(force=True)
    record = var / "postgres" / "cluster.json"
    if record.exists():
        shutil.rmtree(json.loads(record.read_text())["store"])
    shutil.rmtree(var)


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_process(pid) and time.monotonic() < deadline:
        try:
            if "(postgres) Z" in Path(f"/proc/{pid}/stat").read_text():
                return
        except FileNotFoundError:
            return
        os.sched_yield()


def _user(cluster: Cluster) -> str:
    with cluster.connect(APP, "grandlist") as connection:
        return str(connection.execute("SELECT current_user").fetchone()[0])  # type: ignore[index]


def test_a_cluster_starts_on_a_path_with_a_space_and_listens_on_no_network(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    assert cluster.start()
    assert _user(cluster) == APP
    with cluster.connect() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding)"
            " FROM pg_database WHERE datname = 'grandlist'"
        ).fetchone() == ("b", "C.UTF-8", "UTF8")


def test_the_address_can_be_given_to_libpq_as_it_is(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    with psycopg.connect(cluster.url(OWNER)) as connection:
        assert connection.info.user == OWNER
        assert connection.info.dbname == "grandlist"


def test_nobody_gets_in_without_the_password(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    stated = cluster.parameters(APP) | {"password": "guessed"}
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**stated)  # type: ignore[arg-type]
    assert (var / "secrets" / "postgres.json").stat().st_mode & 0o077 == 0
    assert Path(stated["host"]).stat().st_mode & 0o077 == 0


def test_no_role_of_the_product_is_a_superuser_and_only_search_and_backup_bypass_the_walls(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    with cluster.connect() as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles"
            " WHERE rolname LIKE 'grandlist%' ORDER BY 1"
        ).fetchall()
        owner = connection.execute(
            "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'grandlist'"
        ).fetchone()
    assert rows == [
        (APP, False, False, True),
        (BACKUP, False, True, True),
        (OWNER, False, False, True),
        (SEARCH, False, True, False),
    ]
    assert owner == (OWNER,)


def test_the_application_role_cannot_make_tables_and_the_owner_can_hand_a_function_to_search(
    var: Path,
) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    with cluster.connect(APP, "grandlist") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE public.mine (id int)")
    with cluster.connect(OWNER, "grandlist") as connection:
        connection.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        connection.execute(f"ALTER FUNCTION f() OWNER TO {SEARCH}")


def test_a_second_process_finds_the_running_server_and_the_last_one_stops_it(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    other = _launch(var)
    assert other.stdout
    assert other.stdout.readline().split() == ["False", str(cluster.pid)]
    assert not cluster.stop(), "the other still uses it"
    other.communicate()
    assert cluster.pid is None


def test_a_process_that_opens_it_twice_has_one_claim_on_it(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    again = ensure_cluster(var, durable=False)
    assert not again.start()
    assert again.pid == cluster.pid
    assert cluster.stop()
    assert again.pid is None


@as_root
def test_a_server_whose_checkout_is_deleted_ends_with_its_process() -> None:
    with tempfile.TemporaryDirectory() as closed:
        var = Path(closed) / "var"
        process = _launch(var)
        assert process.stdout
        process.stdout.readline()
        store = Path(json.loads((var / "postgres" / "cluster.json").read_text())["store"])
    assert find_postmaster(store / "data") is not None
    process.communicate()
    assert find_postmaster(store / "data") is None
    shutil.rmtree(store)


def test_a_server_that_no_launcher_started_is_not_stopped_unless_told(var: Path) -> None:
    ensure_cluster(var, durable=False).start()
    cluster = ensure_cluster(var, durable=False)
    (var / "postgres" / "started").unlink()
    assert not cluster.stop()
    assert cluster.pid is not None
    assert cluster.stop(force=True)


def test_a_killed_server_is_started_again_with_its_committed_rows(var: Path) -> None:
    cluster = ensure_cluster(var)
    cluster.start()
    with cluster.connect(OWNER, "grandlist") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = cluster.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    _wait_until_gone(pid)
    assert (cluster.data / "postmaster.pid").exists()
    assert cluster.pid is None
    assert cluster.start()
    with cluster.connect(OWNER, "grandlist") as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_stale_pid_file_that_names_a_living_stranger_does_not_hinder_the_start(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    (cluster.data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{cluster.data}\n1700000000\n5432\n/tmp/elsewhere\n\n  0 0\nready   \n"
    )
    assert find_postmaster(cluster.data) is None
    assert cluster.start()
    assert _user(cluster) == APP


def test_a_copied_checkout_does_not_take_the_other_ones_server_for_its_own(
    var: Path, open_path: Path
) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    copy = open_path / "copy" / "var"
    subprocess.run(["cp", "-a", f"{var}/.", str(_made(copy))], check=True)
    try:
        other = ensure_cluster(copy, durable=False)
        assert other.pid is None
        assert other.start()
        assert other.pid != cluster.pid
    finally:
        _remove(copy)


_START = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from assessment.project.postgres import ensure_cluster
    cluster = ensure_cluster(Path(sys.argv[1]), durable=False)
    print(cluster.start(), cluster.pid, flush=True)
    sys.stdin.read()
    """
)


def _launch(var: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _START, str(var)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_that_make_and_start_it_at_once_share_one_server(tmp_path: Path) -> None:
    var = tmp_path / "var"
    try:
        processes = [_launch(var), _launch(var)]
        said = [process.stdout.readline().split() for process in processes]  # type: ignore[union-attr]
        assert sorted(line[0] for line in said) == ["False", "True"]
        assert said[0][1] == said[1][1]
        for process in processes:
            process.communicate()
            assert process.returncode == 0
        assert ensure_cluster(var).pid is None, "the last to end stopped it"
    finally:
        _remove(var)


def test_a_server_left_by_a_killed_process_is_stopped_by_the_next_to_use_it(var: Path) -> None:
    process = _launch(var)
    pid = int(process.stdout.readline().split()[1])  # type: ignore[union-attr]
    process.kill()
    process.communicate()
    cluster = ensure_cluster(var, durable=False)
    assert cluster.pid == pid
    assert not cluster.start()
    assert cluster.stop()


def test_a_crashed_initdb_is_begun_again(tmp_path: Path) -> None:
    var = tmp_path / "var"
    half_made = var / "postgres" / "data.new" / "base"
    half_made.mkdir(parents=True)
    (half_made / "1").write_text("half")
    try:
        cluster = ensure_cluster(var, durable=False)
        assert cluster.start()
        assert not (cluster.data.parent / "data.new").exists()
    finally:
        _remove(var)


def test_lost_passwords_are_made_anew(var: Path) -> None:
    old = ensure_cluster(var, durable=False)
    old.start()
    old.stop()
    (var / "secrets" / "postgres.json").unlink()
    cluster = ensure_cluster(var, durable=False)
    assert cluster.parameters(APP)["password"] != old.parameters(APP)["password"]
    cluster.start()
    assert _user(cluster) == APP


def test_a_start_that_fails_says_why(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    with (cluster.data / "postgresql.conf").open("a") as config:
        config.write("shared_buffers = 'lots'\n")
    with pytest.raises(LauncherError, match="invalid value for parameter") as caught:
        cluster.start()
    assert caught.value.code == "postgres-start-failed"


def test_data_of_another_version_are_refused_by_name(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    (cluster.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(LauncherError, match="PostgreSQL 14's") as caught:
        cluster.start()
    assert caught.value.code == "postgres-other-version"


def test_programs_that_are_missing_are_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRANDLIST_PG_BIN", str(tmp_path))
    with pytest.raises(LauncherError, match="PostgreSQL 15 or newer"):
        ensure_cluster(tmp_path / "var")


def test_a_database_copied_from_a_template_has_its_rows(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    with cluster.connect(OWNER, "grandlist") as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")
    cluster.create_database("copy of grandlist", template="grandlist")
    with cluster.connect(OWNER, "copy of grandlist") as connection:
        assert connection.execute("SELECT n FROM t").fetchone() == (7,)
    cluster.drop_database("copy of grandlist")
    assert not cluster.has_database("copy of grandlist")


@as_root
def test_a_checkout_closed_to_others_stays_closed_and_keeps_its_data_elsewhere(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    var = closed / "var"
    try:
        cluster = ensure_cluster(var, durable=False)
        assert cluster.start()
        assert closed.stat().st_mode & 0o777 == 0o700
        assert not cluster.data.is_relative_to(closed)
        assert ensure_cluster(var, durable=False).pid == cluster.pid
    finally:
        _remove(var)


@as_root
def test_programs_closed_to_the_servers_user_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    package = find_binaries().folder.parent.parent
    for folder in (package, *package.parent.glob(f"{package.name}.*libs")):
        shutil.copytree(folder, closed / folder.name, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(closed)
    assert find_binaries().folder.is_relative_to(closed)
    var = tmp_path / "var"
    try:
        cluster = ensure_cluster(var, durable=False)
        assert cluster.start()
        assert not cluster.binaries.folder.is_relative_to(closed)
    finally:
        _remove(var)


@as_root
def test_data_of_an_ordinary_user_are_served_by_that_user_also_for_root(var: Path) -> None:
    cluster = ensure_cluster(var, durable=False)
    cluster.start()
    pid = cluster.pid
    owner = Path(f"/proc/{pid}").stat().st_uid
    assert owner == cluster.data.stat().st_uid
    assert owner != 0


@pytest.mark.parametrize(("busy", "made"), [(0, True), (2, True), (9, False)])
def test_a_template_that_somebody_is_connected_to_is_tried_again(busy: int, made: bool) -> None:
    tries: list[int] = []

    def copy() -> None:
        tries.append(1)
        if len(tries) <= busy:
            raise psycopg.errors.ObjectInUse("is being accessed by other users")

    with contextlib.nullcontext() if made else pytest.raises(psycopg.errors.ObjectInUse):
        when_nobody_is_connected(copy)
    assert len(tries) == min(busy + 1, 6)
