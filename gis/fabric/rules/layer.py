"""From the rows of a parcel file to parcels ready to keep: place, check, refuse, repair, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import GeometryType

from gis.fabric.rules.columns import Columns, find_columns, plain_text
from gis.fabric.rules.crs import Placement, place
from gis.fabric.rules.kinds import FindingKind
from gis.fabric.rules.repair import Mask, Shapes
from gis.fabric.rules.rows import Refusal, RefusedRow, good_rows, refuse_rows
from gis.fabric.rules.topology import (
    Finding,
    TopologyReport,
    differs_from_stated,
    examine,
)
from gis.fabric.rules.units import SQFT_PER_ACRE


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """One parcel of the file, ready to keep. Shapes are in EPSG:2234, valid; areas in square feet."""

    row: int
    key: str
    shape: shapely.Geometry
    original: shapely.Geometry | None
    is_multipart: bool
    address: str
    kind: str
    use: str
    aliases: Mapping[str, str]
    attributes: Mapping[str, Any]

    @property
    def is_repaired(self) -> bool:
        """Whether `shape` is a repair of `original`."""
        return self.original is not None

    @property
    def area_sqft(self) -> float:
        """Area of the repaired shape."""
        return float(shapely.area(self.shape))


@dataclass(frozen=True, slots=True)
class PreparedLayer:
    """What can be kept of a layer, what cannot, and what was found."""

    columns: Columns
    parcels: list[ParcelRow]
    refused: list[RefusedRow]
    topology: TopologyReport
    placement: Placement | None


def locate(shapes: Shapes, boundary: shapely.Geometry | None) -> Placement | None:
    """Placement of a layer in its town, or None for a town without a known boundary."""
    return None if boundary is None else place(shapes, boundary)


def prepare_layer(
    cells: Mapping[str, Sequence[Any]],
    shapes: Shapes,
    *,
    unreadable: Mask,
    placement: Placement | None,
    identifier: str | None = None,
) -> PreparedLayer:
    """Check every row of a layer, repair what can be repaired, and report on its topology.

    Parameters
    ----------
    cells
        Values by column name.
    shapes
        Shapes in EPSG:2234, as read; None where a row has none.
    unreadable
        True where the file had bytes that are no shape.
    placement
        Where the rows lie; None where the town has no known boundary.
    identifier
        Name of the identifying column, when stated; otherwise it is found.

    Returns
    -------
    PreparedLayer
        Findings refer to rows by position. Overlaps and gaps are looked for among all rows that have a
        usable shape in the town, also those refused for their identifier.

    Raises
    ------
    KeyError
        `identifier` names no column.
    """
    if identifier is not None and identifier not in cells:
        raise KeyError(identifier)
    columns = find_columns(cells, identifier=identifier)
    keys = _texts(cells, columns.identifier, len(shapes))
    outside = np.zeros(len(shapes), dtype=bool) if placement is None else placement.outside
    usable = _usable(shapes, outside)
    candidates = shapes.copy()
    candidates[~usable] = None
    topology = examine(candidates)
    landless = usable & shapely.is_missing(topology.repaired.shapes)
    refused = refuse_rows(
        keys, shapes, unreadable=unreadable, outside=outside | _boundless(shapes), landless=landless
    )
    parcels = _parcel_rows(cells, columns, keys, shapes, topology, good_rows(len(shapes), refused))
    stated = _stated_area_findings(parcels, cells, columns)
    return PreparedLayer(
        columns, parcels, refused, TopologyReport(topology.repaired, [*topology.findings, *stated]), placement
    )


def _usable(shapes: Shapes, outside: Mask) -> Mask:
    """Rows whose shape may enter the overlays: a polygon with finite coordinates, in the town."""
    polygon = np.isin(shapely.get_type_id(shapes), (GeometryType.POLYGON, GeometryType.MULTIPOLYGON))
    return np.asarray(polygon & ~shapely.is_empty(shapes) & ~_boundless(shapes) & ~outside, dtype=bool)


def _boundless(shapes: Shapes) -> Mask:
    """Shapes with a coordinate that is no finite number: they lie nowhere."""
    present = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return np.asarray(present & ~np.isfinite(shapely.bounds(shapes)).all(axis=1), dtype=bool)


def _parcel_rows(
    cells: Mapping[str, Sequence[Any]],
    columns: Columns,
    keys: list[str],
    shapes: Shapes,
    topology: TopologyReport,
    good: Mask,
) -> list[ParcelRow]:
    addresses = _texts(cells, columns.address, len(keys))
    kinds = _texts(cells, columns.kind, len(keys))
    uses = _texts(cells, columns.use, len(keys))
    aliases = {name: _texts(cells, name, len(keys)) for name in columns.aliases}
    mended = topology.repaired
    parts = shapely.get_num_geometries(shapes)
    return [
        ParcelRow(
            row=position + 1,
            key=keys[position],
            shape=mended.shapes[position],
            original=shapes[position] if mended.was_invalid[position] else None,
            is_multipart=bool(parts[position] > 1),
            address=addresses[position],
            kind=kinds[position],
            use=uses[position],
            aliases={name: texts[position] for name, texts in aliases.items() if texts[position]},
            attributes={name: values[position] for name, values in cells.items()},
        )
        for position in np.flatnonzero(good).tolist()
    ]


def _stated_area_findings(
    parcels: list[ParcelRow], cells: Mapping[str, Sequence[Any]], columns: Columns
) -> list[Finding]:
    if columns.acres is None or not parcels:
        return []
    values = cells[columns.acres]
    stated = np.array([_number(values[parcel.row - 1]) for parcel in parcels])
    area = np.array([parcel.area_sqft for parcel in parcels])
    differing = differs_from_stated(area, stated * SQFT_PER_ACRE)
    return [
        Finding(
            FindingKind.STATED_AREA,
            (parcels[position].row - 1,),
            area_sqft=float(area[position]),
            detail=f"the file states {stated[position]:.4g} acres",
            location=_middle(parcels[position].shape),
        )
        for position in np.flatnonzero(differing)
    ]


def _texts(cells: Mapping[str, Sequence[Any]], column: str | None, row_count: int) -> list[str]:
    if column is None:
        return [""] * row_count
    return [plain_text(value) for value in cells[column]]


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return float("nan")


def _middle(shape: shapely.Geometry) -> tuple[float, float]:
    point = shapely.point_on_surface(shape)
    return (float(point.x), float(point.y))


__all__ = ["ParcelRow", "PreparedLayer", "Refusal", "locate", "prepare_layer"]
