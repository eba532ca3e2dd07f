"""Read a town's parcel file and prepare it: everything before the first write."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyproj
import shapely

from assessment.region.models import Town
from gis.errors import (
    CoordinateSystemMissing,
    CoordinateSystemUnknown,
    IdentifierColumnMissing,
    WrongPlace,
)
from gis.fabric.reading import RawLayer, file_digest, read_layer
from gis.fabric.report import FabricReport, place_findings
from gis.fabric.rules.columns import plain_text, similar_names
from gis.fabric.rules.crs import Placement, crs_name, crs_that_fits, parse_crs, reproject, town_of
from gis.fabric.rules.layer import PreparedLayer, locate, prepare_layer
from gis.fabric.rules.repair import Shapes

_NAMES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a file, as far as it is stated: layer, identifying column, coordinate system."""

    layer: str | None = None
    identifier: str | None = None
    crs: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedLayer:
    """A layer as read, its shapes in EPSG:2234, and where they lie."""

    raw: RawLayer
    shapes: Shapes
    placement: Placement | None
    crs_name: str
    crs_source: str


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A prepared layer and the report so far."""

    layer: PreparedLayer
    report: FabricReport


def prepare_file(path: Path, *, town: Town, options: ReadOptions) -> PreparedFile:
    """Read, place, check and repair a parcel file; nothing is written.

    Raises
    ------
    UnreadableParcelFile
        The file cannot be read, or its layer not be chosen.
    CoordinateSystemMissing, CoordinateSystemUnknown
        It is not known, or no system, in which its coordinates are.
    WrongPlace
        Half of the parcels or more lie outside the town; the detail says where they seem to belong.
    IdentifierColumnMissing
        There is no column that can be the identifier, or the one stated is not there.
    """
    clock = time.perf_counter
    began = clock()
    found = read_in_town(path, town=town, options=options)
    raw, shapes, placement = found.raw, found.shapes, found.placement
    placed = clock()
    identifier = _stated_identifier(raw, options.identifier)
    layer = prepare_layer(
        raw.cells, shapes, unreadable=raw.unreadable, placement=placement, identifier=identifier
    )
    if layer.columns.identifier is None:
        raise IdentifierColumnMissing(
            f"No column of {path.name} is known to identify parcels: state one with --id-field. "
            f"It has {_listed(raw.cells)}.",
            columns=list(raw.cells),
        )
    keys = [plain_text(value) for value in raw.cells[layer.columns.identifier]]
    report = FabricReport(
        town_code=town.code,
        town=town.name,
        file=path.name,
        sha256=file_digest(path),
        layer=raw.name,
        driver=raw.driver,
        crs=found.crs_name,
        crs_source=found.crs_source,
        identifier_column=layer.columns.identifier,
        rows=raw.row_count,
        parcels=len(layer.parcels),
        refused=layer.refused,
        findings=place_findings(layer.topology.findings, keys),
        finding_counts=layer.topology.counts(),
        repaired=sum(parcel.is_repaired for parcel in layer.parcels),
        share_outside=None if placement is None else placement.share_outside,
        dry_run=False,
        seconds={"read": placed - began, "check": clock() - placed},
    )
    report.notes += [f"GDAL remarks: {remark}" for remark in raw.remarks]
    if placement is None:
        report.notes.append(f"{town.name} has no boundary here, so no parcel was checked for its place.")
    if found.crs_source == "stated" and raw.crs and _short(raw.crs) != found.crs_name:
        report.notes.append(f"The file itself states {_short(raw.crs)}; the system stated by you was used.")
    return PreparedFile(layer, report)


def read_in_town(path: Path, *, town: Town, options: ReadOptions) -> PlacedLayer:
    """Read a layer, bring it into EPSG:2234 and check that it lies in the town; see `prepare_file`."""
    raw = read_layer(path, layer=options.layer)
    crs, source = _find_crs(raw, path.name, options.crs)
    shapes = reproject(raw.shapes, crs)
    boundary = _boundary(town)
    placement = locate(shapes, boundary)
    if boundary is not None and placement is not None and placement.wrong:
        raise _wrong_place(raw, shapes, town, boundary, crs, placement.share_outside)
    return PlacedLayer(raw, shapes, placement, crs_name(crs), source)


def _find_crs(raw: RawLayer, file: str, stated: str | None) -> tuple[pyproj.CRS, str]:
    if stated is not None:
        crs = parse_crs(stated)
        if crs is None:
            raise CoordinateSystemUnknown(
                f"{stated!r} is no coordinate system: give an EPSG number such as 2234."
            )
        return crs, "stated"
    if not raw.crs:
        raise CoordinateSystemMissing(
            f"{file} does not say in which coordinate system it is: state it with --crs, for instance --crs 2234."
        )
    crs = parse_crs(raw.crs)
    if crs is None:
        raise CoordinateSystemUnknown(
            f"{file} states {_short(raw.crs)}, which is no place on the earth: state it with --crs."
        )
    return crs, "file"


def _stated_identifier(raw: RawLayer, stated: str | None) -> str | None:
    if stated is None or stated in raw.cells:
        return stated
    similar = similar_names(stated, list(raw.cells))
    hint = f" Did you mean {similar}?" if similar else f" It has {_listed(raw.cells)}."
    raise IdentifierColumnMissing(f"The file has no column {stated!r}.{hint}", columns=list(raw.cells))


def _boundary(town: Town) -> shapely.Geometry | None:
    return None if town.boundary is None else shapely.from_wkb(bytes(town.boundary))


def _wrong_place(
    raw: RawLayer,
    shapes: Shapes,
    town: Town,
    boundary: shapely.Geometry,
    crs: pyproj.CRS,
    share: float,
) -> WrongPlace:
    other = town_of(shapes, _all_boundaries())
    fits = crs_that_fits(raw.shapes, boundary)
    if other is not None and other != town.name:
        hint = f"They lie in {other}."
    elif fits is not None:
        hint = f"Read as {fits} they would lie in it: state it with --crs."
    else:
        hint = "No usual coordinate system puts them there."
    return WrongPlace(
        f"{share:.0%} of the parcels lie outside {town.name} when read as {crs_name(crs)}. {hint}",
        share_outside=share,
        lies_in=other,
        fitting_crs=fits,
    )


def _all_boundaries() -> Mapping[str, shapely.Geometry]:
    rows = Town.objects.filter(boundary__isnull=False).values_list("name", "boundary")
    return {name: shapely.from_wkb(bytes(wkb)) for name, wkb in rows if wkb}


def _listed(cells: Mapping[str, object]) -> str:
    names = list(cells)
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more if names else "no columns"


def _short(crs: str) -> str:
    parsed = parse_crs(crs)
    return crs_name(parsed) if parsed is not None else repr(crs[:60])
