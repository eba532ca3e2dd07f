"""Units of the fabric. Lengths are US survey feet, as in EPSG:2234; the findings speak square metres too."""

from __future__ import annotations

from typing import Final

WORKING_EPSG: Final = 2234
"""NAD83 / Connecticut, US survey feet: the coordinate system in which every shape is kept."""

METRES_PER_FOOT: Final = 1200 / 3937
SQFT_PER_SQM: Final = (3937 / 1200) ** 2
SQFT_PER_ACRE: Final = 43_560.0


def sqm(area_sqft: float) -> float:
    """Square metres of an area in square feet (US survey)."""
    return area_sqft / SQFT_PER_SQM


def acres(area_sqft: float) -> float:
    """Acres of an area in square feet."""
    return area_sqft / SQFT_PER_ACRE
