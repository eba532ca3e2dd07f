"""Drawing a building's sketch: from section polygons in feet to the shapes of an SVG.

Plain geometry: no Django, no clock, no I/O. The picture has y pointing down, so feet north are
turned over; lengths stay in feet and the SVG's view box scales them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapely.geometry import LinearRing, Polygon
    from shapely.geometry import Point as Point2

Point = tuple[float, float]
SHORTEST_LABELLED_FT = 1.0


@dataclass(frozen=True)
class SketchSection:
    """One section of a building: label, ring of corners in feet (first corner not repeated), area."""

    label: str
    corners: Sequence[Point]
    area_sqft: float | None = None
    note: str = ""
    is_living_area: bool = True


@dataclass(frozen=True)
class Text:
    """A text of the drawing; ``rotate`` in degrees about its own place."""

    text: str
    x: float
    y: float
    rotate: float = 0.0


@dataclass(frozen=True)
class Wall:
    """The outline of a section as SVG path data."""

    path: str
    is_living_area: bool


@dataclass(frozen=True)
class Drawing:
    """What the template writes: a view box, font size in feet, outlines, labels and dimensions."""

    view_box: str
    font_size: float
    walls: tuple[Wall, ...]
    labels: tuple[Text, ...]
    dimensions: tuple[Text, ...]
    description: str


def draw_sketch(sections: Sequence[SketchSection]) -> Drawing | None:
    """Return the drawing of a building's sections; None when no section has three corners.

    Stories of one outline are drawn once, with their labels from the top down. A wall's length stands
    inside its section beside the wall; where a section is too small for that it stands outside, without
    the walls that it shares with another. Coordinates are rounded to a hundredth of a foot.
    """
    from shapely.geometry import Polygon  # here: a web worker that draws no sketch stays small

    drawn = [section for section in sections if len(section.corners) >= 3]
    if not drawn:
        return None
    xs = [x for section in drawn for x, _ in section.corners]
    ys = [-y for section in drawn for _, y in section.corners]
    span = max(max(xs) - min(xs), max(ys) - min(ys), 1.0)
    font = round(span / 30, 2)
    pad = max(span * 0.04, font * 1.6)
    box = (min(xs) - pad, min(ys) - pad, max(xs) - min(xs) + 2 * pad, max(ys) - min(ys) + 2 * pad)
    walls, labels, dimensions = [], [], []
    outlines = _outlines(drawn)
    shapes = [Polygon(outline.corners) for outline in outlines]
    for place, outline in enumerate(outlines):
        is_small = _is_small(shapes[place], font)
        walls.append(Wall(_path(outline.corners), outline.is_living_area))
        labels.extend(_labels(outline, shapes[place], font, with_area=not is_small))
        others = [shape.exterior for at, shape in enumerate(shapes) if at != place] if is_small else []
        dimensions.extend(_dimensions(outline.corners, font, outside=is_small, shared_with=others))
    return Drawing(
        view_box=" ".join(f"{value:.2f}" for value in box),
        font_size=font,
        walls=tuple(walls),
        labels=tuple(labels),
        dimensions=tuple(dimensions),
        description="; ".join(_describe(section) for section in drawn),
    )


def format_feet(length: float) -> str:
    """Return a length as it is written on a sketch: ``24`` or ``7.5``."""
    return f"{length:.1f}".removesuffix(".0")


def _describe(section: SketchSection) -> str:
    area = f", {section.area_sqft:,.0f} square feet" if section.area_sqft is not None else ""
    return f"{section.label}{area}"


def _path(corners: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in corners) + "Z"


@dataclass(frozen=True)
class _Outline:
    """One shape of the drawing, in the picture's coordinates, with the sections that lie on each other."""

    corners: Sequence[Point]
    label: str
    area_sqft: float | None
    is_living_area: bool


def _outlines(sections: Sequence[SketchSection]) -> list[_Outline]:
    stacks: dict[frozenset[Point], list[SketchSection]] = {}
    for section in sections:
        key = frozenset((round(x, 2), round(y, 2)) for x, y in section.corners)
        stacks.setdefault(key, []).append(section)
    return [
        _Outline(
            [(x, 0.0 - y) for x, y in stack[0].corners],
            "/".join(section.label for section in reversed(stack)),
            stack[0].area_sqft,
            any(section.is_living_area for section in stack),
        )
        for stack in stacks.values()
    ]


def _is_small(shape: Polygon, font: float) -> bool:
    """Whether label and lengths do not fit inside together."""
    west, north, east, south = shape.bounds
    return min(east - west, south - north) < 6 * font


def _labels(outline: _Outline, shape: Polygon, font: float, *, with_area: bool) -> list[Text]:
    place = _middle(shape, font)
    lines = [outline.label]
    if with_area and outline.area_sqft is not None:
        lines.append(f"{outline.area_sqft:,.0f}")
    top = place.y - font * 0.6 * (len(lines) - 1)
    x = round(place.x, 2)
    return [Text(line, x, round(top + number * font * 1.2, 2)) for number, line in enumerate(lines)]


def _middle(shape: Polygon, font: float) -> Point2:
    """Return the centroid, or the point farthest from the walls where the centroid is too near to one."""
    if not shape.is_valid or shape.area == 0:
        return shape.centroid
    from shapely.ops import polylabel

    inner = polylabel(shape, tolerance=font / 2)
    walls, centroid = shape.exterior, shape.centroid
    is_well_inside = shape.contains(centroid) and walls.distance(centroid) > 0.85 * walls.distance(inner)
    return centroid if is_well_inside else inner


def _dimensions(
    corners: Sequence[Point], font: float, *, outside: bool, shared_with: Sequence[LinearRing]
) -> list[Text]:
    from shapely.geometry import Point as Point2

    turned = (_signed_area(corners) > 0) == outside
    found = []
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = math.hypot(x2 - x1, y2 - y1)
        middle = Point2((x1 + x2) / 2, (y1 + y2) / 2)
        if length < SHORTEST_LABELLED_FT or any(ring.distance(middle) < 0.1 for ring in shared_with):
            continue
        away = (-(y2 - y1) / length, (x2 - x1) / length)
        if turned:
            away = (-away[0], -away[1])
        angle = math.degrees(math.atan2(y2 - y1, x2 - x1))
        upright = (angle + 90) % 180 - 90
        x, y = middle.x + away[0] * font * 0.7, middle.y + away[1] * font * 0.7
        found.append(Text(format_feet(length), round(x, 2), round(y, 2), round(upright, 1)))
    return found


def _signed_area(corners: Sequence[Point]) -> float:
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs) / 2
