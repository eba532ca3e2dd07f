"""manage.py import_cama: record cards from CSV or Excel."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from assessment.property.imports.cards import CardImport, import_cards
from assessment.property.imports.outcome import ImportOutcome
from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Invalid, Problem
from assessment.region.selectors import get_town
from assessment.region.services import create_test_town
from assessment.sales.services import take_over_card_sales

EXAMPLES = """examples:
  manage.py import_cama --town 93 new_haven_cama.csv --list-year 2020
  manage.py import_cama --town hamden cards.xlsx --mapping ours.toml --dry-run
  manage.py import_cama --town 62 state.csv --on-error abort --report refused.json --json

Shipped mappings are found by the file's header: state_combined, vision, new_haven. docs/imports.md
describes the mapping file. The same file again changes nothing.
"""


class Command(ExplainedCommand):
    help = "Import record cards of one town from a CSV or Excel file."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV (any delimiter, also .gz) or Excel workbook")
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument(
            "--test-town",
            metavar="NAME",
            help="make the town first if it is not there: a test town, 900 or above",
        )
        parser.add_argument("--mapping", default="", help="name of a shipped mapping, or a TOML file")
        parser.add_argument("--sheet", default="", help="sheet of a workbook; the first with rows otherwise")
        parser.add_argument(
            "--list-year", type=int, help="list that the stated values are of; default: the latest 1 October"
        )
        parser.add_argument("--on-error", choices=("skip", "abort"), default="skip", help="refused rows")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen; write nothing")
        parser.add_argument("--report", type=Path, help="write the report by row to this JSON file")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = CardImport(
            path=options["file"],
            list_year=options["list_year"] or latest_list_year(),
            mapping=options["mapping"],
            sheet=options["sheet"],
            on_error=options["on_error"],
            is_dry_run=options["dry_run"],
        )
        actor = Actor.system("import_cama")
        try:
            if options["test_town"]:
                create_test_town(town_number(options["town"]), actor=actor, name=options["test_town"])
            outcome = import_cards(town := get_town(options["town"]), actor=actor, wanted=wanted)
            self.sales = self._take_over_sales(town.code, outcome, actor)
        except Problem as problem:
            if options["report"] and "report" in problem.data:
                write_report(options["report"], {"code": problem.code, **problem.data})
            raise CommandError(problem.detail) from problem
        if options["report"]:
            write_report(options["report"], outcome.as_json())
        if options["json"]:
            self.stdout.write(json.dumps(outcome.as_json(), indent=2))
        else:
            self._say(town.name, outcome)

    def _take_over_sales(self, town_code: int, outcome: ImportOutcome, actor: Actor) -> Counter[str]:
        """Keep the sales that the cards mention; when a run is killed before, the next one does it."""
        if outcome.is_dry_run or not outcome.sales:
            return Counter()
        return take_over_card_sales(
            outcome.sales, actor=actor, town_code=town_code, import_run_id=outcome.import_run_id
        )

    def _say(self, town: str, outcome: ImportOutcome) -> None:
        counts = outcome.counts
        self.stdout.write(
            f"{outcome.file_name} into {town} with the mapping {outcome.mapping}, list of {outcome.list_year}"
            + (": a dry run, nothing was written" if outcome.is_dry_run else "")
        )
        self.stdout.write(
            f"  rows read {counts['read']:,}; cards taken {counts['accepted']:,}, refused {counts['rejected']:,}"
            + (f", of other towns {counts['other_town']:,}" if counts["other_town"] else "")
        )
        self.stdout.write(
            f"  properties added {counts['added']:,}, changed {counts['changed']:,}, "
            f"unchanged {counts['unchanged']:,}; {outcome.changes:,} changes in all, in {outcome.duration_s:.1f} s"
        )
        if self.sales:
            self.stdout.write(
                f"  sales on the cards: added {self.sales['added']:,}, changed {self.sales['changed']:,}, "
                f"unchanged {self.sales['unchanged']:,}"
            )
        for reason, number in sorted(outcome.report.by_reason.items()):
            self.stdout.write(f"  {reason}: {number:,}")
        for problem in [found for found in outcome.report.problems if found.rejected][:10]:
            self.stdout.write(f"  row {problem.row}: {problem.sentence}")
        if outcome.unmapped_codes:
            tables = sorted({code["table"] for code in outcome.unmapped_codes})
            self.stdout.write(
                f"  {len(outcome.unmapped_codes)} codes are not mapped to the state's yet, in: {', '.join(tables)}"
            )


def town_number(text: str) -> int:
    """Return the number of a town to be made."""
    if not text.isdigit():
        raise Invalid("A new test town needs --town with its number, 900 or above.")
    return int(text)


def latest_list_year() -> int:
    """Return the year of the latest 1 October."""
    today = timezone.localdate()
    return today.year if today.month >= 10 else today.year - 1


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write a report as JSON."""
    path.write_text(json.dumps(report, indent=2, default=str), encoding="utf-8")
