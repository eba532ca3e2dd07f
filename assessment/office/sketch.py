"""Drawing a building's sketch: from section polygons in feet to the shapes of an SVG.

Plain geometry: no Django, no clock, no I/O. The picture has y pointing down, so feet north are
turned over; lengths stay in feet and the SVG's view box scales them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shapely.geometry import Polygon
from shapely.ops import polylabel

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

    A wall's length stands inside its own section beside the wall, so that lengths of adjoining
    sections never overlap. Coordinates are rounded to a hundredth of a foot.
    """
    drawn = [section for section in sections if len(section.corners) >= 3]
    if not drawn:
        return None
    xs = [x for section in drawn for x, _ in section.corners]
    ys = [-y for section in drawn for _, y in section.corners]
    span = max(max(xs) - min(xs), max(ys) - min(ys), 1.0)
    font = round(span / 30, 2)
    pad = span * 0.04
    box = (min(xs) - pad, min(ys) - pad, max(xs) - min(xs) + 2 * pad, max(ys) - min(ys) + 2 * pad)
    walls, labels, dimensions = [], [], []
    for section in drawn:
        corners = [(x, 0.0 - y) for x, y in section.corners]
        walls.append(Wall(_path(corners), section.is_living_area))
        labels.extend(_labels(section, corners, font))
        dimensions.extend(_dimensions(corners, font))
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


def _labels(section: SketchSection, corners: Sequence[Point], font: float) -> list[Text]:
    shape = Polygon(corners)
    place = polylabel(shape, tolerance=font / 2) if shape.is_valid and shape.area > 0 else shape.centroid
    lines = [section.label]
    if section.area_sqft is not None:
        lines.append(f"{section.area_sqft:,.0f}")
    top = place.y - font * 0.6 * (len(lines) - 1)
    return [
        Text(line, round(place.x, 2), round(top + number * font * 1.2, 2))
        for number, line in enumerate(lines)
    ]


def _dimensions(corners: Sequence[Point], font: float) -> list[Text]:
    clockwise = _signed_area(corners) > 0
    found = []
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = math.hypot(x2 - x1, y2 - y1)
        if length < SHORTEST_LABELLED_FT:
            continue
        inward = (-(y2 - y1) / length, (x2 - x1) / length)
        if not clockwise:
            inward = (-inward[0], -inward[1])
        angle = math.degrees(math.atan2(y2 - y1, x2 - x1))
        upright = (angle + 90) % 180 - 90
        x, y = (x1 + x2) / 2 + inward[0] * font * 0.7, (y1 + y2) / 2 + inward[1] * font * 0.7
        found.append(Text(format_feet(length), round(x, 2), round(y, 2), round(upright, 1)))
    return found


def _signed_area(corners: Sequence[Point]) -> float:
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs) / 2
