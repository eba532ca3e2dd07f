"""manage.py screen_sales: which sales are out of line."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from assessment.sales.services.screening import screen_sales

EXAMPLES = """examples:
  manage.py screen_sales --town hamden
  manage.py screen_sales --town 62 --json

Looks at the sales of the last three years that are not ruled out: prices, prices by area and ratios against those
of the same kind, and the record for what changed since. Findings stand on each sale; a person decides.
"""


class Command(ExplainedCommand):
    help = "Find sales that are out of line with others or with the record."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("screen_sales")
        try:
            town = get_town(options["town"])
            with scope(actor, towns=[town.code], reason="screen of sales"):
                found = screen_sales(town.code, actor=actor, now=timezone.now())
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        counts = Counter(each.code for each in found)
        sales = len({each.key for each in found})
        if options["json"]:
            self.stdout.write(
                json.dumps({"town": town.code, "sales": sales, "findings": dict(sorted(counts.items()))})
            )
        else:
            self.stdout.write(f"{town.name}: {sales:,} sales to look at")
            for code, count in sorted(counts.items()):
                self.stdout.write(f"  {code.replace('_', ' ')}: {count:,}")
