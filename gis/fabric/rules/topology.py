"""The topology report of a parcel layer: where polygons overlap, leave gaps or are the same twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from gis.fabric.rules.kinds import FindingKind
from gis.fabric.rules.repair import Repaired, Shapes, repair
from gis.fabric.rules.units import SQFT_PER_SQM

OVERLAP_FLOOR_SQFT: Final = 0.5 * SQFT_PER_SQM
"""Smaller overlaps are rounding of coordinates, not land claimed twice (0.5 m2)."""

SLIVER_CEILING_SQFT: Final = 50 * SQFT_PER_SQM
"""An enclosed gap smaller than this (50 m2) is a drawing fault; a larger one may be a road or a pond."""

GAP_FLOOR_SQFT: Final = 1e-4 * SQFT_PER_SQM
"""Holes below a square centimetre come from floating-point noding and are not reported."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `rows` are positions (from 0) in the layer; `location` is x, y in EPSG:2234."""

    kind: FindingKind
    rows: tuple[int, ...]
    area_sqft: float | None = None
    detail: str = ""
    location: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class TopologyReport:
    """The repaired shapes and all that was found, in row order within each kind."""

    repaired: Repaired
    findings: list[Finding] = field(default_factory=list)

    def count(self, kind: FindingKind) -> int:
        """How many findings are of `kind`."""
        return sum(finding.kind is kind for finding in self.findings)

    def counts(self) -> dict[str, int]:
        """Findings by kind, every kind named, also with none."""
        return {kind.value: self.count(kind) for kind in FindingKind}


def examine(shapes: Shapes) -> TopologyReport:
    """Repair a layer's polygons and report its faults.

    Pairs come from one STR tree query and areas from vectorised overlay, so cost grows as n log n.
    Overlaps and gaps are looked for between the repaired shapes.

    Parameters
    ----------
    shapes
        Polygons and multipolygons in EPSG:2234, None where a row has no shape.

    Returns
    -------
    TopologyReport
        Golden figures: West Hartford 97 invalid, 116 multiparts, 9 overlaps (44 m2), 11 enclosed gaps of
        which 9 are slivers; Hamden 0, 4, 0 (tests/gis/fabric/test_real_towns.py).
    """
    mended = repair(shapes)
    findings = [
        *_invalid(mended),
        *_multiparts(shapes),
        *_duplicate_shapes(mended.shapes),
        *_overlaps(mended.shapes),
        *_enclosed_gaps(mended.shapes),
    ]
    return TopologyReport(mended, findings)


def differs_from_stated(
    area_sqft: npt.NDArray[np.float64], stated_sqft: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Where a shape's area is off the area the file states by over 10 % and over a tenth of an acre."""
    off = np.abs(area_sqft - stated_sqft)
    known = np.isfinite(area_sqft) & np.isfinite(stated_sqft) & (stated_sqft > 0)
    return known & (off > 0.1 * stated_sqft) & (off > 4_356.0)


def _invalid(mended: Repaired) -> list[Finding]:
    return [
        Finding(
            FindingKind.INVALID,
            (int(row),),
            area_sqft=_area_or_none(mended.shapes[row]),
            detail=str(mended.reasons[row]),
            location=_place(mended.locations[row]),
        )
        for row in np.flatnonzero(mended.was_invalid)
    ]


def _multiparts(shapes: Shapes) -> list[Finding]:
    parts = shapely.get_num_geometries(shapes)
    return [
        Finding(
            FindingKind.MULTIPART, (int(row),), detail=f"{parts[row]} parts", location=_inside(shapes[row])
        )
        for row in np.flatnonzero(parts > 1)
    ]


def _duplicate_shapes(shapes: Shapes) -> list[Finding]:
    """Rows whose polygon is the same ground as an earlier row's, whatever vertex it starts at."""
    first: dict[bytes, int] = {}
    findings = []
    for row, wkb in enumerate(shapely.to_wkb(shapely.normalize(shapes))):
        if wkb is None:
            continue
        earlier = first.setdefault(wkb, row)
        if earlier != row:
            shape = shapes[row]
            findings.append(
                Finding(
                    FindingKind.DUPLICATE_SHAPE, (earlier, row), float(shape.area), location=_inside(shape)
                )
            )
    return findings


def _overlaps(shapes: Shapes) -> list[Finding]:
    left, right = _touching_pairs(shapes)
    # "Interiors meet" is answered from prepared geometries; only those few pairs are worth an overlay.
    meet = shapely.relate_pattern(shapes[left], shapes[right], "T********")
    left, right = left[meet], right[meet]
    shared = shapely.intersection(shapes[left], shapes[right])
    areas = shapely.area(shared)
    same = shapely.equals(shapes[left], shapes[right])
    return [
        Finding(
            FindingKind.OVERLAP,
            (int(left[pair]), int(right[pair])),
            area_sqft=float(areas[pair]),
            location=_inside(shared[pair]),
        )
        for pair in np.flatnonzero((areas > OVERLAP_FLOOR_SQFT) & ~same)
    ]


def _touching_pairs(shapes: Shapes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    order = np.lexsort((right[once], left[once]))
    return left[once][order], right[once][order]


def _enclosed_gaps(shapes: Shapes) -> list[Finding]:
    """Holes in the union of all parcels: ground that the parcels around it enclose and none covers."""
    union = shapely.union_all(shapes[~shapely.is_missing(shapes)])
    rings = [ring for part in shapely.get_parts(union) for ring in part.interiors]
    if not rings:
        return []
    holes = shapely.polygons(rings)
    hole_of, row_of = shapely.STRtree(shapes).query(holes, predicate="intersects")
    findings = []
    for position, hole in enumerate(holes):
        around = row_of[hole_of == position]
        # A block of parcels may stand as an island inside the hole; only the ground between is a gap.
        ground = shapely.difference(hole, shapely.union_all(shapes[around]))
        if ground.area <= GAP_FLOOR_SQFT:
            continue
        kind = FindingKind.SLIVER if ground.area < SLIVER_CEILING_SQFT else FindingKind.GAP
        rows = tuple(sorted(int(row) for row in around))
        findings.append(Finding(kind, rows, area_sqft=float(ground.area), location=_inside(ground)))
    return findings


def _inside(shape: shapely.Geometry) -> tuple[float, float] | None:
    point = shapely.point_on_surface(shape)
    return None if point is None or point.is_empty else (float(point.x), float(point.y))


def _place(xy: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    return (float(xy[0]), float(xy[1])) if bool(np.isfinite(xy).all()) else None


def _area_or_none(shape: shapely.Geometry | None) -> float | None:
    return None if shape is None else float(shapely.area(shape))
