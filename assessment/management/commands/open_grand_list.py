"""Open a town's grand list of a year."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.roll.commands import RollCommand
from assessment.roll.models import GrandList
from assessment.roll.services.opening import open_grand_list


class Command(RollCommand):
    help = """Open a grand list: by conversion of the town's last list, by rolling forward, or for a revaluation.

examples:
  manage.py open_grand_list --town hamden --year 2024 --basis conversion --base-revaluation 2020-10-01
  manage.py open_grand_list --town 62 --year 2025 --basis roll_forward
  manage.py open_grand_list --town 62 --year 2026 --basis revaluation --json
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--basis", required=True, choices=GrandList.Basis.values)
        parser.add_argument(
            "--base-revaluation",
            type=dt.date.fromisoformat,
            help="YYYY-MM-DD; needed by a conversion: the 1 October whose schedules the values have",
        )
        parser.add_argument("--stated-basis", default="card", help="stated values to convert: card or list")
        parser.add_argument("--stated-year", type=int, help="their list year; default: the list's")
        parser.add_argument(
            "--default-class", default="", help="class of accounts that have none, such as 100"
        )

    def act(self, town: Town, actor: Actor, options: dict[str, Any]) -> dict[str, Any]:
        report = open_grand_list(
            town,
            actor=actor,
            year=options["year"],
            basis=options["basis"],
            kind=options["kind"],
            base_revaluation_on=options["base_revaluation"],
            stated_basis=options["stated_basis"],
            stated_year=options["stated_year"],
            default_class=options["default_class"],
        )
        left_out = {reason: accounts for reason, accounts in report.left_out.items() if accounts}
        return {
            "town": town.code,
            "year": options["year"],
            "kind": options["kind"],
            "basis": options["basis"],
            "accounts": report.accounts,
            "components": report.lines,
            "exemptions": report.exemptions,
            "gross": report.gross,
            "left_out": left_out,
            "lines": [
                f"{town.name} {options['year']} is open: {report.accounts:,} accounts, {report.lines:,} lines, "
                f"{report.exemptions:,} exemptions, gross ${report.gross:,}.",
                *(
                    f"  left out, {reason}: {len(accounts):,} (first: {', '.join(accounts[:5])})"
                    for reason, accounts in left_out.items()
                ),
            ],
        }
