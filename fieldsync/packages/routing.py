"""The order of a day's visits: along streets, or always to the nearest next. Plain Python and numpy."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
Point = tuple[float, float]
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a property is said to be: its street and house number, as on the card."""

    street: str
    number: str

    @property
    def numeral(self) -> int:
        """The house number without letters and fractions; 0 where there is none."""
        found = _NUMBER.search(self.number)
        return int(found.group()) if found else 0


def order_by_streets(stops: Mapping[K, Stop], points: Mapping[K, Point]) -> list[K]:
    """Return stops street by street: up the odd side, and down the even side.

    The streets follow each other by distance of their middles, from the most northwestern; streets without
    any point come last, by name.
    """
    by_street: dict[str, list[K]] = defaultdict(list)
    for key, stop in stops.items():
        by_street[stop.street].append(key)
    middles = {
        street: _middle([points[key] for key in keys if key in points])
        for street, keys in by_street.items()
        if any(key in points for key in keys)
    }
    streets = order_by_nearest(middles) + sorted(street for street in by_street if street not in middles)
    return [key for street in streets for key in _along(by_street[street], stops)]


def order_by_nearest(points: Mapping[K, Point], first: K | None = None) -> list[K]:
    """Return points in the order of a walk that always goes to the nearest that is left.

    Parameters
    ----------
    first
        Where the walk begins; the most northwestern point without it. Of two equally near the earlier is next.
    """
    import numpy as np

    if not points:
        return []
    keys = list(points)
    xy = np.array([points[key] for key in keys], dtype=float)
    here = keys.index(first) if first is not None else int(np.argmin(xy[:, 0] - xy[:, 1]))
    is_left = np.ones(len(keys), dtype=bool)
    walk: list[K] = []
    while True:
        walk.append(keys[here])
        is_left[here] = False
        if not is_left.any():
            return walk
        distances = ((xy - xy[here]) ** 2).sum(axis=1)
        here = int(np.argmin(np.where(is_left, distances, np.inf)))


def _along(keys: Sequence[K], stops: Mapping[K, Stop]) -> list[K]:
    odd = [key for key in keys if stops[key].numeral % 2]
    even = [key for key in keys if not stops[key].numeral % 2]
    up = sorted(odd, key=lambda key: (stops[key].numeral, stops[key].number))
    return up + sorted(even, key=lambda key: (-stops[key].numeral, stops[key].number))


def _middle(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
