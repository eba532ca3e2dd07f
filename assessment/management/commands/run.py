"""Start the office and stay until Ctrl-C; `make run` calls it."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from assessment.project.postgres import LauncherError
from assessment.project.serve.errors import CannotServe
from assessment.project.serve.office import Office, Options
from assessment.region.commands import ExplainedCommand

EXAMPLES = """
examples:
  manage.py run
  manage.py run --port 8001
  manage.py run --https                      for tablets on the network, with a certificate of its own
  GRANDLIST_TLS_CERT=town.crt GRANDLIST_TLS_KEY=town.key manage.py run --https --port 443
"""


class Command(ExplainedCommand):
    help = "Start database, web server and worker; print the address and the sign-in; stop all at Ctrl-C."
    # The tables may not be there yet.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False
    examples = EXAMPLES

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--host", default="", help="address to listen on (default: loopback; all with --https)"
        )
        parser.add_argument("--https", action="store_true", help="serve tablets on the network")
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
        parser.add_argument("--workers", type=int, default=2, help="processes for long work (default 2)")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # a script or a log reads it too

    def handle(self, *args: Any, **options: Any) -> None:
        certificate, key = os.environ.get("GRANDLIST_TLS_CERT"), os.environ.get("GRANDLIST_TLS_KEY")
        office = Office(
            Options(
                port=options["port"],
                host=options["host"],
                https=options["https"],
                demonstration=not options["no_demo"],
                certificate=Path(certificate).resolve() if certificate else None,
                key=Path(key).resolve() if key else None,
                workers=options["workers"],
            ),
            say=self._say,
        )
        try:
            office.run()
        except (CannotServe, LauncherError) as trouble:
            raise CommandError(str(trouble)) from trouble
