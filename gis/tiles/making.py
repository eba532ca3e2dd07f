"""Write parcels as a PMTiles archive of vector tiles, with GDAL's own driver."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from pyogrio import raw
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from gis.errors import TilesFailed
from gis.fabric.rules.units import WORKING_EPSG

log = structlog.get_logger(__name__)

LAYER: Final = "parcels"
# At zoom 12 a house lot is three pixels wide: a town's lines would be one grey patch and a megabyte.
MIN_ZOOM: Final = 13
# A tile of zoom 15 is 0.9 km wide here and has 4,096 steps: 0.2 m, finer than the towns' parcels are drawn.
MAX_ZOOM: Final = 15
# Past its own limit GDAL draws a tile coarser; a dense quarter at zoom 13 is better large than wrong.
MOST_TILE_BYTES: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class TileParcel:
    """A parcel as the tiles carry it; `property` is the one property on it, ``''`` with none or several."""

    key: str
    address: str
    number: str
    property: str
    wkb: bytes


def write_archive(path: Path, parcels: Sequence[TileParcel], *, name: str) -> None:
    """Write `parcels` (WKB in EPSG:2234) to a new file at `path`, zoom 13 to 15, one layer ``parcels``.

    Raises
    ------
    TilesFailed
        GDAL could not write the archive, or there is nothing to write.
    """
    if not parcels:
        raise TilesFailed("There is no parcel to make tiles of.")
    fields = ("key", "address", "number", "property")
    try:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            _write(path, parcels, fields, name)
    except (DataSourceError, DataLayerError, FeatureError, FieldError, GeometryError) as error:
        raise TilesFailed(f"The tiles of {name} could not be made: {error}") from error
    for remark in remarks:
        log.warning("remark on tiles", tiles=name, remark=str(remark.message))


def _write(path: Path, parcels: Sequence[TileParcel], fields: Sequence[str], name: str) -> None:
    raw.write(
        path,
        np.array([parcel.wkb for parcel in parcels], dtype=object),
        [np.array([getattr(parcel, field) for parcel in parcels], dtype=object) for field in fields],
        list(fields),
        geometry_type="MultiPolygon",
        crs=f"EPSG:{WORKING_EPSG}",
        driver="PMTiles",
        layer=LAYER,
        dataset_options={
            "MINZOOM": str(MIN_ZOOM),
            "MAXZOOM": str(MAX_ZOOM),
            "NAME": name,
            "TYPE": "overlay",
            "DESCRIPTION": f"Parcels of {name}",
            "MAX_SIZE": str(MOST_TILE_BYTES),
        },
    )
