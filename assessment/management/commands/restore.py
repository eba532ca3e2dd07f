"""manage.py restore: go on from a backup."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from assessment.project.backup.restoring import restore_backup
from assessment.project.postgres import LauncherError
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.maintenance import maintenance

EXAMPLES = """examples:
  manage.py restore /backups/2025-10-01 --identity restore-key.txt
  manage.py restore /backups/2025-10-01 --without-keys    the keys are in place already

Only into an empty database. Every file is checked against the manifest first; the restored tables, their rows
and their walls are compared with it afterwards. All sign-ins end, and tablets start a new epoch: they ask for
everything again and send again what the backup does not have.
"""


class Command(ExplainedCommand):
    help = "Restore a backup into an empty database."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--identity", type=Path, help="file with the age identity that opens the keys")
        parser.add_argument("--without-keys", action="store_true", help="leave the keys as they are here")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with _office_is_closed(), maintenance("A backup is being restored.", cause="restore"):
                restored = restore_backup(
                    options["folder"].resolve(),
                    identity=options["identity"],
                    without_keys=options["without_keys"],
                )
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        except LauncherError as trouble:
            raise CommandError(str(trouble)) from trouble
        except OSError as trouble:
            raise CommandError(f"{trouble.filename or settings.VAR_DIR}: {trouble.strerror}") from trouble
        survey = restored.manifest.survey
        self.stdout.write(
            f"{survey.rows:,} rows of {len(survey.tables)} tables are restored as of {restored.manifest.made_at}, "
            "and are what was backed up."
        )
        for line in restored.hooks:
            self.stdout.write(f"  {line}")


@contextmanager
def _office_is_closed() -> Iterator[None]:
    """Hold the lock by which a second start of the office is refused."""
    folder = Path(settings.VAR_DIR) / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "serving").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError("The office is running: stop it first, then restore.") from None
        yield
