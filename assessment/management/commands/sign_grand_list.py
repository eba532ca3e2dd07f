"""Sign a grand list."""

from __future__ import annotations

import argparse
from typing import Any

from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.roll.commands import RollCommand, signer_of
from assessment.roll.services.signing import sign_grand_list


class Command(RollCommand):
    help = """Sign a list: number its accounts, freeze them in a hash-chained snapshot, certify the root.

The signer needs the assessor's role in the town and a state certificate in force. A copy of the certification is
kept in var/certifications, outside the database.

examples:
  manage.py sign_grand_list --town hamden --year 2025
  manage.py sign_grand_list --town 62 --year 2025 --signer ada@town.gov --json
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--signer", help="address of the signer; default: the town's only assessor")

    def actor(self, town: Town, options: dict[str, Any]) -> Actor:
        return signer_of(town, options["signer"])

    def act(self, town: Town, actor: Actor, options: dict[str, Any]) -> dict[str, Any]:
        report = sign_grand_list(self.grand_list(town, options), actor=actor)
        made = report.certification
        return {
            "town": town.code,
            "year": options["year"],
            "kind": options["kind"],
            "root": made.root,
            "accounts": made.accounts,
            "gross": made.gross,
            "exempt": made.exempt,
            "net": made.net,
            "signer": made.signer_name,
            "certification": str(report.copy_path),
            "lines": [
                f"{town.name} {options['year']} is signed by {made.signer_name}: {made.accounts:,} accounts, "
                f"gross ${made.gross:,}, exempt ${made.exempt:,}, net ${made.net:,}.",
                f"root {made.root}",
                f"certification {report.copy_path}",
            ],
        }
