"""The real parcel layers of the demonstration, as read from their stored files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import shapely

from assessment.demo import files
from gis.fabric.reading import RawLayer, read_layer
from gis.fabric.rules.crs import parse_crs, reproject
from gis.fabric.rules.layer import PreparedLayer, locate, prepare_layer
from gis.fabric.rules.repair import Shapes


@dataclass(frozen=True)
class RealTown:
    """A town's stored layer: as read, in EPSG:2234, and prepared."""

    raw: RawLayer
    shapes: Shapes
    boundary: shapely.Geometry
    prepared: PreparedLayer


@cache
def town_boundaries() -> Mapping[str, shapely.Geometry]:
    """The 169 towns' boundaries in EPSG:2234 by name."""
    with gzip.open(files.stored("towns.geojson")) as stream:
        features = json.load(stream)["features"]
    shapes = np.array([shapely.geometry.shape(feature["geometry"]) for feature in features], dtype=object)
    crs = parse_crs("4326")
    assert crs is not None
    names = [feature["properties"]["name"] for feature in features]
    return dict(zip(names, reproject(shapes, crs), strict=True))


@cache
def real_town(name: str) -> RealTown:
    """West Hartford or Hamden, read once for all tests of a worker."""
    raw = read_layer(files.stored(f"{name.lower().replace(' ', '_')}_parcels.gpkg"))
    crs = parse_crs(raw.crs or "")
    assert crs is not None
    shapes = reproject(raw.shapes, crs)
    boundary = town_boundaries()[name]
    prepared = prepare_layer(raw.cells, shapes, unreadable=raw.unreadable, placement=locate(shapes, boundary))
    return RealTown(raw, shapes, boundary, prepared)


@pytest.fixture(scope="session")
def west_hartford() -> RealTown:
    return real_town("West Hartford")


@pytest.fixture(scope="session")
def hamden() -> RealTown:
    return real_town("Hamden")


@pytest.fixture(scope="session")
def boundaries() -> Mapping[str, shapely.Geometry]:
    return town_boundaries()
