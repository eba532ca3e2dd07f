"""manage.py backup: everything needed to go on elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from assessment.project.backup.keys import make_identity
from assessment.project.backup.making import make_backup
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem

EXAMPLES = """examples:
  manage.py backup --new-identity restore-key.txt         once; keep the file away from the server
  manage.py backup --out /backups/2025-10-01 --recipient age1...
  manage.py backup --out /backups/today --without-keys    the keys are kept elsewhere

The folder holds the database as of one moment, all files, the certifications of signed lists, and the keys that
seal and sign, encrypted to the recipients. `manage.py restore` reads it; `manage.py drill` tries it.
"""


class Command(ExplainedCommand):
    help = "Back up the database, the files and the keys into a new folder, with checksums."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, help="the folder to make")
        parser.add_argument(
            "--recipient", action="append", default=[], help="age recipient of the keys; may be repeated"
        )
        parser.add_argument("--without-keys", action="store_true", help="leave the keys out, knowingly")
        parser.add_argument("--new-identity", type=Path, metavar="FILE", help="make an age identity and stop")
        parser.add_argument("--json", action="store_true", help="figures for a script")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["new_identity"]:
                recipient = make_identity(options["new_identity"])
                self.stdout.write(f"{recipient}\nKeep {options['new_identity']} away from the server.")
                return
            if not options["out"]:
                raise CommandError("Say where: --out FOLDER.")
            manifest = make_backup(
                options["out"].resolve(),
                recipients=options["recipient"],
                without_keys=options["without_keys"],
            )
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        except OSError as trouble:
            raise CommandError(f"{trouble.filename or options['out']}: {trouble.strerror}") from trouble
        figures = {
            "folder": str(options["out"].resolve()),
            "tables": len(manifest.survey.tables),
            "rows": manifest.survey.rows,
            "files": len(manifest.files),
            "keys": len(manifest.keys),
            "missing_files": manifest.missing_blobs,
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        else:
            self.stdout.write(
                f"{figures['rows']:,} rows of {figures['tables']} tables, {figures['files']:,} files and "
                f"{figures['keys']} keys are in {figures['folder']}"
            )
        if manifest.missing_blobs:
            raise CommandError(
                f"The backup is made, but {len(manifest.missing_blobs)} files that the record names are missing or "
                f"damaged on this server, first {manifest.missing_blobs[0]}; the manifest lists them."
            )
