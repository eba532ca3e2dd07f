"""`manage.py import_parcels`: a town's parcel fabric from any vector file, with a topology report."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assessment.region.actors import Actor
from assessment.region.errors import Problem
from assessment.region.progress import bar
from assessment.region.selectors import get_town
from gis.errors import NoParcels, RowsRefused
from gis.fabric.preparing import ReadOptions
from gis.fabric.report import FabricReport
from gis.fabric.services import ImportOptions, import_fabric

EXAMPLES = """\
examples:
  manage.py import_parcels --town west-hartford parcels.gpkg
  manage.py import_parcels --town 62 Hamden.gdb.zip --layer Parcels --id-field giscode --report report.json
  manage.py import_parcels --town Hamden parcels.shp --crs 2234 --on-error abort
  manage.py import_parcels --town 155 parcels.geojson --dry-run --json

The file may be a GeoPackage, shapefile, GeoJSON, FlatGeobuf, file geodatabase or any other format that
GDAL reads, also inside a .zip. The same file again changes nothing; a changed file makes a new version of
the fabric, with lines of descent. Exit status is 0 only when the import (or the dry run) succeeded.
"""


class Command(BaseCommand):
    """Turns the options into one service call and its report into text."""

    help = "Import a town's parcel fabric, with a topology report; links parcels to properties."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument("file", type=Path, help="the parcel file")
        parser.add_argument("--town", required=True, metavar="CODE", help="the town's number, name or slug")
        parser.add_argument("--layer", help="layer of the file, where it has several")
        parser.add_argument("--id-field", metavar="F", help="column with the parcel identifier")
        parser.add_argument("--crs", metavar="EPSG", help="coordinate system, where the file states none")
        parser.add_argument("--report", type=Path, metavar="OUT.json", help="write the whole report here")
        parser.add_argument(
            "--dry-run", action="store_true", help="report what would be done, change nothing"
        )
        parser.add_argument(
            "--on-error",
            choices=("skip", "abort"),
            default="skip",
            help="leave refused rows out (the default), or import nothing when there is any",
        )
        parser.add_argument(
            "--no-create-properties",
            action="store_true",
            help="do not open an account for a parcel to which no property answers",
        )
        parser.add_argument(
            "--allow-fewer",
            action="store_true",
            help="take a file with less than half of the parcels in force",
        )
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = self._import(options)
        except (RowsRefused, NoParcels) as problem:
            self._write(problem.report, options["report"])
            raise CommandError(problem.detail) from problem
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self._write(report, options["report"])
        if options["json"]:
            self.stdout.write(json.dumps(report.summary(), indent=2, default=str))
        else:
            self._print(report, options["report"])

    def _import(self, options: dict[str, Any]) -> FabricReport:
        actor = Actor.system("import_parcels")
        town = get_town(options["town"])
        chosen = ImportOptions(
            read=ReadOptions(layer=options["layer"], identifier=options["id_field"], crs=options["crs"]),
            on_error=options["on_error"],
            create_properties=not options["no_create_properties"],
            dry_run=options["dry_run"],
            allow_fewer=options["allow_fewer"],
        )
        return import_fabric(options["file"], actor=actor, town=town, options=chosen, progress=_bar)

    def _write(self, report: FabricReport, path: Path | None) -> None:
        if path is None:
            return
        try:
            path.write_text(json.dumps(report.as_dict(), indent=1, ensure_ascii=False, default=str) + "\n")
        except OSError as error:
            raise CommandError(f"The report cannot be written to {path}: {error.strerror}.") from error

    def _print(self, report: FabricReport, report_path: Path | None) -> None:
        counts = report.finding_counts
        lines = [
            f"{report.town}: {report.rows:,} rows of {report.file}, {report.parcels:,} parcels, "
            f"{len(report.refused):,} refused",
            f"  read as {report.crs}, identified by {report.identifier_column}",
            f"  topology: {counts['invalid']} invalid ({report.repaired} repaired), {counts['overlap']} overlaps, "
            f"{counts['gap']} gaps, {counts['sliver']} slivers, {counts['duplicate_shape']} duplicates, "
            f"{counts['multipart']} multiparts, {counts['stated_area']} off their stated area",
            f"  changes: {report.total_changes:,} "
            + "({})".format(", ".join(f"{count:,} {kind}" for kind, count in report.changes.items())),
            "  properties: {links_added:,} links, {properties_created:,} accounts opened, "
            "{parcels_without_property:,} parcels without a property, "
            "{properties_without_parcel:,} properties without a parcel".format(**report.links),
        ]
        lines += [f"  row {row.row}: {row.reason} ({row.code})" for row in report.refused[:5]]
        if len(report.refused) > 5:
            lines.append(f"  ... {len(report.refused) - 5:,} more refused rows are in the report (--report)")
        lines += [f"  note: {note}" for note in report.notes]
        if report.dry_run:
            lines.append("  dry run: nothing was changed")
        elif report.is_new_version:
            lines.append(f"  fabric version {report.fabric_number} is in force")
        else:
            lines.append(f"  nothing new: fabric version {report.fabric_number} stays in force")
        if report_path is not None:
            lines.append(f"  report: {report_path}")
        self.stdout.write("\n".join(lines))


def _bar(label: str, items: Iterable[Any], total: int) -> Iterable[Any]:
    return bar(items, total=total, label=label)
