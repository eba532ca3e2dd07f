"""Export a signed grand list."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.roll.commands import RollCommand
from assessment.roll.rules.profiles import PROFILES
from assessment.roll.services.exporting import BASES, FORMATS, export_grand_list


class Command(RollCommand):
    help = """Write a signed list as CSV, Excel and a printable book, with control totals and its certification.

profiles:
  statutory  the list open to inspection: names, exemptions by code; protected owners suppressed
  public     for a web site: no mailing addresses, exemptions as one sum
  foi        for a request: as public, with mailing addresses and a suppression column
  collector  for the tax collector: everything
  cog        for the council of governments (CGS 7-100l): with a suppression column

examples:
  manage.py export_grand_list --town hamden --year 2025 --out OUT
  manage.py export_grand_list --town 62 --year 2025 --out OUT --profile collector --basis board --formats csv
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", required=True, type=Path, help="folder, made if it is not there")
        parser.add_argument("--profile", default="statutory", choices=list(PROFILES))
        parser.add_argument(
            "--basis", default="current", choices=list(BASES), help="which instruments count: default current"
        )
        parser.add_argument("--formats", default=",".join(FORMATS), help="of csv,xlsx,pdf; default all")

    def act(self, town: Town, actor: Actor, options: dict[str, Any]) -> dict[str, Any]:
        report = export_grand_list(
            self.grand_list(town, options),
            actor=actor,
            folder=options["out"],
            on=timezone.localdate(),
            profile=options["profile"],
            basis=options["basis"],
            formats=tuple(part.strip() for part in options["formats"].split(",") if part.strip()),
        )
        sums = report.control["exported"]
        return report.control | {
            "lines": [
                f"{town.name} {options['year']}, {report.control['basis']}: {sums['accounts']:,} accounts, "
                f"net ${sums['net_after']:,}, {report.control['instruments']} instruments.",
                *(f"  {report.folder / name}" for name in report.files),
            ]
        }
