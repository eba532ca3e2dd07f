"""Sketches for houses that were drawn from cards: simple outlines that have about the card's living area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from assessment.demo.rules.chance import draw
from assessment.property.rules.sketch import BuildingAreas, SectionFactors, area_sqft, weigh_areas

Corners = tuple[tuple[float, float], ...]
_CAPES = ("Cape Cod", "Bungalow")
_LOW = ("Ranch", "Raised Ranch", "Split-Level", "Cottage")
_KEPT_OF_L = 8 / 9
_GARAGES_SINCE = 1946
_PURPOSES = ("proportion", "ell", "garage", "porch", "deck")


@dataclass(frozen=True)
class House:
    """What a sketch depends on. ``living_sqft`` is what the outline aims at."""

    key: str
    style: str
    living_sqft: int
    year_built: int
    dwellings: int


@dataclass(frozen=True)
class Outline:
    """One section: its label, its storey (0 below the ground), its corners in whole feet."""

    label: str
    storey: int
    corners: Corners

    @property
    def area_sqft(self) -> float:
        """The area inside the corners."""
        return area_sqft(self.corners)


def sketch_houses(houses: Sequence[House]) -> list[list[Outline]]:
    """Return the sections of each house; the same key always gets the same sketch."""
    keys = [house.key for house in houses]
    chances = [draw(keys, purpose) for purpose in _PURPOSES]
    return [
        _sketch(house, *(float(column[place]) for column in chances)) for place, house in enumerate(houses)
    ]


def areas_of(outlines: Sequence[Outline], factors: Mapping[str, SectionFactors]) -> BuildingAreas:
    """Return the areas of a sketched house by a town's section table.

    Raises
    ------
    ValueError
        The table has no factors for one of the sections.
    """
    areas = weigh_areas([(outline.label, outline.area_sqft) for outline in outlines], factors)
    if areas is None:
        raise ValueError("the section table lacks factors for the demonstration's sketches")
    return areas


def _sketch(
    house: House, proportion: float, ell: float, garage: float, porch: float, deck: float
) -> list[Outline]:
    uppers = _upper_storeys(house)
    living_share = 1 + sum(0.5 if label == "FHS" else 1.0 for label, _ in uppers)
    width, depth, body = _footprint(house.living_sqft / living_share, 1.15 + proportion * 0.6, ell < 0.35)
    outlines = [Outline("BAS", 1, body)]
    outlines += [Outline(label, storey, body) for label, storey in uppers]
    outlines.append(Outline("FBM" if house.style == "Raised Ranch" else "UBM", 0, body))
    if house.year_built >= _GARAGES_SINCE and garage < 0.55:
        wide = 22.0 if garage < 0.3 else 12.0
        outlines.append(Outline("FGR", 1, _rectangle(width, 0, wide, min(22.0, depth))))
    if porch < 0.5:
        long = float(round(6 + porch * 16))
        outlines.append(Outline("FOP", 1, _rectangle(round((width - long) / 2), -6, long, 6)))
    if deck < 0.4:
        outlines.append(Outline("WDK", 1, _rectangle(0, depth, float(round(10 + deck * 20)), 12)))
    return outlines


def _upper_storeys(house: House) -> list[tuple[str, int]]:
    if house.dwellings > 1:
        return [("FUS", storey) for storey in range(2, house.dwellings + 1)]
    if house.style in _CAPES:
        return [("FHS", 2)]
    return [] if house.style in _LOW else [("FUS", 2)]


def _footprint(area: float, proportion: float, with_ell: bool) -> tuple[float, float, Corners]:
    """Return width, depth and corners in whole feet, of about ``area`` square feet."""
    whole = area / _KEPT_OF_L if with_ell else area
    depth = max(12, round(sqrt(whole / proportion)))
    width = max(12, round(whole / depth))
    if not with_ell:
        return float(width), float(depth), _rectangle(0, 0, width, depth)
    notch_x, notch_y = round(width * 2 / 3), round(depth * 2 / 3)
    corners = ((0, 0), (width, 0), (width, notch_y), (notch_x, notch_y), (notch_x, depth), (0, depth))
    return float(width), float(depth), tuple((float(x), float(y)) for x, y in corners)


def _rectangle(x: float, y: float, width: float, depth: float) -> Corners:
    left, low, right, high = float(x), float(y), float(x + width), float(y + depth)
    return ((left, low), (right, low), (right, high), (left, high))
