"""The address matching against two whole towns. SOURCE of the golden files: tests/sales/golden/README.md."""

import csv
from pathlib import Path

import geopandas as gpd
import pytest

from tests.sales import towns

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> list[dict[str, str]]:
    with (GOLDEN / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_at_least_2140_of_the_2788_sales_of_two_towns_are_matched() -> None:
    outcomes = [match for town in towns.LAYERS for match in towns.matches(town).values()]
    assert len(outcomes) == 2_788
    assert sum(match.key is not None for match in outcomes) >= 2_140


def test_every_sale_without_a_property_has_a_reason_code_and_no_other_has() -> None:
    for town in towns.LAYERS:
        for match in towns.matches(town).values():
            assert (match.key is None) == (match.reason is not None)
            assert (match.key is None) == (match.method is None)


def test_the_golden_matches_were_drawn_without_repetition_and_99_percent_are_right() -> None:
    rows = golden("matches_200.csv")
    assert len({(row["town"], row["list_year"], row["serial_number"]) for row in rows}) == 200
    assert sum(row["verdict"] == "right" for row in rows) >= 198


@pytest.mark.parametrize("name", ["matches_200.csv", "matches_not_exact.csv"])
def test_each_golden_sale_still_goes_to_the_property_that_was_checked(name: str) -> None:
    for row in golden(name):
        match = towns.matches(row["town"])[row["list_year"], row["serial_number"]]
        assert (match.key, str(match.method)) == (row["parcel_id"], row["method"]), row["sale_address"]


def test_the_state_s_points_lie_in_the_matched_parcels() -> None:
    """An independent check: the state geocoded a quarter of the sales, and the rules never saw the points."""
    inside = total = 0
    for town in towns.LAYERS:
        shapes = towns.parcels(town).set_index("parcel_id").geometry.make_valid()
        frame = towns.sales(town)
        frame = frame[frame["Location"] != ""]
        points = gpd.GeoSeries.from_wkt(frame["Location"], crs=4326).to_crs(2234)
        for year, serial, point in zip(frame["List Year"], frame["Serial Number"], points, strict=True):
            match = towns.matches(town)[year, serial]
            if match.key is not None:
                total += 1
                inside += shapes[match.key].covers(point)
    assert total > 600
    assert inside / total >= 0.99
