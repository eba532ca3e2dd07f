"""manage.py maintenance: send every request away for a while."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from assessment.region.commands import ExplainedCommand
from assessment.region.maintenance import begin_maintenance, end_maintenance, find_maintenance

EXAMPLES = """examples:
  manage.py maintenance on --reason "The database moves to another machine."
  manage.py maintenance status --json
  manage.py maintenance off

While it is on, every request is answered 503 with Retry-After: tablets keep what they hold and come back.
A restore and a migration set it themselves; one that was cut off leaves it on until it is run again or `off`.
"""


class Command(ExplainedCommand):
    help = "Answer every request with 503 (on), answer again (off), or say which (status)."
    requires_system_checks: list[str] = []
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", choices=["on", "off", "status"])
        parser.add_argument(
            "--reason", default="The server is being worked on.", help="one sentence for people"
        )
        parser.add_argument("--json", action="store_true", help="print the state as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["state"] == "on":
            begin_maintenance(options["reason"], now=timezone.now())
        elif options["state"] == "off":
            end_maintenance()
        state = find_maintenance()
        if options["json"]:
            self.stdout.write(json.dumps({"on": state is not None, **(asdict(state) if state else {})}))
        elif state:
            self.stdout.write(f"Maintenance is on since {state.since}, by {state.cause}: {state.reason}")
        else:
            self.stdout.write("Maintenance is off.")
