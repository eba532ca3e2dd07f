"""manage.py import_income: owners' returns of income and expenses, and a town's rates."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from valuation.income.services import import_returns, set_income_rates

EXAMPLES = """examples:
  manage.py import_income --town hamden returns.csv
  manage.py import_income --town hamden --year 2025 --mill-rate 56.38 --source "set by the council in May 2025"
  manage.py import_income --town hamden --year 2025 --mill-rate 56.38 --rates rates.json --source "study of 2025"

The file of returns has the columns account, income_year, area_sqft, gross_rent, and may have other_income,
vacancy_loss, expenses, reserves, note. Returns are confidential (CGS 12-63c). rates.json gives figures by group:
{"apartment": {"rent_dollars": 18.5, "rate_percent": 7.2}}; what it does not name stays a placeholder.
"""


class Command(ExplainedCommand):
    help = "Import owners' returns of income and expenses, or set a town's mill rate and market figures."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="returns as CSV")
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument("--year", type=int, help="list year of the rates")
        parser.add_argument("--mill-rate", help="dollars of tax for $1,000 of assessment")
        parser.add_argument("--rates", type=Path, help="market figures by group, JSON")
        parser.add_argument("--source", default="", help="where the rates come from")
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["file"] and not options["mill_rate"]:
            raise CommandError("Give a file of returns, or a mill rate with its year and source.")
        done: dict[str, Any] = {}
        try:
            town, actor = get_town(options["town"]), Actor.system("import_income")
            with scope(actor, towns=[town.code], reason="import of income"):
                if options["file"]:
                    report = import_returns(
                        town, options["file"], actor=actor, received_on=timezone.localdate()
                    )
                    done |= {"rows": report.rows, "recorded": report.recorded, "refused": report.refused}
                if options["mill_rate"]:
                    if not options["year"]:
                        raise CommandError("A mill rate needs --year.")
                    plain = json.loads(options["rates"].read_text("utf-8")) if options["rates"] else {}
                    row = set_income_rates(
                        town,
                        actor=actor,
                        list_year=options["year"],
                        mill_rate=Decimal(options["mill_rate"]),
                        source=options["source"],
                        rates=plain,
                    )
                    done |= {"year": row.list_year, "mill_rate": str(row.mill_rate)}
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, InvalidOperation) as error:
            raise CommandError(f"That cannot be read: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(done, indent=2))
            return
        if "rows" in done:
            self.stdout.write(f"{done['recorded']:,} of {done['rows']:,} returns recorded")
            for line in done["refused"]:
                self.stdout.write(f"  refused: {line}")
        if "mill_rate" in done:
            self.stdout.write(f"rates of {done['year']} set at {done['mill_rate']} mills")
