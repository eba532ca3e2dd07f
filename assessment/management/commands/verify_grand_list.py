"""Verify a signed grand list."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.roll.commands import RollCommand
from assessment.roll.services.verifying import paper_from_file, paper_from_root, verify_grand_list


class Command(RollCommand):
    help = """Recompute the hash chain and totals of a signed list, and compare them with its certification.

By default with the copy in var/certifications; or with a root read from the printed page, or a certification
file from an export. Ends with status 1 and says where, when anything is not as it was signed.

examples:
  manage.py verify_grand_list --town hamden --year 2025
  manage.py verify_grand_list --town hamden --year 2025 --root "4be1c2aa 90f1d0c3 ..."
  manage.py verify_grand_list --town hamden --year 2025 --certification hamden-2025-real-statutory-certification.json
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        outside = parser.add_mutually_exclusive_group()
        outside.add_argument("--root", help="the 64 digits of the printed page; spaces are ignored")
        outside.add_argument("--certification", type=Path, help="a certification file")

    def act(self, town: Town, actor: Actor, options: dict[str, Any]) -> dict[str, Any]:
        paper = None
        if options["root"]:
            paper = paper_from_root(options["root"])
        elif options["certification"]:
            paper = paper_from_file(options["certification"])
        found = verify_grand_list(self.grand_list(town, options), actor=actor, paper=paper)
        verdict = "is as it was signed" if found.intact else "IS NOT AS IT WAS SIGNED"
        return {
            "intact": found.intact,
            "root": found.root,
            "totals": found.totals,
            "breaks": [{"where": item.where, "what": item.what} for item in found.breaks],
            "lines": [
                f"{town.name} {options['year']} {verdict}: {found.totals['accounts']:,} accounts, "
                f"net ${found.totals['net']:,}.",
                f"root {found.root}",
                *(f"  {item.where}: {item.what}" for item in found.breaks),
            ],
        }

    def report(self, result: dict[str, Any], options: dict[str, Any]) -> None:
        super().report(result, options)
        if not result["intact"]:
            first = result["breaks"][0]
            raise CommandError(f"The list is not as it was signed; {first['where']}: {first['what']}")
