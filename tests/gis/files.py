"""Small parcel files in every format, cut from the real layers or drawn for a fault."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from pyogrio import raw

from gis.fabric.rules.repair import Shapes
from tests.gis.conftest import RealTown

DRIVERS = {
    ".gpkg": "GPKG",
    ".shp": "ESRI Shapefile",
    ".geojson": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".gdb": "OpenFileGDB",
}


def write_layer(
    path: Path,
    shapes: Sequence[shapely.Geometry | None] | Shapes,
    cells: Mapping[str, Sequence[Any]],
    *,
    crs: str | None = "EPSG:2234",
    layer: str = "parcels",
    append: bool = False,
) -> Path:
    """Write shapes and cells with the driver of the path's suffix."""
    with warnings.catch_warnings():
        # A missing coordinate system, or names and numbers cut to what the format can hold, are wanted here.
        warnings.simplefilter("ignore")
        _write(path, shapes, cells, crs=crs, layer=layer, append=append)
    return path


def _write(
    path: Path,
    shapes: Sequence[shapely.Geometry | None] | Shapes,
    cells: Mapping[str, Sequence[Any]],
    **options: Any,
) -> None:
    raw.write(
        path,
        np.array([None if shape is None else shapely.to_wkb(shape) for shape in shapes], dtype=object),
        [np.array(values) for values in cells.values()],
        list(cells),
        geometry_type="Unknown" if path.suffix in (".gpkg", ".geojson") else "MultiPolygon",
        driver=DRIVERS[path.suffix],
        **options,
    )


def excerpt(town: RealTown, rows: slice | Sequence[int]) -> tuple[list[Any], dict[str, list[Any]]]:
    """Some rows of a real layer: shapes in EPSG:2234, and all cells."""
    positions = np.arange(town.raw.row_count)[rows]
    return (
        [town.shapes[position] for position in positions],
        {name: [values[position] for position in positions] for name, values in town.raw.cells.items()},
    )


def in_degrees(shapes: Sequence[Any], *, swapped: bool = False) -> list[Any]:
    """Shapes of EPSG:2234 in EPSG:4326, x then y unless swapped."""
    there = pyproj.Transformer.from_crs(2234, 4326, always_xy=True)

    def move(xy: np.ndarray) -> np.ndarray:
        lon_lat = np.column_stack(there.transform(xy[:, 0], xy[:, 1]))
        return lon_lat[:, ::-1] if swapped else lon_lat

    return [shapely.transform(shape, move) for shape in shapes]
