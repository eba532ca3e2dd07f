"""Whole layers of real towns.

SOURCE: the figures were counted independently with geopandas 1.1 on the same files (97, 116, 9 pairs of
44 m2, 9 of 11 enclosed gaps under 50 m2; Hamden clean); the acres are the town's own column GIS_Area.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gis.fabric.rules.crs import OUTSIDE_TOLERANCE_FT
from gis.fabric.rules.kinds import FindingKind
from gis.fabric.rules.units import acres, sqm
from tests.gis.conftest import RealTown


def test_west_hartford_has_19920_parcels_and_97_invalid_rings(west_hartford: RealTown) -> None:
    prepared = west_hartford.prepared
    assert len(prepared.parcels) == 19_920
    assert prepared.refused == []
    assert prepared.topology.counts() == {
        "invalid": 97,
        "multipart": 116,
        "overlap": 9,
        "gap": 2,
        "sliver": 9,
        "duplicate_shape": 0,
        "stated_area": 1,
    }
    assert sum(parcel.is_repaired for parcel in prepared.parcels) == 97


def test_every_repaired_parcel_is_valid_and_keeps_its_original_beside_it(west_hartford: RealTown) -> None:
    for parcel in west_hartford.prepared.parcels:
        assert parcel.shape.is_valid
        assert parcel.shape.geom_type in ("Polygon", "MultiPolygon")
        if parcel.original is not None:
            assert not parcel.original.is_valid


def test_each_invalid_ring_is_reported_with_its_reason_and_place(west_hartford: RealTown) -> None:
    invalid = [f for f in west_hartford.prepared.topology.findings if f.kind is FindingKind.INVALID]
    assert {finding.detail for finding in invalid} == {"Self-intersection"}
    grown = shapely.buffer(west_hartford.boundary, OUTSIDE_TOLERANCE_FT)
    for finding in invalid:
        assert finding.location is not None
        assert grown.contains(shapely.Point(finding.location))


def test_the_repair_gives_the_acres_that_the_town_states(west_hartford: RealTown) -> None:
    repaired = [parcel for parcel in west_hartford.prepared.parcels if parcel.is_repaired]
    off = [abs(acres(parcel.area_sqft) - parcel.attributes["GIS_Area"]) for parcel in repaired]
    assert sum(off) < 0.9
    as_drawn = [abs(acres(parcel.original.area) - parcel.attributes["GIS_Area"]) for parcel in repaired]  # type: ignore[union-attr]
    assert sum(as_drawn) > 28_000


def test_west_hartfords_nine_overlaps_cover_44_square_metres(west_hartford: RealTown) -> None:
    overlaps = [f for f in west_hartford.prepared.topology.findings if f.kind is FindingKind.OVERLAP]
    assert round(sum(sqm(finding.area_sqft or 0) for finding in overlaps)) == 44


def test_hamden_is_clean(hamden: RealTown) -> None:
    prepared = hamden.prepared
    assert len(prepared.parcels) == 15_605
    assert prepared.refused == []
    counts = prepared.topology.counts()
    assert counts["invalid"] == counts["overlap"] == counts["sliver"] == counts["duplicate_shape"] == 0
    assert counts["multipart"] == 4


def test_hamdens_gaps_are_ground_that_no_parcel_covers(hamden: RealTown) -> None:
    gaps = [f for f in hamden.prepared.topology.findings if f.kind is FindingKind.GAP]
    assert len(gaps) == 15
    tree = shapely.STRtree(hamden.shapes)
    points = shapely.points([gap.location for gap in gaps if gap.location])
    assert len(points) == 15
    assert tree.query(points, predicate="within").size == 0


@pytest.mark.parametrize("town", ["west_hartford", "hamden"])
def test_no_parcel_is_outside_of_its_own_town(town: str, request: pytest.FixtureRequest) -> None:
    real: RealTown = request.getfixturevalue(town)
    assert real.prepared.placement is not None
    assert not real.prepared.placement.outside.any()
    valid = real.shapes[shapely.is_valid(real.shapes)]
    assert np.max(shapely.distance(valid, real.boundary)) < 275


def test_the_identifying_columns_are_found(west_hartford: RealTown, hamden: RealTown) -> None:
    found = west_hartford.prepared.columns
    assert (found.identifier, found.address, found.kind, found.acres) == (
        "ParcelID",
        "siteaddres",
        "ParcelType",
        "GIS_Area",
    )
    found = hamden.prepared.columns
    assert (found.identifier, found.aliases, found.use) == ("giscode", ("id",), "landuse")
