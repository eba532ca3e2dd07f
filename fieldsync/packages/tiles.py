"""A piece of a town's tile archive: the tiles that a package's area touches, as an archive of its own."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pmtiles import reader, tile, writer

# The package has no types.
_reader: Any = reader
_writer: Any = writer
_tile: Any = tile

ReadBytes = Callable[[int, int], bytes]

# Above this share of the archive the piece is not worth a file of its own: the whole is shared by all packages.
WORTHWHILE_SHARE = 0.7
# Larger archives are not read through for one package.
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Area:
    """West, south, east and north in degrees (WGS 84)."""

    west: float
    south: float
    east: float
    north: float


def extract_tiles(read: ReadBytes, size: int, area: Area) -> tuple[bytes, int] | None:
    """Return an archive of the tiles of all zooms that meet ``area`` and how many they are, or None.

    The same archive and area give the same bytes. None where the piece would be most of the archive, has
    nothing in it, or the archive is too large to read through.

    Parameters
    ----------
    read
        Gives ``length`` bytes from ``offset`` of the archive.
    size
        Of the archive, in bytes.
    """
    if size > MOST_BYTES:
        return None
    archive = _reader.Reader(read)
    header = archive.header()
    wanted = {zoom: _span(area, zoom) for zoom in range(header["min_zoom"], header["max_zoom"] + 1)}
    out = io.BytesIO()
    made = _writer.Writer(out)
    count = 0
    for (zoom, x, y), content in _reader.all_tiles(read):
        (left, right), (top, bottom) = wanted[zoom]
        if left <= x <= right and top <= y <= bottom:
            made.write_tile(_tile.zxy_to_tileid(zoom, x, y), content)
            count += 1
    if not count:
        return None
    edges = {
        "min_lon_e7": area.west,
        "min_lat_e7": area.south,
        "max_lon_e7": area.east,
        "max_lat_e7": area.north,
    }
    middle = {"center_lon_e7": (area.west + area.east) / 2, "center_lat_e7": (area.south + area.north) / 2}
    made.finalize(
        {**header, **{name: round(degrees * 10**7) for name, degrees in (edges | middle).items()}},
        archive.metadata(),
    )
    content = out.getvalue()
    return None if len(content) > size * WORTHWHILE_SHARE else (content, count)


def _span(area: Area, zoom: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first and last column and row of tiles that an area meets (spherical Mercator, rows from the north)."""
    side = 1 << zoom
    columns = [math.floor((degrees + 180) / 360 * side) for degrees in (area.west, area.east)]
    rows = [
        math.floor((1 - math.asinh(math.tan(math.radians(degrees))) / math.pi) / 2 * side)
        for degrees in (area.north, area.south)
    ]
    return (columns[0], columns[1]), (rows[0], rows[1])
