"""manage.py drill: try whether a restore would work, beside the running server."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from assessment.project.backup.restoring import run_drill
from assessment.project.postgres import LauncherError
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem

EXAMPLES = """examples:
  manage.py drill                         make a backup and try it
  manage.py drill --backup /backups/2025-10-01
  manage.py drill --json

The backup is restored into a scratch cluster of its own, and every table is compared by count and hash, and the
walls, rights, triggers and functions by their text. Nothing of the running server is touched.
"""


class Command(ExplainedCommand):
    help = "Restore into a scratch cluster and compare."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--backup", type=Path, help="try this backup instead of a new one")
        parser.add_argument("--json", action="store_true", help="figures for a script")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            drill = run_drill(options["backup"].resolve() if options["backup"] else None)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        except LauncherError as trouble:
            raise CommandError(str(trouble)) from trouble
        if options["json"]:
            self.stdout.write(json.dumps(asdict(drill)))
        else:
            self.stdout.write(
                f"{drill.tables} tables, {drill.rows:,} rows, {drill.policies} policies, {drill.files:,} files, "
                f"{drill.keys} keys: backed up in {drill.backup_s:.1f} s, restored in {drill.restore_s:.1f} s"
            )
            for line in drill.differences:
                self.stdout.write(f"  {line}")
        if drill.differences:
            raise CommandError(f"{len(drill.differences)} differences: this backup must not be relied on.")
        if not options["json"]:
            self.stdout.write("No difference.")
