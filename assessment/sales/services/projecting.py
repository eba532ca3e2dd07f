"""Points of the state's file, from degrees to Connecticut feet."""

from collections.abc import Sequence
from functools import cache

from pyproj import Transformer


@cache
def _transformer() -> Transformer:
    return Transformer.from_crs("EPSG:4326", "EPSG:2234", always_xy=True)


def to_feet(longitudes: Sequence[float], latitudes: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return x and y in EPSG:2234 (US survey feet), to the hundredth, of points in EPSG:4326.

    Rounded, so that the same file gives the same numbers on another machine and a re-run changes nothing.
    """
    if not longitudes:
        return [], []
    eastings, northings = _transformer().transform(longitudes, latitudes)
    return [round(x, 2) for x in eastings], [round(y, 2) for y in northings]
