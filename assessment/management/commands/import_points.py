"""manage.py import_points: where properties are, as points by identifier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from assessment.management.commands.import_cama import write_report
from assessment.property.imports.points import PointImport, import_points
from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.selectors import get_town

EXAMPLES = """examples:
  manage.py import_points --town new-haven new_haven_geocodes.csv
  manage.py import_points --town 93 points.csv --mapping ours.toml --dry-run --report refused.json

The mapping file fills alias.*, point.latitude and point.longitude; a shipped one fits pid,location,lat,lon.
"""


class Command(ExplainedCommand):
    help = "Import the points of one town's properties from a CSV or Excel file with latitude and longitude."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument("--mapping", default="", help="name of a shipped mapping, or a TOML file")
        parser.add_argument("--on-error", choices=("skip", "abort"), default="skip", help="refused rows")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen; write nothing")
        parser.add_argument("--report", type=Path, help="write the report by row to this JSON file")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = PointImport(options["file"], options["mapping"], options["on_error"], options["dry_run"])
        try:
            town = get_town(options["town"])
            outcome = import_points(town, actor=Actor.system("import_points"), wanted=wanted)
        except Problem as problem:
            if options["report"] and "report" in problem.data:
                write_report(options["report"], {"code": problem.code, **problem.data})
            raise CommandError(problem.detail) from problem
        if options["report"]:
            write_report(options["report"], outcome.as_json())
        if options["json"]:
            self.stdout.write(json.dumps(outcome.as_json(), indent=2))
            return
        counts = outcome.counts
        self.stdout.write(
            f"{outcome.file_name} into {town.name}: rows read {counts['read']:,}, points taken "
            f"{counts['accepted']:,} (changed {counts['changed']:,}, unchanged {counts['unchanged']:,}), "
            f"refused {counts['rejected']:,}, in {outcome.duration_s:.1f} s"
            + (": a dry run, nothing was written" if outcome.is_dry_run else "")
        )
        for reason, number in sorted(outcome.report.by_reason.items()):
            self.stdout.write(f"  {reason}: {number:,}")
