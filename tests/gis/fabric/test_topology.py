from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.fabric.rules.kinds import FindingKind
from gis.fabric.rules.repair import Shapes, only_polygons, repair
from gis.fabric.rules.topology import TopologyReport, examine
from gis.fabric.rules.units import SQFT_PER_SQM, acres, sqm


def layer(*shapes: shapely.Geometry | None) -> Shapes:
    filled = np.empty(len(shapes), dtype=object)
    filled[:] = shapes
    return filled


def square(x: float, y: float, side: float = 100.0) -> shapely.Polygon:
    return shapely.box(x, y, x + side, y + side)


def kinds(report: TopologyReport) -> set[FindingKind]:
    return {finding.kind for finding in report.findings}


def test_neighbours_that_share_a_border_are_no_finding() -> None:
    assert examine(layer(square(0, 0), square(100, 0), square(0, 100))).findings == []


def test_an_overlap_is_reported_once_with_both_rows_and_its_area() -> None:
    (finding,) = examine(layer(square(0, 0), square(500, 0), square(90, 0))).findings
    assert (finding.kind, finding.rows) == (FindingKind.OVERLAP, (0, 2))
    assert finding.area_sqft == pytest.approx(1_000)
    assert finding.location is not None
    assert shapely.box(90, 0, 100, 100).contains(shapely.Point(finding.location))


@pytest.mark.parametrize(("share", "found"), [(0.9, False), (1.1, True)])
def test_an_overlap_counts_from_half_a_square_metre(share: float, found: bool) -> None:
    width = share * 0.5 * SQFT_PER_SQM / 100
    assert bool(examine(layer(square(0, 0), square(100 - width, 0))).findings) is found


def test_a_parcel_inside_another_overlaps_it() -> None:
    (finding,) = examine(layer(square(0, 0, 300), square(100, 100))).findings
    assert finding.kind is FindingKind.OVERLAP
    assert finding.area_sqft == pytest.approx(10_000)


def ring_of_eight(side: float) -> list[shapely.Polygon]:
    return [square(x * side, y * side, side) for x in range(3) for y in range(3) if (x, y) != (1, 1)]


def test_an_enclosed_gap_names_the_parcels_around_it() -> None:
    (finding,) = examine(layer(*ring_of_eight(100))).findings
    assert (finding.kind, finding.rows) == (FindingKind.GAP, tuple(range(8)))
    assert finding.area_sqft == pytest.approx(10_000)


def test_an_enclosed_gap_under_fifty_square_metres_is_a_sliver() -> None:
    (finding,) = examine(layer(*ring_of_eight(20))).findings
    assert finding.kind is FindingKind.SLIVER
    assert sqm(finding.area_sqft or 0) == pytest.approx(37.16, abs=0.01)


def test_an_island_of_parcels_inside_a_gap_is_not_part_of_the_gap() -> None:
    report = examine(layer(*ring_of_eight(100), square(130, 130, 40)))
    (finding,) = report.findings
    assert finding.area_sqft == pytest.approx(10_000 - 1_600)


def test_a_street_that_leads_out_is_no_gap() -> None:
    around = ring_of_eight(100)
    del around[6]
    assert examine(layer(*around)).findings == []


def test_the_same_ground_twice_is_one_duplicate_and_no_overlap() -> None:
    turned = shapely.Polygon([(100, 100), (0, 100), (0, 0), (100, 0)])
    (finding,) = examine(layer(square(0, 0), turned)).findings
    assert (finding.kind, finding.rows) == (FindingKind.DUPLICATE_SHAPE, (0, 1))


def test_a_bow_tie_is_reported_where_it_crosses_and_repaired_to_two_triangles() -> None:
    bow_tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    report = examine(layer(bow_tie))
    (finding,) = report.findings
    assert (finding.kind, finding.detail, finding.location) == (
        FindingKind.INVALID,
        "Self-intersection",
        (50.0, 50.0),
    )
    assert report.repaired.shapes[0].area == pytest.approx(5_000)
    assert report.repaired.shapes[0].geom_type == "MultiPolygon"


def test_a_multipart_is_counted_as_it_was_drawn() -> None:
    two = shapely.MultiPolygon([square(0, 0), square(500, 0)])
    (finding,) = examine(layer(two)).findings
    assert (finding.kind, finding.detail) == (FindingKind.MULTIPART, "2 parts")


def test_rows_without_a_shape_are_passed_over() -> None:
    report = examine(layer(None, square(0, 0), shapely.Polygon()))
    assert report.findings == []
    assert list(shapely.is_missing(report.repaired.shapes)) == [True, False, True]


def test_a_layer_without_any_shape_has_an_empty_report() -> None:
    assert examine(layer(None, None)).findings == []
    assert examine(layer()).findings == []


def test_a_polygon_collapsed_to_a_line_leaves_no_land() -> None:
    line = shapely.Polygon([(0, 0), (100, 0), (0, 0), (0, 0)])
    assert repair(layer(line)).shapes[0] is None


def test_repeated_parts_make_no_difference_to_the_repair() -> None:
    once = shapely.MultiPolygon([square(0, 0), square(50, 50)])
    thrice = shapely.MultiPolygon([square(0, 0), square(50, 50), square(0, 0), square(50, 50), square(0, 0)])
    first, second = repair(layer(once, thrice)).shapes
    assert first.equals(second)
    assert first.area == pytest.approx(15_000)


def test_lines_and_points_that_a_repair_leaves_over_are_dropped() -> None:
    mixed = shapely.GeometryCollection(
        [square(0, 0), shapely.LineString([(0, 0), (1, 1)]), shapely.Point(3, 3)]
    )
    nested = shapely.GeometryCollection([mixed, square(500, 0)])
    kept = only_polygons(layer(mixed, nested, shapely.GeometryCollection([shapely.Point(0, 0)])))
    assert [None if shape is None else shape.geom_type for shape in kept] == ["Polygon", "MultiPolygon", None]


coordinates = st.integers(min_value=0, max_value=60)
drawn_rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12)


@given(st.lists(drawn_rings, min_size=1, max_size=4))
def test_whatever_was_drawn_the_repair_is_valid_land_inside_the_drawing(
    rings: list[list[tuple[int, int]]],
) -> None:
    drawn = layer(shapely.MultiPolygon([shapely.Polygon(ring) for ring in rings]))
    (mended,) = repair(drawn).shapes
    if mended is None:
        return
    assert mended.is_valid
    assert mended.geom_type in ("Polygon", "MultiPolygon")
    assert mended.area > 0
    assert shapely.convex_hull(drawn[0]).buffer(1e-6).covers(mended)


@given(st.lists(drawn_rings, min_size=1, max_size=3))
def test_repairing_twice_changes_nothing(rings: list[list[tuple[int, int]]]) -> None:
    once = repair(layer(*(shapely.Polygon(ring) for ring in rings)))
    twice = repair(once.shapes)
    assert not twice.was_invalid.any()
    assert list(twice.shapes) == list(once.shapes)


def test_an_acre_is_43560_square_feet() -> None:
    # SOURCE: NIST Handbook 44, appendix C.
    assert acres(43_560) == 1
    assert sqm(43_560) == pytest.approx(4_046.873, abs=0.001)
