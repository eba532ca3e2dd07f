"""Whether two outlines are the same shape, whoever drew them, from whichever corner, in either direction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Corners = list[tuple[float, float]]


def same_shape(left: Any, right: Any, snap_ft: float) -> bool:
    """Return whether no point of one outline is further than ``snap_ft`` from the other.

    Parameters
    ----------
    left, right
        Lists of corners in feet, the first repeated at the end or not; corners on a straight wall, the corner
        at which a list begins and the direction in which it runs say nothing. Anything that is no outline is
        only the same as itself.
    """
    if left == right:
        return True
    one, two = _corners(left), _corners(right)
    if one is None or two is None:
        return False
    if len(one) == len(two) and _fit(one, two, snap_ft):
        return True
    return _close_everywhere(one, two, snap_ft)


def _corners(value: Any) -> Corners | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    try:
        corners = [(float(x), float(y)) for x, y in value]
    except (TypeError, ValueError):
        return None
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    return corners if len(corners) >= 3 else None


def _fit(one: Corners, two: Corners, snap_ft: float) -> bool:
    """Return whether corner lies by corner, from some start and in one direction: the common case, and quick."""
    count = len(one)
    for way in (two, two[::-1]):
        for start in range(count):
            if all(
                abs(x - way[(start + n) % count][0]) <= snap_ft
                and abs(y - way[(start + n) % count][1]) <= snap_ft
                for n, (x, y) in enumerate(one)
            ):
                return _within(one, way[start:] + way[:start], snap_ft)
    return False


def _within(one: Corners, two: Corners, snap_ft: float) -> bool:
    return all(
        (a - c) ** 2 + (b - d) ** 2 <= snap_ft**2 + 1e-9 for (a, b), (c, d) in zip(one, two, strict=True)
    )


def _close_everywhere(one: Corners, two: Corners, snap_ft: float) -> bool:
    # Loaded here: the web server starts without it, and few batches ever need it.
    from shapely import LinearRing, hausdorff_distance, is_simple

    first, second = LinearRing(one), LinearRing(two)
    if not (is_simple(first) and is_simple(second)):
        return False
    # By the corners and by points a tenth of a wall apart: by corners alone a spike inwards would be missed.
    return bool(hausdorff_distance(first, second, densify=0.1) <= snap_ft + 1e-9)
