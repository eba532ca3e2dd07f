"""`manage.py import_layer`: neighbourhoods, zoning, flood zones or census tracts from any vector file."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assessment.region.actors import Actor
from assessment.region.errors import Problem
from assessment.region.selectors import get_town
from gis.fabric.preparing import ReadOptions
from gis.layers.models import Layer
from gis.layers.services import import_layer

EXAMPLES = """\
examples:
  manage.py import_layer --town hamden zoning.gpkg --kind zoning --name "Zoning 2025" --code-field ZONE
  manage.py import_layer --town 155 tracts.shp --kind census --name Tracts --code-field GEOID --crs 4269

Importing a layer of the same kind and name anew replaces its areas; the same file again changes nothing.
"""


class Command(BaseCommand):
    """Turns the options into one service call."""

    help = "Import a layer of a town: neighbourhoods, zoning, flood zones, census tracts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument("file", type=Path, help="the layer's file")
        parser.add_argument("--town", required=True, metavar="CODE", help="the town's number, name or slug")
        parser.add_argument("--kind", required=True, choices=Layer.Kind.values)
        parser.add_argument("--name", required=True, help="what the town calls the layer")
        parser.add_argument("--code-field", required=True, metavar="F", help="column with each area's code")
        parser.add_argument("--label-field", metavar="F", help="column with each area's name")
        parser.add_argument("--layer", help="layer of the file, where it has several")
        parser.add_argument("--crs", metavar="EPSG", help="coordinate system, where the file states none")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = import_layer(
                options["file"],
                actor=Actor.system("import_layer"),
                town=get_town(options["town"]),
                kind=options["kind"],
                name=options["name"],
                code_column=options["code_field"],
                label_column=options["label_field"],
                options=ReadOptions(layer=options["layer"], crs=options["crs"]),
            )
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        if options["json"]:
            outcome = {
                "layer": done.layer.name,
                "areas": done.feature_count,
                "repaired": done.repaired,
                "rows_left_out": list(done.left_out),
                "changed": done.is_new,
            }
            self.stdout.write(json.dumps(outcome, indent=2))
            return
        self.stdout.write(
            f"{done.layer.name}: {done.feature_count:,} areas, {done.repaired:,} repaired"
            + (f", {len(done.left_out):,} rows left out" if done.left_out else "")
            + ("" if done.is_new else "; nothing new")
        )
