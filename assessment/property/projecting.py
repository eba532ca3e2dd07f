"""Longitude and latitude as the record's feet (EPSG:2234)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproj import Transformer


@cache
def _transformer() -> Transformer:
    from pyproj import Transformer  # here: a web worker that places nothing stays small

    return Transformer.from_crs("EPSG:4326", "EPSG:2234", always_xy=True)


def to_feet(longitudes: Sequence[float], latitudes: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return x and y in NAD83 / Connecticut, US survey feet, to the hundredth; infinity where there is none.

    Rounded, so that the same file gives the same numbers on another machine and a re-run changes nothing.
    """
    if not longitudes:
        return [], []
    xs, ys = _transformer().transform(list(longitudes), list(latitudes))
    return [round(x, 2) for x in xs], [round(y, 2) for y in ys]
