"""A revaluation year and the interim year after it, on the demonstration region."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from assessment.demo.cycle import field, roll
from assessment.demo.cycle.office import Office
from assessment.demo.cycle.report import Report
from assessment.demo.cycle.stage import CycleFailed, Stage
from assessment.region.commands import ExplainedCommand

REVALUED, FIELD_TOWN, CONVERTED = "hamden", "west-hartford", "lebanon-nh"
YEAR = 2023  # the sales of the demonstration end in September 2023
STATED_YEAR = 2023  # the list that the converted town's cards state by components


class Command(ExplainedCommand):
    help = """Run the whole cycle without a browser: a server and a worker of its own, two tablets, real files.

Prints a line with figures for each step, and writes them to OUT/cycle.json. OUT must be empty or new.

examples:
  manage.py cycle --out /tmp/cycle
  manage.py cycle --out /tmp/cycle --json
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--out", required=True, type=Path, help="folder for the cycle's data and files")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON at the end")

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path = options["out"].resolve()
        if out.exists() and any(out.iterdir()):
            raise CommandError(f"{options['out']} is not empty: name a new folder, or empty this one.")
        out.mkdir(parents=True, exist_ok=True)
        report = Report(sys.stderr if options["json"] else sys.stdout)
        try:
            self._run(out, report)
        except CycleFailed as failure:
            raise CommandError(str(failure)) from failure
        finally:
            report.write(out / "cycle.json")
        if options["json"]:
            self.stdout.write((out / "cycle.json").read_text())
        else:
            self.stdout.write(f"The cycle is closed: {len(report.steps)} steps in {report.seconds:.0f} s.")

    def _run(self, out: Path, report: Report) -> None:
        with Stage(out) as stage:
            with report.step("A product of its own started, demonstration region loaded") as step:
                stage.start()
                step.note(address=stage.url)
            people = _read_sign_ins(out / "var" / "secrets" / "demo-signin.txt")

            def sign_in(email: str) -> Office:
                return Office(stage.url, email, people[email])

            roll.convert(stage, report, town=CONVERTED, year=YEAR, stated_year=STATED_YEAR)
            roll.judge(stage, report, town=CONVERTED, year=YEAR)
            collector = f"collector@{FIELD_TOWN}.example"
            office = sign_in(f"assessor@{FIELD_TOWN}.example")
            field.go_to_the_field(stage, report, office, collector, town=FIELD_TOWN, year=YEAR)
            assessor, board = sign_in(f"assessor@{REVALUED}.example"), sign_in(f"board@{REVALUED}.example")
            roll.revalue(stage, report, town=REVALUED, year=YEAR)
            roll.sign(stage, report, assessor, town=REVALUED, year=YEAR)
            first, second = out / f"list-{YEAR}", out / f"list-{YEAR + 1}"
            roll.export(stage, report, town=REVALUED, year=YEAR, folder=first)
            roll.appeal_and_correct(stage, report, assessor, board, town=REVALUED, year=YEAR, folder=first)
            roll.interim_year(stage, report, assessor, town=REVALUED, year=YEAR + 1, folder=second)


def _read_sign_ins(path: Path) -> dict[str, str]:
    found = re.findall(r"^(\S+@\S+)\s+(\S+)", path.read_text(), re.MULTILINE)
    if not found:
        raise CycleFailed("the demonstration printed no sign-in")
    return dict(found)
