"""Where a cluster's files lie and which user runs it.

Ordinarily the data are in `var/postgres/data` and the server runs as the caller. PostgreSQL refuses to run as
root, so root hands the data directory, and nothing else, to an unprivileged user. That user must be able to
reach it: below a folder closed to others (a checkout in /root) it cannot, and opening root's folders is not
ours to do, so the data then go to /var/lib/grandlist-… and `var/postgres/cluster.json` says where.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import secrets
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from assessment.project.postgres.errors import LauncherError

STATE_FILE = "cluster.json"
# sun_path is 108 bytes with its closing zero, 104 on macOS; the socket's own name takes 17.
LONGEST_SOCKET_FOLDER = 80


@dataclass(frozen=True)
class Account:
    """The user a server runs as; `switch` says whether root must drop to it."""

    uid: int
    gid: int
    switch: bool

    def popen_arguments(self) -> dict[str, object]:
        """What `subprocess` needs to run as this user."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Place:
    """The folders of one cluster.

    Attributes
    ----------
    home
        Our own folder in `var/`: locks and the record of where the rest is.
    store
        The folder that holds `data` (and copied programs, if any).
    account
        Who runs the server.
    """

    home: Path
    store: Path
    account: Account

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.store / "data"

    @property
    def socket_folder(self) -> Path:
        """A short folder for the socket, which a long checkout path cannot break."""
        key = hashlib.sha256(os.fsencode(self.data.resolve())).hexdigest()[:12]
        return Path("/tmp") / f"grandlist-{self.account.uid}-{key}"  # noqa: S108  made 0700, owner checked


def find_place(home: Path) -> Place:
    """Find, or choose and record, the folders of the cluster whose record is in `home`.

    Call it under the launchers' lock.

    Raises
    ------
    LauncherError
        ``postgres-foreign-data`` when another user's data are there, ``postgres-no-place`` when root finds no
        folder that an unprivileged user can reach.
    """
    if (home / "data").exists():
        return Place(home, home, _account_of(home / "data"))
    moved = _read_store(home)
    if moved is not None:
        return Place(home, moved, _account_of(moved / "data" if (moved / "data").exists() else moved))
    if os.geteuid() != 0:
        return Place(home, home, Account(os.geteuid(), os.getegid(), switch=False))
    return _choose_for_root(home)


def make_socket_folder(place: Place) -> Path:
    """Make the socket's folder, private to the server's user (and root).

    Raises
    ------
    LauncherError
        ``postgres-socket-folder`` when somebody else made it first, since /tmp is open to all.
    """
    folder = place.socket_folder
    try:
        folder.mkdir(mode=0o700)
        if place.account.switch:
            os.chown(folder, place.account.uid, place.account.gid)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (place.account.uid, 0):
        raise LauncherError(
            "postgres-socket-folder",
            f"{folder} exists and is not ours (user {found.st_uid}); remove it and try again.",
        )
    if place.account.switch:
        os.chown(folder, place.account.uid, place.account.gid)
    folder.chmod(0o700)
    return folder


def can_reach(path: Path, account: Account, *, flag: str = "-x") -> bool:
    """Whether the account can enter (`-x`) or read (`-r`) a path, asked of the system itself."""
    answer = subprocess.run(
        ["/bin/sh", "-c", f'test {flag} "$1"', "sh", str(path)],
        check=False,
        cwd="/",
        **account.popen_arguments(),  # type: ignore[call-overload]
    )
    return bool(answer.returncode == 0)


def _account_of(path: Path) -> Account:
    owner = path.stat()
    me = os.geteuid()
    if owner.st_uid == me and me != 0:
        return Account(owner.st_uid, owner.st_gid, switch=False)
    if me == 0 and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, switch=True)
    if me == 0:
        return _unprivileged_account()
    raise LauncherError(
        "postgres-foreign-data",
        f"The database files in {path} belong to {_user_name(owner.st_uid)}. "
        f"Run as the user who made them, or as root.",
    )


def _unprivileged_account() -> Account:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return Account(entry.pw_uid, entry.pw_gid, switch=True)
    return Account(65534, 65534, switch=True)


def _user_name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user number {uid}"


def _choose_for_root(home: Path) -> Place:
    account = _unprivileged_account()
    for store in _stores_for_root(home):
        try:
            store.mkdir(mode=0o755, parents=True, exist_ok=True)
            if not can_reach(store, account) or not _can_be_handed_over(store, account):
                _forget(store, home)
                continue
        except OSError:
            continue
        if store != home:
            (store / "checkout.txt").write_text(f"Database files of {home}\n")
            (home / STATE_FILE).write_text(json.dumps({"store": str(store), "home": str(home.resolve())}))
        return Place(home, store, account)
    raise LauncherError(
        "postgres-no-place",
        f"PostgreSQL does not run as root; {_user_name(account.uid)} cannot reach {home} nor a folder in "
        "/var/lib or /tmp. Set DATABASE_URL, or keep the checkout where other users may enter.",
    )


def _stores_for_root(home: Path) -> list[Path]:
    name = f"grandlist-{secrets.token_hex(6)}"
    return [home, Path("/var/lib") / name, Path("/opt") / name]


def _forget(store: Path, home: Path) -> None:
    if store != home:
        store.rmdir()


def _can_be_handed_over(store: Path, account: Account) -> bool:
    """Whether chown works here, which shared folders and some network mounts refuse."""
    with tempfile.TemporaryDirectory(dir=store) as folder:
        try:
            os.chown(folder, account.uid, account.gid)
            Path(folder).chmod(0o700)
        except OSError:
            return False
        return Path(folder).stat().st_uid == account.uid


def _read_store(home: Path) -> Path | None:
    """The recorded folder outside the checkout, unless it is that of the checkout this one is a copy of."""
    try:
        state = json.loads((home / STATE_FILE).read_text())
        store, recorded = Path(state["store"]), Path(state["home"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    if not store.is_dir():
        return None
    if recorded != home.resolve() and (recorded / STATE_FILE).exists():
        return None
    return store
