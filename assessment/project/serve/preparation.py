"""What must be there before the first request: schema, static files, the demonstration region."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from assessment.project.serve.errors import CannotServe
from assessment.region.models import Person

Say = Callable[[str], None]


def migrate(say: Say) -> None:
    """Bring the schema up to date, as its owner."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Preparing the tables")
        call_command("migrate", verbosity=0)


def collect_static(say: Say) -> None:
    """Gather, name by content and compress the static files, when any of them changed."""
    root = Path(settings.STATIC_ROOT)
    stamp, digest = root / ".collected", _static_digest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    say("Gathering the pages' styles and scripts")
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest)


def load_demonstration(say: Say) -> None:
    """Load the demonstration region into a database in which nobody is known yet.

    Its people come last, so a load that was interrupted goes on here. It runs in a process of its own:
    the tables of four towns would stay in this one's memory.

    Raises
    ------
    CannotServe
        ``demonstration-failed``; what went wrong has been printed by then.
    """
    if Person.objects.exists():
        return
    say("Loading the demonstration region (some minutes, once)")
    connection.close()
    loader = subprocess.Popen([sys.executable, str(settings.BASE_DIR / "manage.py"), "load_demo", "--quiet"])
    try:
        status = loader.wait()
    finally:
        if loader.poll() is None:
            loader.terminate()
            loader.wait()
    if status:
        raise CannotServe(
            "demonstration-failed",
            "The demonstration region could not be loaded. Start without it: ARGS=--no-demo make run",
        )


def read_sign_in() -> str:
    """How to sign in to the demonstration, as `load_demo` left it; empty when there is none."""
    path = Path(settings.VAR_DIR) / "secrets" / "demo-signin.txt"
    if not path.exists():
        return ""
    lines = path.read_text().strip().splitlines()
    others = [f"({len(lines) - 1} more people: {path})"] if len(lines) > 1 else []
    return "\n".join([*lines[:1], *others])


def _static_digest() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
