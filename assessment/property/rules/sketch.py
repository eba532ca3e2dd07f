"""A building's sketch: closure, area, perimeter, and areas weighted by what a section is.

RCSA 12-62f-4 asks for a sketch closure check and for automatic total and living areas. Lengths in feet,
areas in square feet. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot

Point = tuple[float, float]
_TOLERANCE_FT = 0.05


class SketchError(ValueError):
    """The sketch is no closed, simple polygon; the message says why."""


@dataclass(frozen=True, slots=True)
class SectionFactors:
    """What share of a section's area counts, as a town's code table says.

    Attributes
    ----------
    living_share, effective_share
        1 counts all of it; 0 nothing.
    """

    living_share: float
    effective_share: float


@dataclass(frozen=True, slots=True)
class BuildingAreas:
    """The areas of a building, by its sections; whole square feet."""

    gross_area_sqft: int
    living_area_sqft: int
    effective_area_sqft: int


def closure_gap_ft(walls: Iterable[Sequence[float]]) -> float:
    """Return how far the end of the last wall is from the start of the first; walls are (dx, dy) steps."""
    steps = list(walls)
    return hypot(sum(step[0] for step in steps), sum(step[1] for step in steps))


def points_of_walls(walls: Sequence[Sequence[float]], start: Point = (0.0, 0.0)) -> list[Point]:
    """Return the corners of a walk along walls, the first not repeated.

    Raises
    ------
    SketchError
        The walls do not come back to where they began.
    """
    gap = closure_gap_ft(walls)
    if gap > _TOLERANCE_FT:
        raise SketchError(f"The walls do not close: {gap:.2f} ft are missing.")
    points, (x, y) = [start], start
    for step in walls[:-1]:
        x, y = x + step[0], y + step[1]
        points.append((x, y))
    return points


def check_polygon(points: Sequence[Sequence[float]]) -> list[Point]:
    """Return the corners as pairs, without a repeated last one.

    Raises
    ------
    SketchError
        There are fewer than three corners, a corner is no pair of numbers, the area is nothing, or walls cross.
    """
    try:
        corners = [(float(x), float(y)) for x, y in points]
    except (TypeError, ValueError) as error:
        raise SketchError("A corner is not a pair of numbers.") from error
    if any(value != value or abs(value) > 100_000 for corner in corners for value in corner):
        raise SketchError("A corner is not a place within 100,000 ft.")
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    if len(corners) < 3:
        raise SketchError("A section needs at least three corners.")
    if area_sqft(corners) < _TOLERANCE_FT:
        raise SketchError("The section has no area.")
    if _walls_cross(corners):
        raise SketchError("Two walls of the section cross.")
    return corners


def area_sqft(points: Sequence[Sequence[float]]) -> float:
    """Return the area of a simple polygon by the shoelace formula, whichever way it runs."""
    total = 0.0
    for (x1, y1), (x2, y2) in _walls(points):
        total += x1 * y2 - x2 * y1
    return abs(total) / 2


def perimeter_ft(points: Sequence[Sequence[float]]) -> float:
    """Return the length of all walls."""
    return sum(hypot(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in _walls(points))


def weigh_areas(
    sections: Iterable[tuple[str, float]], factors: Mapping[str, SectionFactors]
) -> BuildingAreas | None:
    """Return the areas of a building, or None when the table has no factors for one of its sections.

    Parameters
    ----------
    sections
        Label and area in square feet of each section.
    factors
        By label.
    """
    gross = living = effective = 0.0
    for label, area in sections:
        factor = factors.get(label)
        if factor is None:
            return None
        gross += area
        living += area * factor.living_share
        effective += area * factor.effective_share
    return BuildingAreas(_whole(gross), _whole(living), _whole(effective))


def _whole(area: float) -> int:
    return int(area + 0.5)


def _walls(points: Sequence[Sequence[float]]) -> Iterable[tuple[Sequence[float], Sequence[float]]]:
    return zip(points, [*points[1:], points[0]], strict=True)


def _walls_cross(corners: list[Point]) -> bool:
    walls = [(tuple(a), tuple(b)) for a, b in _walls(corners)]
    count = len(walls)
    for first in range(count):
        for second in range(first + 2, count):
            if first == 0 and second == count - 1:
                continue
            if _cross(*walls[first], *walls[second]):
                return True
    return False


def _cross(a: Sequence[float], b: Sequence[float], c: Sequence[float], d: Sequence[float]) -> bool:
    def side(p: Sequence[float], q: Sequence[float], r: Sequence[float]) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
