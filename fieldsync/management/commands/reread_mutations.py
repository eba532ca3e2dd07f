"""manage.py reread_mutations: after an upgrade, apply what newer apps had sent before it."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.models import Town
from assessment.region.selectors import get_town
from fieldsync.quarantine.rereading import Reread, reread_mutations

EXAMPLES = """examples:
  manage.py reread_mutations
  manage.py reread_mutations --town hamden --json

Run it after each upgrade. Mutations that came from an app newer than the server were acknowledged and put in
quarantine; those whose version the server knows now are applied, in the order in which they were made. What a
person has to look at for another reason goes on waiting.
"""


class Command(ExplainedCommand):
    help = "Apply mutations in quarantine whose version this server has learned."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--town", help="number or name of one town; else all")
        parser.add_argument("--json", action="store_true", help="for a script")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("reread mutations")
        try:
            codes = [get_town(options["town"]).code] if options["town"] else _all_towns()
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        total = Reread()
        for code in codes:
            found = reread_mutations(code, actor=actor)
            total.applied += found.applied
            for why, count in found.waiting.items():
                total.waiting[why] = total.waiting.get(why, 0) + count
        if options["json"]:
            self.stdout.write(json.dumps({"applied": total.applied, "waiting": total.waiting}))
            return
        still = ", ".join(f"{count} {why}" for why, count in sorted(total.waiting.items()))
        self.stdout.write(f"{total.applied} applied; waiting still: {still or 'none'}.")


def _all_towns() -> list[int]:
    return list(Town.objects.order_by("code").values_list("code", flat=True))
