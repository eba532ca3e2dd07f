"""How the properties of a package may be chosen, and how its parts are written."""

import gzip
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar
from uuid import UUID

PACKAGE_MAX_PROPERTIES = 20_000
ROUTE_REACH_FT = 80
"""How far from a drawn route a parcel may lie: past the sidewalk, not to the lots behind."""
INSPECTION_CYCLE_YEARS = 10  # CGS 12-62(b)(4): each property is inspected once in ten assessment years
GZIP_LEVEL = 6
T = TypeVar("T")


class Order(StrEnum):
    """In which order a package's properties are for the day."""

    CHOSEN = ""
    STREETS = "streets"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which properties: all conditions given must hold, and at least one must be given.

    Attributes
    ----------
    property_ids
        These, in the order of the route.
    identifiers
        Account numbers, MBLs or other identifiers, as a list or a route has them.
    neighbourhood, street
        As on the card.
    area, area_crs
        A polygon in GeoJSON and the coordinate system it is in, such as ``EPSG:4326``. Properties belong
        whose parcel has its middle inside.
    parcels_in, parcels_out
        Parcels of the map, by their keys in the layer: added to the area, and left out whatever else holds.
    route
        A line in GeoJSON along the streets, in ``area_crs``. The parcels along it belong as those of the
        area do, in the order in which it passes them.
    permits_from, permits_to
        Those with a permit issued between the days (both included) that is not closed.
    not_inspected_since
        Those whose last full inspection is before this day, or unknown.
    sales_from, sales_to
        Those with a sale recorded between the days that nobody has decided on.
    limit
        At most so many, the longest uninspected first.
    order
        The order of the day: as chosen, by streets, or the nearest next.
    skip_open
        Leave out those that are in another open package.
    """

    property_ids: tuple[UUID, ...] = field(default=())
    identifiers: tuple[str, ...] = field(default=())
    neighbourhood: str = ""
    street: str = ""
    area: str = ""
    area_crs: str = ""
    parcels_in: tuple[str, ...] = field(default=())
    parcels_out: tuple[str, ...] = field(default=())
    route: str = ""
    permits_from: date | None = None
    permits_to: date | None = None
    not_inspected_since: date | None = None
    sales_from: date | None = None
    sales_to: date | None = None
    limit: int = 500
    skip_open: bool = False
    order: Order = Order.CHOSEN

    @property
    def wants_map(self) -> bool:
        """Whether something chosen on the map is a condition."""
        return bool(self.area or self.parcels_in or self.route)

    @property
    def wants_permits(self) -> bool:
        """Whether open permits are a condition."""
        return self.permits_from is not None or self.permits_to is not None

    @property
    def wants_sales(self) -> bool:
        """Whether sales to verify are a condition."""
        return self.sales_from is not None or self.sales_to is not None

    @property
    def is_empty(self) -> bool:
        """Whether no condition is given; such a selection would be the whole town by a slip."""
        named = self.property_ids or self.identifiers or self.neighbourhood or self.street or self.wants_map
        return not (named or self.wants_permits or self.wants_sales or self.not_inspected_since)

    def as_json(self) -> dict[str, Any]:
        """Return the selection as the package keeps it: what was given, and no more."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: [str(each) for each in value] if isinstance(value, tuple) else _plain(value)
            for name, value in values.items()
            if value or name == "limit"
        }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a tablet may carry in all its open packages, by the town's policy ``package_budget``."""

    properties: int = PACKAGE_MAX_PROPERTIES
    megabytes: int = 500

    def excess(self, *, properties: int, byte_count: int) -> str:
        """Return what would be too much, in words, or nothing."""
        if properties > self.properties:
            return f"{properties:,} properties where {self.properties:,} are allowed"
        if byte_count > self.megabytes * 1_000_000:
            return f"{byte_count / 1e6:,.0f} MB where {self.megabytes:,} MB are allowed"
        return ""


# Of parts built before, gzipped, where a town has none yet: measured on New Haven's cards and parcels.
CARD_BYTES, SHAPE_BYTES, CODE_LIST_BYTES = 320, 180, 20_000


def estimate_bytes(
    properties: int, *, bytes_each: float | None = None, thumbnails: int = 0, map_bytes: int = 0
) -> int:
    """Return about how many bytes a package will have, from what the town's built ones have for a property."""
    each = bytes_each if bytes_each is not None else float(CARD_BYTES + SHAPE_BYTES)
    return round(properties * each) + CODE_LIST_BYTES + thumbnails + map_bytes


def split_evenly(items: Sequence[T], parts: int) -> list[list[T]]:
    """Return ``items`` in so many runs of nearly equal length, in order.

    Raises
    ------
    ValueError
        There are fewer items than parts, or fewer than two parts.
    """
    if not 2 <= parts <= len(items):
        raise ValueError(f"{len(items)} cannot be split into {parts}")
    each, more = divmod(len(items), parts)
    starts = [n * each + min(n, more) for n in range(parts + 1)]
    return [list(items[start:stop]) for start, stop in pairwise(starts)]


def read_identifiers(text: str) -> tuple[str, ...]:
    """Return the identifiers of a pasted list: one a line, or divided by commas, semicolons or tabs."""
    found = (each.strip() for each in re.split(r"[\n\r,;\t]+", text))
    return tuple(dict.fromkeys(each for each in found if each))


def ten_years_before(list_day: date) -> date:
    """Return the day before which an inspection no longer counts for a list of ``list_day`` (1 October)."""
    return list_day.replace(year=list_day.year - INSPECTION_CYCLE_YEARS)


def pack_lines(lines: Iterable[str]) -> bytes:
    """Return lines of JSON gzipped; the same lines give the same bytes, hence the same hash."""
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), GZIP_LEVEL, mtime=0)


def read_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last that a ``Range`` header asks for; None for all.

    A header that is not one range of bytes is ignored, as RFC 9110 has it.

    Raises
    ------
    ValueError
        The range begins behind the end.
    """
    if not header or not header.startswith("bytes=") or "," in header:
        return None
    first, dash, last = header.removeprefix("bytes=").strip().partition("-")
    if not dash or not (first + last).isascii() or not (first + last).isdigit():
        return None
    if not first:
        return max(size - int(last), 0), size
    start, stop = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise ValueError(f"byte {start} is behind the end of {size} bytes")
    return start, stop


def list_year_today(day: date) -> int:
    """Return the grand list that field work of a day is for: that of the next 1 October, itself included."""
    return day.year if (day.month, day.day) <= (10, 1) else day.year + 1
