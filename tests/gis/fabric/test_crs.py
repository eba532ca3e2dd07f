from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import shapely

from gis.fabric.rules.crs import crs_name, crs_that_fits, parse_crs, place, reproject, town_of
from gis.fabric.rules.repair import Shapes
from tests.gis.conftest import RealTown


def moved(shapes: Shapes, text: str) -> Shapes:
    crs = parse_crs(text)
    assert crs is not None
    return reproject(shapes, crs)


def test_a_survey_monument_lands_on_its_published_state_plane_coordinates() -> None:
    # SOURCE: EPSG:2234's false origin (Connecticut zone 0600): 40d50'N 72d45'W is 999,999.996 ftUS E,
    # 499,999.998 ftUS N. See EPSG registry, projection 15303.
    (point,) = moved(np.array([shapely.Point(-72.75, 40 + 50 / 60)], dtype=object), "EPSG:4269")
    assert (point.x, point.y) == (pytest.approx(999_999.996, abs=0.01), pytest.approx(499_999.998, abs=0.01))


@pytest.mark.parametrize("text", ["2234", "EPSG:2234", " epsg:2234 "])
def test_a_coordinate_system_may_be_stated_in_each_usual_way(text: str) -> None:
    crs = parse_crs(text)
    assert crs is not None
    assert crs_name(crs).startswith("EPSG:2234 (NAD83 / Connecticut")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "999999",
        "feet",
        'LOCAL_CS["arbitrary",UNIT["metre",1]]',
        'ENGCRS["site",EDATUM["d"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]',
    ],
)
def test_what_places_nothing_on_the_earth_is_no_coordinate_system(text: str) -> None:
    assert parse_crs(text) is None


def test_shapes_already_in_the_working_system_are_left_untouched(hamden: RealTown) -> None:
    assert moved(hamden.shapes, "2234") is hamden.shapes


def test_parcels_of_another_town_are_recognised(
    west_hartford: RealTown, boundaries: Mapping[str, shapely.Geometry]
) -> None:
    placement = place(west_hartford.shapes, boundaries["Hamden"])
    assert placement.wrong
    assert placement.share_outside == 1.0
    assert town_of(west_hartford.shapes, boundaries) == "West Hartford"


def test_degrees_taken_for_feet_are_recognised_and_the_right_system_is_named(hamden: RealTown) -> None:
    assert place(hamden.raw.shapes, hamden.boundary).wrong
    assert crs_that_fits(hamden.raw.shapes, hamden.boundary) == "EPSG:4326"


@pytest.mark.parametrize("epsg", ["26956", "3857", "26918"])
def test_the_system_that_fits_is_found_among_those_in_use(hamden: RealTown, epsg: str) -> None:
    import pyproj

    there = pyproj.Transformer.from_crs(2234, int(epsg), always_xy=True)
    some = np.asarray(
        shapely.transform(hamden.shapes[:50], lambda xy: np.column_stack(there.transform(*xy.T))),
        dtype=object,
    )
    assert place(some, hamden.boundary).wrong
    assert crs_that_fits(some, hamden.boundary) == f"EPSG:{epsg}"


def test_latitude_before_longitude_is_named(hamden: RealTown) -> None:
    swapped = np.asarray(shapely.transform(hamden.raw.shapes[:50], lambda xy: xy[:, ::-1]), dtype=object)
    assert crs_that_fits(swapped, hamden.boundary) == "EPSG:4326 with latitude before longitude"


def test_nothing_fits_a_drawing_at_the_origin(hamden: RealTown) -> None:
    assert crs_that_fits(np.array([shapely.box(0, 0, 1, 1)], dtype=object), hamden.boundary) is None


def test_a_stray_parcel_is_outside_and_the_file_is_right(hamden: RealTown) -> None:
    shapes = hamden.shapes[:100].copy()
    shapes[7] = shapely.box(0, 0, 100, 100)
    placement = place(shapes, hamden.boundary)
    assert list(np.flatnonzero(placement.outside)) == [7]
    assert not placement.wrong


def test_a_shape_with_no_finite_coordinate_is_outside(hamden: RealTown) -> None:
    shapes = hamden.shapes[:3].copy()
    shapes[1] = shapely.Polygon([(np.inf, 0), (1, 1), (0, np.inf)])
    assert list(place(shapes, hamden.boundary).outside) == [False, True, False]


def test_rows_without_a_shape_do_not_count_as_outside(hamden: RealTown) -> None:
    shapes = np.array([None, hamden.shapes[0], shapely.Polygon()], dtype=object)
    assert place(shapes, hamden.boundary).share_outside == 0.0
