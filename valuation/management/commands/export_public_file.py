"""``manage.py export_public_file``: what the public may see of a revaluation (CGS 12-62(c))."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from valuation.reports.services import write_public_file
from valuation.runs.selectors import find_finished_run


class Command(ExplainedCommand):
    """Write report, schedules and sales of the newest run of a list year that was posted, or else done."""

    help = """Write the public file of a valuation: report, price schedules, and the sales of twelve months.

examples:
  manage.py export_public_file --town hamden --year 2024 --out public/
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument("--year", type=int, required=True, help="the list year")
        parser.add_argument("--out", type=Path, required=True, help="folder; made if it is not there")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("export_public_file")
        try:
            town = get_town(options["town"])
            with scope(actor, towns=[town.code], reason="public file"):
                run = find_finished_run(town.code, options["year"])
                if run is None:
                    raise CommandError(
                        f"{town.name} has no finished valuation run for the list of {options['year']}."
                    )
                paths = write_public_file(run, options["out"], actor=actor)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        if options["json"]:
            self.stdout.write(
                json.dumps({"run": str(run.pk), "files": [str(path) for path in paths]}, indent=2)
            )
        else:
            self.stdout.write(f"{len(paths)} files of run {run.pk} in {options['out']}")
