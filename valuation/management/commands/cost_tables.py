"""manage.py cost_tables: a town's cost tables as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from valuation.schedules.counting import count_effect
from valuation.schedules.selectors import find_run_with_tables
from valuation.schedules.services import decide_tables, propose_tables, read_tables, write_tables

EXAMPLES = """examples:
  manage.py cost_tables --town hamden --out tables.xlsx
  manage.py cost_tables --town hamden --from tables.xlsx --reason "new garage rates, study of May"
  manage.py cost_tables --town hamden --from tables.csv --reason "..." --accept --json

Files are CSV or XLSX with table, level and amount, or JSON. A table in the file takes the place of the one of the
same name; tables that it does not name stay. The effect is told first; --accept keeps them as the next version of
the town's model, which binds nothing until the assessor adopts it for a list.
"""


class Command(ExplainedCommand):
    help = "Write the cost tables of a town's newest run to a file, or propose those of a file with their effect."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument("--out", type=Path, help="file to write: .csv, .xlsx or .json")
        parser.add_argument("--from", type=Path, dest="source", help="file to read: .csv, .xlsx or .json")
        parser.add_argument("--reason", default="", help="why the tables change")
        parser.add_argument("--accept", action="store_true", help="keep them as the next version")
        parser.add_argument("--json", action="store_true", help="print the effect as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["out"] is None) == (options["source"] is None):
            raise CommandError("Give either --out or --from.")
        actor = Actor.system("cost_tables")
        try:
            town = get_town(options["town"])
            with scope(actor, towns=[town.code], reason="cost tables"):
                run = find_run_with_tables(town.code)
                if run is None or not run.tables.get("schedule"):
                    raise CommandError(f"{town.name} has no finished run whose tables could be written.")
                if options["out"] is not None:
                    write_tables(run.tables["schedule"], options["out"])
                    self.stdout.write(f"tables of {run} written to {options['out']}")
                    return
                change = propose_tables(
                    run,
                    actor=actor,
                    reason=options["reason"],
                    schedule=read_tables(options["source"], run.tables["schedule"]),
                )
                # The operator waits at the terminal: no job.
                change = count_effect(change, actor=actor)
                if options["accept"]:
                    change = decide_tables(change, actor=actor, accept=True)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        effect = change.effect
        if options["json"]:
            told = {"change": str(change.pk), "state": change.state, "spec": str(change.spec or ""), **effect}
            self.stdout.write(json.dumps(told, indent=2))
            return
        self.stdout.write(
            f"{len(change.changed)} entries: {effect['changed']:,} of {effect['properties']:,} properties change, "
            f"${effect['before']:,} to ${effect['after']:,}, {change.get_state_display().lower()}"
            + (f" as {change.spec}" if change.spec else "")
        )
