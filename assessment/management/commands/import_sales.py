"""manage.py import_sales: the state's sales file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.selectors import get_town
from assessment.sales.services import SalesReport, import_sales

EXAMPLES = """examples:
  manage.py import_sales Real_Estate_Sales.csv
  manage.py import_sales Real_Estate_Sales.csv --town 62 --town west-hartford --report unmatched.json
  manage.py import_sales sales.csv.gz --dry-run --json

Both headers of data.ct.gov are known. Every sale is matched to one property of its town or gets a reason
code; the report lists those without a property, and rows that were refused. The same file again changes
nothing. Towns whose properties are not in the system keep their sales unmatched.
"""


class Command(ExplainedCommand):
    help = "Import the state's real estate sales, match them to properties and suggest their validity."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV (any delimiter, also .gz) or Excel workbook")
        parser.add_argument("--town", action="append", default=[], help="number, name or slug; repeatable")
        parser.add_argument("--on-error", choices=("skip", "abort"), default="skip", help="refused rows")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen; write nothing")
        parser.add_argument("--report", type=Path, help="write the whole report to this JSON file")
        parser.add_argument("--json", action="store_true", help="print the totals as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = import_sales(
                options["file"],
                actor=Actor.system("import_sales"),
                now=timezone.now(),
                town_codes=[get_town(key).code for key in options["town"]],
                dry_run=options["dry_run"],
                on_error=options["on_error"],
            )
        except Problem as problem:
            if options["report"] and "report" in problem.data:
                _write(options["report"], problem.data["report"])
            raise CommandError(problem.detail) from problem
        if options["report"]:
            _write(options["report"], report.as_json())
        if options["json"]:
            totals = {key: value for key, value in report.as_json().items() if key != "without_property"}
            self.stdout.write(json.dumps(totals, indent=2))
        else:
            self._say(report)

    def _say(self, report: SalesReport) -> None:
        totals = report.as_json()
        self.stdout.write(
            f"{report.file_name}: {report.rows:,} rows"
            + (f", {report.passed_over:,} of other towns" if report.passed_over else "")
            + (": a dry run, nothing was written" if report.dry_run else "")
        )
        self.stdout.write(
            f"  added {totals['added']:,}, changed {totals['changed']:,}, unchanged {totals['unchanged']:,}, "
            f"refused {totals['refused']['rejected']:,}; matched {totals['matched']:,}"
        )
        for town in report.towns:
            if not town.by_method:
                continue
            self.stdout.write(
                f"  {town.name}: {sum(town.by_method.values()):,} of {town.counts['read']:,} matched"
            )
            self.stdout.write(f"    how: {_listed(town.by_method)}")
            self.stdout.write(f"    not: {_listed(town.by_reason)}")
            self.stdout.write(f"    suggested: {_listed(town.by_validity)}")
        for problem in report.refused.problems[:10]:
            self.stdout.write(f"  row {problem.row}: {problem.sentence}")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(
        f"{name} {number:,}" for name, number in sorted(counts.items(), key=lambda pair: -pair[1])
    )


def _write(path: Path, report: dict[str, Any]) -> None:
    path.write_text(json.dumps(report, indent=1, default=str), encoding="utf-8")
