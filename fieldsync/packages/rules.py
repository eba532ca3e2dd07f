"""How the properties of a package may be chosen, and how its parts are written."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

PACKAGE_MAX_PROPERTIES = 20_000
INSPECTION_CYCLE_YEARS = 10  # CGS 12-62(b)(4): each property is inspected once in ten assessment years
GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Selection:
    """Which properties: all conditions given must hold, and at least one must be given.

    Attributes
    ----------
    property_ids
        These, as picked in a list or on the map.
    neighbourhood, street
        As on the card.
    not_inspected_since
        Those whose last full inspection is before this day, or unknown.
    limit
        At most so many, the longest uninspected first.
    """

    property_ids: tuple[UUID, ...] = field(default=())
    neighbourhood: str = ""
    street: str = ""
    not_inspected_since: date | None = None
    limit: int = 500

    @property
    def is_empty(self) -> bool:
        """Whether no condition is given; such a selection would be the whole town by a slip."""
        return not (self.property_ids or self.neighbourhood or self.street or self.not_inspected_since)

    def as_json(self) -> dict[str, Any]:
        """Return the selection as the package keeps it."""
        return {
            "property_ids": [str(key) for key in self.property_ids],
            "neighbourhood": self.neighbourhood,
            "street": self.street,
            "not_inspected_since": self.not_inspected_since.isoformat() if self.not_inspected_since else None,
            "limit": self.limit,
        }


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
