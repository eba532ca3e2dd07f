"""manage.py verify_statement: check an end-of-day statement, offline."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from assessment.region.commands import ExplainedCommand
from fieldsync.keys import statement_key
from fieldsync.reconciliation import signing

EXAMPLES = """examples:
  manage.py verify_statement statement.txt
  manage.py verify_statement - < statement.txt
  manage.py verify_statement statement.txt --key hamden-statements.pem     no server and no database needed
  manage.py verify_statement --print-key > hamden-statements.pem           publish it once

A statement is the text that begins with s1. on the tablet's page or in the tablet. The status is 0 only when this
server's key, or the one given, signed exactly this text.
"""


class Command(ExplainedCommand):
    help = "Check the signature of an end-of-day statement and print what it states."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="file with the statement, or - for standard input"
        )
        parser.add_argument("--key", type=Path, metavar="PEM", help="a public key instead of this server's")
        parser.add_argument(
            "--print-key", action="store_true", help="print this server's public key and stop"
        )
        parser.add_argument("--json", action="store_true", help="the facts for a script")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["print_key"]:
            self.stdout.write(signing.spell_key(statement_key().public_key()).rstrip())
            return
        file: Path | None = options["file"]
        if file is None:
            raise CommandError("Say which statement: a file, or - for standard input.")
        try:
            token = sys.stdin.read() if str(file) == "-" else file.read_text()
            key = (
                signing.read_key(options["key"].read_text())
                if options["key"]
                else statement_key().public_key()
            )
            facts = signing.verify(token, key)
        except signing.BadStatement as trouble:
            raise CommandError(str(trouble)) from trouble
        except OSError as trouble:
            raise CommandError(f"{trouble.filename}: {trouble.strerror}") from trouble
        except UnicodeDecodeError as trouble:
            raise CommandError("This is not a statement.") from trouble
        if options["json"]:
            self.stdout.write(json.dumps(facts, sort_keys=True))
            return
        self.stdout.write(f"Signed by the key {facts['key']}, and not altered since.")
        for name in (
            "at",
            "device",
            "town",
            "summary",
            "missing_mutations",
            "unknown_to_device",
            "checksums_ok",
        ):
            self.stdout.write(f"  {name.replace('_', ' ')}: {facts.get(name)}")
