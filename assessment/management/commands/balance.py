"""Balance a list with the town's."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.roll.commands import RollCommand, signer_of
from assessment.roll.services.balancing import balance_grand_list, sign_off_differences


class Command(RollCommand):
    help = """Compare a list, account by account and by class, with the values that the town stated.

Ends with status 1 while differences are not signed off.

examples:
  manage.py balance --town hamden --year 2024
  manage.py balance --town hamden --year 2024 --stated-basis list --tolerance 15 --json
  manage.py balance --town hamden --year 2024 --sign-off "the cards lack the penalties" --signer ada@town.gov
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--stated-basis", default="card", help="card or list")
        parser.add_argument("--stated-year", type=int, help="list year of the stated values")
        parser.add_argument("--tolerance", type=int, help="dollars per account that rounding may explain")
        parser.add_argument("--sign-off", metavar="REASON", help="take responsibility for all differences")
        parser.add_argument("--signer", help="address of who signs off; default: the town's only assessor")

    def actor(self, town: Town, options: dict[str, Any]) -> Actor:
        return signer_of(town, options["signer"]) if options["sign_off"] else super().actor(town, options)

    def act(self, town: Town, actor: Actor, options: dict[str, Any]) -> dict[str, Any]:
        run, result = balance_grand_list(
            self.grand_list(town, options),
            actor=actor,
            stated_basis=options["stated_basis"],
            stated_year=options["stated_year"],
            tolerance=options["tolerance"],
        )
        signed_off = 0
        if options["sign_off"] and result.differences:
            signed_off = sign_off_differences(run, actor=actor, reason=options["sign_off"])
        differences = [
            {"account": item.account, "item": item.item, "ours": item.ours, "theirs": item.theirs}
            for item in result.differences
        ]
        classes = [{"class": name, "ours": ours, "theirs": theirs} for name, ours, theirs in run.classes]
        return {
            "accounts": result.accounts,
            "matched": result.matched,
            "tolerance": run.tolerance,
            "ours": result.ours,
            "theirs": result.theirs,
            "classes": classes,
            "differences": differences,
            "signed_off": signed_off,
            "lines": [
                f"{result.matched:,} of {result.accounts:,} accounts match within ${run.tolerance}.",
                *(
                    f"  class {item['class'] or 'none'}: net ${item['ours'] or 0:,} here, ${item['theirs'] or 0:,} stated"
                    for item in classes
                ),
                *(
                    f"  {item['account']} {item['item']}: {item['ours']} here, {item['theirs']} stated"
                    for item in differences[:20]
                ),
                *(
                    [f"  ... and {len(differences) - 20:,} more (--json lists all)"]
                    if len(differences) > 20
                    else []
                ),
                *([f"{signed_off:,} differences signed off: {options['sign_off']}"] if signed_off else []),
            ],
        }

    def report(self, result: dict[str, Any], options: dict[str, Any]) -> None:
        left = len(result["differences"]) - result["signed_off"]
        super().report(result, options)
        if left:
            raise CommandError(f"{left:,} differences are not signed off.")
