"""How one fabric of a town differs from the one before it, and which parcel came from which."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from gis.fabric.rules.kinds import Descent
from gis.fabric.rules.repair import Shapes
from gis.fabric.rules.units import SQFT_PER_SQM

COORDINATE_GRID_FT: Final = 0.001
"""Coordinates are compared to a thousandth of a foot: another format or ring order is no change."""

DESCENT_FLOOR_SQFT: Final = 10 * SQFT_PER_SQM
"""A smaller common area (10 m2) is a redrawn line, not descent."""

DESCENT_FLOOR_SHARE: Final = 0.05
"""Of the smaller of the two parcels: less common ground than this is no descent."""

SAME_GROUND_SHARE: Final = 0.95
"""Two parcels with this share of each in common are one parcel under another identifier."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Parcel keys by what happened to them between two fabrics, each list in sorted order."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    reshaped: tuple[str, ...]
    redescribed: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many parcels are not as they were."""
        return len(self.added) + len(self.removed) + len(self.reshaped) + len(self.redescribed)

    def counts(self) -> dict[str, int]:
        """Counts by kind of change, for reports."""
        return {
            "added": len(self.added),
            "removed": len(self.removed),
            "reshaped": len(self.reshaped),
            "redescribed": len(self.redescribed),
        }


@dataclass(frozen=True, slots=True)
class Line:
    """One line of descent. Positions are in the old and the new shapes; shares are of either's area."""

    parent: int
    child: int
    descent: Descent
    common_sqft: float
    share_of_parent: float
    share_of_child: float


def shape_digests(shapes: Shapes) -> list[str]:
    """Digest of each shape that does not depend on ring order, starting vertex or file format.

    A multipolygon of one part is that part: shapefiles know no other way to write it.
    """
    plain = np.where(shapely.get_num_geometries(shapes) == 1, shapely.get_geometry(shapes, 0), shapes)
    rounded = shapely.transform(plain, lambda xy: np.round(xy / COORDINATE_GRID_FT) * COORDINATE_GRID_FT)
    return [
        "" if wkb is None else hashlib.blake2b(wkb, digest_size=16).hexdigest()
        for wkb in shapely.to_wkb(shapely.normalize(rounded))
    ]


def words_digest(described: Mapping[str, object]) -> str:
    """Digest of a parcel's words (address, kind, attributes), whatever the order of its columns."""
    text = json.dumps(described, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def compare(old: Mapping[str, tuple[str, str]], new: Mapping[str, tuple[str, str]]) -> Differences:
    """Compare two fabrics, each as (shape digest, words digest) by parcel key."""
    both = sorted(old.keys() & new.keys())
    reshaped = tuple(key for key in both if old[key][0] != new[key][0])
    return Differences(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        reshaped=reshaped,
        redescribed=tuple(key for key in both if old[key][0] == new[key][0] and old[key][1] != new[key][1]),
    )


def trace(old: Shapes, new: Shapes, old_keys: Sequence[str], new_keys: Sequence[str]) -> list[Line]:
    """Lines of descent from old to new parcels by the ground they have in common.

    Give only the parcels that were removed, added or reshaped: one that stayed needs no line.

    Parameters
    ----------
    old, new
        Valid polygons in EPSG:2234.
    old_keys, new_keys
        Their parcel keys, in the same order.
    """
    child, parent = shapely.STRtree(old).query(new, predicate="intersects")
    common = shapely.area(shapely.intersection(old[parent], new[child]))
    of_parent = common / shapely.area(old[parent])
    of_child = common / shapely.area(new[child])
    telling = (common > DESCENT_FLOOR_SQFT) & (np.maximum(of_parent, of_child) > DESCENT_FLOOR_SHARE)
    child, parent, common = child[telling], parent[telling], common[telling]
    of_parent, of_child = of_parent[telling], of_child[telling]
    children = np.bincount(parent, minlength=len(old))
    parents = np.bincount(child, minlength=len(new))
    lines = [
        Line(
            parent=int(p),
            child=int(c),
            descent=_descent(
                same_key=old_keys[p] == new_keys[c],
                same_ground=bool(sp > SAME_GROUND_SHARE and sc > SAME_GROUND_SHARE),
                children=int(children[p]),
                parents=int(parents[c]),
            ),
            common_sqft=float(area),
            share_of_parent=float(sp),
            share_of_child=float(sc),
        )
        for p, c, area, sp, sc in zip(parent, child, common, of_parent, of_child, strict=True)
    ]
    return sorted(lines, key=lambda line: (line.parent, line.child))


def _descent(*, same_key: bool, same_ground: bool, children: int, parents: int) -> Descent:
    if same_ground:
        return Descent.REDRAWN if same_key else Descent.RENUMBERED
    if children > 1 and parents == 1:
        return Descent.SPLIT
    if parents > 1 and children == 1:
        return Descent.MERGED
    return Descent.REDRAWN
