"""Export the state's abstract of a signed list."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import Any

from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.roll.commands import RollCommand
from assessment.roll.services.abstracts import export_m13, totals_of


class Command(RollCommand):
    help = """Write the M-13 (taxable list by class and exemptions) and M-13a (tax-exempt property) of a signed list.

With the bridge from "as signed", over the instruments, to "after the board".

examples:
  manage.py export_m13 --town hamden --year 2025 --out OUT
  manage.py export_m13 --town 62 --year 2025 --out OUT --through 2026-05-01 --json
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", required=True, type=Path, help="folder, made if it is not there")
        parser.add_argument(
            "--through", type=dt.date.fromisoformat, help="last day of instruments; default: the board's last"
        )

    def act(self, town: Town, actor: Actor, options: dict[str, Any]) -> dict[str, Any]:
        made, files = export_m13(
            self.grand_list(town, options), actor=actor, folder=options["out"], through=options["through"]
        )
        return totals_of(made) | {
            "files": [str(path) for path in files],
            "lines": [
                *(
                    f"{name}: gross ${stage.gross:,}, exemptions ${stage.exemptions:,}, net ${stage.net:,}, "
                    f"exempt property ${stage.exempt:,}"
                    for name, stage in made.stages
                ),
                *(f"  {path}" for path in files),
            ],
        }
