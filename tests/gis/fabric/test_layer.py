from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely

from gis.fabric.rules.crs import place
from gis.fabric.rules.kinds import FindingKind
from gis.fabric.rules.layer import PreparedLayer, prepare_layer
from gis.fabric.rules.rows import Refusal

TOWN = shapely.box(0, 0, 50_000, 50_000)
LOT = shapely.box(1_000, 1_000, 1_100, 1_100)
NEXT_LOT = shapely.box(1_100, 1_000, 1_200, 1_100)


def prepared(
    rows: list[tuple[Any, shapely.Geometry | None]], *, unreadable: tuple[int, ...] = (), **columns: list[Any]
) -> PreparedLayer:
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [shape for _, shape in rows]
    broken = np.zeros(len(rows), dtype=bool)
    broken[list(unreadable)] = True
    cells = {"PARCEL_ID": [key for key, _ in rows], **columns}
    return prepare_layer(
        cells, shapes, unreadable=broken, placement=place(shapes, TOWN), identifier="PARCEL_ID"
    )


GOOD = [("A", LOT), ("B", NEXT_LOT)]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ((None, LOT), Refusal.MISSING_ID),
        (("  ", LOT), Refusal.MISSING_ID),
        (("A", LOT), Refusal.DUPLICATE_ID),
        (("C", None), Refusal.EMPTY_SHAPE),
        (("C", shapely.Polygon()), Refusal.EMPTY_SHAPE),
        (("C", shapely.Point(1_000, 1_000)), Refusal.NOT_A_POLYGON),
        (("C", shapely.LineString([(1_000, 1_000), (2_000, 2_000)])), Refusal.NOT_A_POLYGON),
        (("C", shapely.box(90_000, 0, 90_100, 100)), Refusal.OUTSIDE_TOWN),
        (("C", shapely.Polygon([(np.inf, 0), (1, 1), (0, np.inf)])), Refusal.OUTSIDE_TOWN),
        (("C", shapely.Polygon([(1_000, 1_000), (1_100, 1_000), (1_000, 1_000)])), Refusal.NO_LAND_LEFT),
    ],
)
def test_a_bad_row_is_refused_with_its_number_and_reason_and_the_others_are_kept(
    bad: tuple[Any, shapely.Geometry | None], code: Refusal
) -> None:
    result = prepared([*GOOD, bad])
    (refused,) = result.refused
    assert (refused.row, refused.code) == (3, code)
    assert [parcel.key for parcel in result.parcels] == ["A", "B"]


def test_bytes_that_are_no_shape_are_told_from_no_shape() -> None:
    result = prepared([*GOOD, ("C", None), ("D", None)], unreadable=(2,))
    assert [refused.code for refused in result.refused] == [Refusal.UNREADABLE_SHAPE, Refusal.EMPTY_SHAPE]


def test_a_second_use_of_an_identifier_names_the_row_of_the_first() -> None:
    (refused,) = prepared([*GOOD, ("B", LOT)]).refused
    assert refused.reason == "the identifier was already used in row 2"


def test_a_refused_first_row_does_not_use_up_its_identifier() -> None:
    result = prepared([("A", None), ("A", LOT)])
    assert [parcel.row for parcel in result.parcels] == [2]


def test_a_whole_number_read_as_a_decimal_stays_the_number() -> None:
    (parcel,) = prepared([(1234.0, LOT)]).parcels
    assert parcel.key == "1234"


def test_the_original_is_kept_only_where_it_was_repaired() -> None:
    bow_tie = shapely.Polygon([(2_000, 2_000), (2_100, 2_100), (2_100, 2_000), (2_000, 2_100)])
    sound, broken = prepared([("A", LOT), ("B", bow_tie)]).parcels
    assert (sound.original, broken.original) == (None, bow_tie)
    assert broken.area_sqft == pytest.approx(5_000)


def test_an_area_far_from_the_stated_acres_is_found() -> None:
    big = shapely.box(5_000, 5_000, 5_500, 5_500)
    result = prepared([("A", LOT), ("B", big)], GIS_Area=[0.23, 57.0])
    (finding,) = result.topology.findings
    assert (finding.kind, finding.rows, finding.detail) == (
        FindingKind.STATED_AREA,
        (1,),
        "the file states 57 acres",
    )


def test_a_town_without_a_boundary_refuses_nothing_for_its_place() -> None:
    shapes = np.array([shapely.box(0, 9e6, 100, 9e6 + 100)], dtype=object)
    result = prepare_layer({"pid": ["1"]}, shapes, unreadable=np.zeros(1, dtype=bool), placement=None)
    assert result.refused == []
    assert result.placement is None


def test_an_identifier_that_is_no_column_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="LINK"):
        prepare_layer(
            {"a": []},
            np.array([], dtype=object),
            unreadable=np.array([], dtype=bool),
            placement=None,
            identifier="LINK",
        )


def test_an_empty_layer_gives_no_parcel_and_no_finding() -> None:
    result = prepared([])
    assert (result.parcels, result.refused, result.topology.findings) == ([], [], [])
