"""The coordinate system of a parcel file: which it is, and whether the parcels then lie in the town."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.exceptions import CRSError

from gis.fabric.rules.repair import Mask, Shapes
from gis.fabric.rules.units import WORKING_EPSG

OUTSIDE_TOLERANCE_FT: Final = 1_000.0
"""A parcel this far from the town's boundary is not the town's. The published boundaries are simplified:
Hamden's farthest parcel lies 274 ft outside of its own (tests/gis/fabric/test_real_towns.py)."""

WRONG_FILE_SHARE: Final = 0.5
"""With this share of the parcels outside, the file's coordinates or the town are wrong, not its rows."""

# Systems in which Connecticut towns and the state have published parcels, tried in this order for a hint.
LIKELY_EPSG: Final = (2234, 6434, 26956, 6433, 3857, 4326, 4269, 26918, 32618)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a layer's parcels lie.

    Attributes
    ----------
    outside
        True where a parcel is farther from the town than the tolerance, or has no finite coordinates.
    share_outside
        Of the rows that have a shape.
    wrong
        True when so many lie outside that the file, not its rows, is at fault.
    """

    outside: Mask
    share_outside: float
    wrong: bool


def parse_crs(text: str) -> pyproj.CRS | None:
    """Coordinate system of an EPSG number, ``EPSG:n`` or WKT; None when it cannot be read or is local."""
    stated = text.strip()
    try:
        crs = pyproj.CRS.from_user_input(int(stated) if stated.isdigit() else stated)
    except CRSError:
        return None
    flat = crs.to_2d() if not crs.is_bound else crs
    return flat if flat.is_geographic or flat.is_projected else None


def crs_name(crs: pyproj.CRS) -> str:
    """``EPSG:2234 (NAD83 / Connecticut (ftUS))``, or the name alone when it has no EPSG number."""
    epsg = crs.to_epsg()
    return f"EPSG:{epsg} ({crs.name})" if epsg else str(crs.name)


def reproject(shapes: Shapes, crs: pyproj.CRS) -> Shapes:
    """Shapes in EPSG:2234 from `crs`, x then y. Coordinates that cannot be projected become infinite."""
    if crs.to_epsg() == WORKING_EPSG:
        return shapes
    transformer = pyproj.Transformer.from_crs(crs, WORKING_EPSG, always_xy=True)

    def to_working(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    return np.asarray(shapely.transform(shapes, to_working), dtype=object)


def place(shapes: Shapes, town: shapely.Geometry, *, tolerance_ft: float = OUTSIDE_TOLERANCE_FT) -> Placement:
    """Compare parcels with the town's boundary, both in EPSG:2234.

    Invalid polygons may come in: the distance is from the parcel's box to the town, which is never farther
    than the parcel itself.
    """
    present = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    bounds = shapely.bounds(shapes)
    finite = np.isfinite(bounds).all(axis=1)
    near = np.zeros(len(shapes), dtype=bool)
    grown = shapely.buffer(town, tolerance_ft)
    shapely.prepare(grown)
    near[finite] = shapely.intersects(grown, shapely.box(*bounds[finite].T))
    outside = present & ~near
    share = float(outside.sum() / present.sum()) if present.any() else 0.0
    return Placement(outside=outside, share_outside=share, wrong=share >= WRONG_FILE_SHARE)


def town_of(shapes: Shapes, towns: Mapping[str, shapely.Geometry]) -> str | None:
    """Name of the town in which most of the parcels' middles lie, or None when they lie in no town."""
    middle = _median_middle(shapes)
    if middle is None:
        return None
    return next((name for name, shape in towns.items() if shapely.contains(shape, middle)), None)


def crs_that_fits(shapes: Shapes, town: shapely.Geometry) -> str | None:
    """Coordinate system in which `shapes`, as they stand in the file, would lie in the town.

    Returns
    -------
    str or None
        For instance ``EPSG:6434``, or ``EPSG:4326 with latitude before longitude``; None when none fits.
    """
    middle = _median_middle(shapes)
    if middle is None:
        return None
    swapped = shapely.Point(middle.y, middle.x)
    grown = shapely.buffer(town, OUTSIDE_TOLERANCE_FT)
    for epsg in LIKELY_EPSG:
        crs = pyproj.CRS.from_epsg(epsg)
        for point, remark in ((middle, ""), (swapped, _swap_remark(crs))):
            moved = reproject(np.array([point], dtype=object), crs)[0]
            if np.isfinite([moved.x, moved.y]).all() and shapely.intersects(grown, moved):
                return f"EPSG:{epsg}{remark}"
    return None


def _swap_remark(crs: pyproj.CRS) -> str:
    first, second = ("latitude", "longitude") if crs.is_geographic else ("north", "east")
    return f" with {first} before {second}"


def _median_middle(shapes: Shapes) -> shapely.Point | None:
    """Median of the boxes' middles: a few stray parcels do not move it."""
    bounds = shapely.bounds(shapes)
    finite = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(finite):
        return None
    return shapely.Point(
        float(np.median(finite[:, [0, 2]].mean(axis=1))), float(np.median(finite[:, [1, 3]].mean(axis=1)))
    )
