"""Draw parcels of a window of the land as SVG path data. Shapes are in EPSG:2234; y turns to point down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import shapely

from gis.boxes import Box

# The property fills about half of the map's width, and its surroundings are never less than a house lot or two.
_SHARE_OF_WINDOW: Final = 0.45
_NARROWEST_FT: Final = 300.0
_LABEL_PX: Final = 26.0
_NICE_LENGTHS_FT: Final = (25, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000)


@dataclass(frozen=True, slots=True)
class Drawable:
    """A parcel to draw: its shape, what to write in it, and whose card it leads to.

    Attributes
    ----------
    is_this
        Whether it belongs to the property that the map is of.
    property_id
        A property on it, None when there is none or several.
    """

    shape: shapely.Geometry
    parcel_key: str
    address: str
    label: str
    is_this: bool
    property_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MapParcel:
    """One parcel as drawn; `path` is SVG path data in pixels."""

    path: str
    parcel_key: str
    address: str
    is_this: bool
    is_neighbour: bool
    property_id: UUID | None


@dataclass(frozen=True, slots=True)
class MapLabel:
    """A text at a place, in pixels."""

    text: str
    x: float
    y: float
    is_this: bool


@dataclass(frozen=True, slots=True)
class SiteMap:
    """What the template writes: size, parcels (this property's last, so that they lie on top), labels, scale.

    Attributes
    ----------
    scale_ft, scale_px
        A round length on the ground and its length on the map.
    acres
        Area of this property's parcels as drawn.
    """

    width_px: int
    height_px: int
    parcels: tuple[MapParcel, ...]
    labels: tuple[MapLabel, ...]
    scale_ft: int
    scale_px: float
    acres: float
    description: str


def window_around(boxes: Sequence[Box], *, width_px: int, height_px: int) -> Box:
    """Window with the picture's proportions, around the boxes of a property's parcels."""
    if not boxes:
        raise ValueError("a map needs at least one parcel")
    min_x, min_y = min(box.min_x for box in boxes), min(box.min_y for box in boxes)
    max_x, max_y = max(box.max_x for box in boxes), max(box.max_y for box in boxes)
    aspect = width_px / height_px
    width = max(max_x - min_x, (max_y - min_y) * aspect) / _SHARE_OF_WINDOW
    width = max(width, _NARROWEST_FT)
    height = width / aspect
    x, y = (min_x + max_x) / 2, (min_y + max_y) / 2
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def draw(
    parcels: Sequence[Drawable], window: Box, *, width_px: int, height_px: int, acres: float, description: str
) -> SiteMap:
    """Draw parcels cut to the window.

    Lines are simplified to half a pixel, and a label is written only where it has room.
    """
    feet_per_pixel = (window.max_x - window.min_x) / width_px
    grown = window.grown(8 * feet_per_pixel)  # border lines at the edge stay outside of the picture
    shapes = np.array([parcel.shape for parcel in parcels], dtype=object)
    cut = shapely.simplify(shapely.clip_by_rect(shapes, *grown), feet_per_pixel / 2)
    drawn = shapely.transform(cut, lambda xy: _to_pixels(xy, window, feet_per_pixel))
    this = shapely.union_all(shapes[[parcel.is_this for parcel in parcels]])
    beside = shapely.intersects(shapes, this)
    order = sorted(range(len(parcels)), key=lambda place: parcels[place].is_this)
    return SiteMap(
        width_px=width_px,
        height_px=height_px,
        parcels=tuple(
            MapParcel(
                path=path_data(drawn[place]),
                parcel_key=parcels[place].parcel_key,
                address=parcels[place].address,
                is_this=parcels[place].is_this,
                is_neighbour=bool(beside[place]) and not parcels[place].is_this,
                property_id=parcels[place].property_id,
            )
            for place in order
            if not drawn[place].is_empty
        ),
        labels=tuple(
            label for place in order if (label := _label(parcels[place], drawn[place], width_px, height_px))
        ),
        scale_ft=(length := _nice_length(feet_per_pixel * width_px / 4)),
        scale_px=round(length / feet_per_pixel, 1),
        acres=acres,
        description=description,
    )


def path_data(shape: shapely.Geometry) -> str:
    """SVG path data of a polygon's rings, coordinates to a tenth of a pixel; ``''`` for anything else."""
    rings: list[str] = []
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        for ring in (part.exterior, *part.interiors):
            corners = shapely.get_coordinates(ring)[:-1]
            rings.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z")
    return "".join(rings)


def _to_pixels(xy: np.ndarray, window: Box, feet_per_pixel: float) -> np.ndarray:
    return np.column_stack(
        ((xy[:, 0] - window.min_x) / feet_per_pixel, (window.max_y - xy[:, 1]) / feet_per_pixel)
    )


def _label(parcel: Drawable, drawn: shapely.Geometry, width_px: int, height_px: int) -> MapLabel | None:
    if not parcel.label:
        return None
    visible = shapely.clip_by_rect(drawn, 0, 0, width_px, height_px)
    biggest = max(shapely.get_parts(visible), key=shapely.area, default=None)
    if biggest is None or biggest.geom_type != "Polygon" or biggest.is_empty:
        return None
    room = 2 * math.sqrt(shapely.area(biggest) / math.pi)
    if room < _LABEL_PX:
        return None
    point = shapely.point_on_surface(biggest)
    return MapLabel(parcel.label, round(point.x, 1), round(point.y, 1), parcel.is_this)


def _nice_length(most_ft: float) -> int:
    return max((length for length in _NICE_LENGTHS_FT if length <= most_ft), default=_NICE_LENGTHS_FT[0])
