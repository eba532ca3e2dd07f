"""Drawing: what each kind of selection chooses, the preview, and what may not be drawn."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import shapely

from assessment.property.models import Permit, Property, PropertyAlias
from assessment.region.errors import Invalid, Problem
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.sales.models import Transfer
from fieldsync.packages import choosing, rules, services
from fieldsync.packages.rules import Order, Selection
from fieldsync.packages.selectors import list_records
from fieldsync.problems import AreaInvalid
from gis.errors import CoordinateSystemMissing, CoordinateSystemUnknown
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House
from tests.fieldsync.packages.ground import SOUTH_FT, WEST_FT, lay_ground

pytestmark = pytest.mark.usefixtures("houses")


def choose(**conditions: object) -> list[object]:
    with scope(SYSTEM, towns=[TOWN_A]):
        return list(choosing.choose_properties(TOWN_A, Selection(**conditions)))  # type: ignore[arg-type]


def ids(houses: list[House], *places: int) -> list[object]:
    return [houses[place].property_id for place in places]


def test_a_route_keeps_its_order_whatever_the_identifiers_are(houses: list[House]) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        PropertyAlias.objects.create(
            town_id=TOWN_A, property_id=houses[1].property_id, id_type="mbl", value="012/34/5", valid_from="2020-01-01"
        )  # fmt: skip
        PropertyAlias.objects.create(
            town_id=TOWN_A, property_id=houses[2].property_id, id_type="mbl", value="OLD", valid_from="2010-01-01",
            valid_to="2020-01-01",
        )  # fmt: skip
    assert choose(identifiers=("000005", "012/34/5", "OLD", "000001")) == ids(houses, 4, 1, 0)
    with pytest.raises(Invalid, match="None of these"):
        choose(identifiers=("OLD",))
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        preview = choosing.preview_selection(TOWN_A, Selection(identifiers=("000005", "OLD")))
    assert (preview.count, preview.unknown_identifiers, preview.sample) == (1, ["OLD"], ["5 MAIN ST"])


def test_a_pasted_list_is_read_however_it_is_divided() -> None:
    assert rules.read_identifiers(" 12/3/4\n5 ; 6,7\t5\r\n\n") == ("12/3/4", "5", "6", "7")


def test_open_permits_and_sales_to_verify_choose_their_properties(houses: list[House]) -> None:
    day = dt.date(2026, 5, 1)
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        for place, (issued, closed) in enumerate([(day, None), (day, day), (dt.date(2025, 1, 1), None)]):
            Permit.objects.create(
                town_id=TOWN_A, property_id=houses[place].property_id, permit_number=str(place), issued_on=issued,
                closed_on=closed,
            )  # fmt: skip
        for place, decided in ((3, ""), (4, "usable")):
            Transfer.objects.create(
                town_id=TOWN_A, property_id=houses[place].property_id, list_year=2025, serial_number=str(place),
                recorded_on=day, price=1, match_method="exact", suggested_validity="usable", suggested_reason="no-code",
                decided_validity=decided, decided_reason=decided, decided_at=dt.datetime.now(dt.UTC) if decided else None,
            )  # fmt: skip
    assert choose(permits_from=dt.date(2026, 1, 1)) == ids(houses, 0)
    assert choose(permits_to=dt.date(2025, 12, 31)) == ids(houses, 2)
    assert choose(sales_from=day, sales_to=day) == ids(houses, 3)


def test_the_preview_warns_of_what_is_out_already_and_can_leave_it_out(houses: list[House]) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        services.draw_package(
            TOWN_A, actor=SYSTEM, title="First", selection=Selection(property_ids=tuple(ids(houses, 0, 1))),  # type: ignore[arg-type]
            list_year=2026,
        )  # fmt: skip
        preview = choosing.preview_selection(TOWN_A, Selection(street="MAIN ST"))
        assert (preview.count, preview.in_open_packages, preview.already_out) == (6, [("First", 2)], 2)
        assert 6 * rules.CARD_BYTES < preview.byte_estimate < 100_000
        less = choosing.preview_selection(TOWN_A, Selection(street="MAIN ST", skip_open=True))
        assert (less.count, less.in_open_packages) == (4, [])


def test_the_standing_with_the_law_counts_the_late_the_never_and_the_oldest(houses: list[House]) -> None:
    days = [dt.date(2020, 1, 1), None, dt.date(2010, 5, 1), dt.date(2016, 9, 30), None, dt.date(2016, 10, 1)]
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        for house, day in zip(houses, days, strict=True):
            Property.objects.filter(id=house.property_id).update(last_full_inspection_on=day)
        standing = choosing.inspection_standing(TOWN_A, dt.date(2016, 10, 1))
    assert standing == choosing.Standing(count=4, never=2, oldest_on=dt.date(2010, 5, 1))


class TestArea:
    """Houses 0 to 5 stand on lots of 100 ft side by side, eastward."""

    @pytest.fixture(autouse=True)
    def _ground(self, houses: list[House]) -> None:
        lay_ground([house.property_id for house in houses])

    def test_a_polygon_takes_the_parcels_whose_middle_is_inside(self, houses: list[House]) -> None:
        polygon = shapely.box(WEST_FT, SOUTH_FT, WEST_FT + 260, SOUTH_FT + 100)
        area = json.dumps({"type": "Feature", "geometry": shapely.geometry.mapping(polygon)})
        assert set(choose(area=area, area_crs="EPSG:2234")) == set(ids(houses, 0, 1, 2))

    def test_a_box_in_degrees_means_the_same_place(self, houses: list[House]) -> None:
        from pyproj import Transformer

        degrees = Transformer.from_crs(2234, 4326, always_xy=True)
        box = ",".join(
            str(d) for d in degrees.transform_bounds(WEST_FT, SOUTH_FT, WEST_FT + 260, SOUTH_FT + 100)
        )
        assert set(choose(area=box, area_crs="4326")) == set(ids(houses, 0, 1, 2))

    def test_single_parcels_are_added_to_the_area_and_left_out(self, houses: list[House]) -> None:
        area = f"{WEST_FT},{SOUTH_FT},{WEST_FT + 160},{SOUTH_FT + 100}"
        on_map = {"area": area, "area_crs": "EPSG:2234", "parcels_in": ("5",), "parcels_out": ("1",)}
        assert set(choose(**on_map)) == set(ids(houses, 1, 4))
        assert choose(parcels_in=("5",)) == ids(houses, 4)
        assert set(choose(street="MAIN ST", parcels_out=("1", "2"))) == set(ids(houses, 2, 3, 4, 5))
        assert choose(**on_map, neighbourhood="elsewhere") == []
        with pytest.raises(Invalid, match="no parcel 99"):
            choose(**on_map | {"parcels_in": ("5", "99")})
        with pytest.raises(Invalid, match="Choose properties by"):
            choose(parcels_out=("1",))

    def test_a_route_takes_what_lies_along_it_in_the_order_of_the_way(self, houses: list[House]) -> None:
        street = SOUTH_FT - 25
        way = [[WEST_FT + 470, street], [WEST_FT + 160, street]]
        route = json.dumps({"type": "LineString", "coordinates": way})
        assert choose(route=route, area_crs="EPSG:2234") == ids(houses, 4, 3, 2, 1)
        far = json.dumps({"type": "LineString", "coordinates": [[x, y - 60] for x, y in way]})
        assert choose(route=far, area_crs="EPSG:2234") == []
        # What only the area holds comes after.
        area = f"{WEST_FT},{SOUTH_FT},{WEST_FT + 600},{SOUTH_FT + 100}"
        chosen = choose(route=route, area=area, area_crs="EPSG:2234")
        assert (chosen[:4], set(chosen[4:])) == (ids(houses, 4, 3, 2, 1), set(ids(houses, 0, 5)))

    @pytest.mark.parametrize("route", ["{", "1,2", '{"type": "Point", "coordinates": [1, 2]}'])
    def test_what_is_no_route_is_told_so(self, route: str) -> None:
        with pytest.raises(AreaInvalid):
            choose(route=route, area_crs="EPSG:2234")

    def test_the_order_of_the_day_is_kept_with_the_package(self, houses: list[House]) -> None:
        with scope(SYSTEM, towns=[TOWN_A], reason="test"):
            package = services.draw_package(
                TOWN_A, actor=SYSTEM, title="Day", list_year=2026, selection=Selection(street="MAIN ST", order=Order.STREETS)
            )  # fmt: skip
            assert list_records(package.id) == ids(houses, 0, 2, 4, 5, 3, 1)
            assert package.selection["order"] == "streets"
        assert choose(street="MAIN ST", order=Order.NEAREST) == ids(houses, 0, 1, 2, 3, 4, 5)

    def test_the_tally_says_what_fits_what_is_taken_and_where(self, houses: list[House]) -> None:
        with scope(SYSTEM, towns=[TOWN_A]):
            tally = choosing.count_selection(TOWN_A, Selection(street="MAIN ST", limit=4, parcels_out=("6",)))
        assert tally == choosing.Tally(fits=5, taken=4, parcel_keys=["1", "2", "3", "4", "5"])

    def test_an_area_in_the_wrong_system_is_told_with_the_one_that_would_fit(self) -> None:
        with scope(SYSTEM, towns=[TOWN_A], reason="test"):
            town = Town.objects.get(code=TOWN_A)
        assert town.boundary is not None
        x, y = shapely.from_wkb(bytes(town.boundary)).centroid.coords[0]
        with pytest.raises(AreaInvalid, match="EPSG:2234") as told:
            choose(area=f"{x},{y},{x + 1000},{y + 1000}", area_crs="EPSG:3857")
        assert told.value.data["fits"] == "EPSG:2234"

    @pytest.mark.parametrize(
        ("area", "crs", "problem"),
        [
            ("1,2,3,4", "", CoordinateSystemMissing),
            ("1,2,3,4", "EPSG:99999", CoordinateSystemUnknown),
            ("1,2,3", "EPSG:4326", AreaInvalid),
            ('{"type": "Point", "coordinates": [1, 2]}', "EPSG:4326", AreaInvalid),
            ('{"type": "Polygon"}', "EPSG:4326", AreaInvalid),
            ('{"type": ', "EPSG:4326", AreaInvalid),
            ("500,500,600,600", "EPSG:4326", AreaInvalid),
        ],
    )
    def test_what_is_no_area_is_told_so(self, area: str, crs: str, problem: type[Problem]) -> None:
        with pytest.raises(problem):
            choose(area=area, area_crs=crs)


def test_without_parcels_nothing_can_be_chosen_on_the_map() -> None:
    with pytest.raises(Problem, match="No parcels"):
        choose(area="-72.95,41.33,-72.90,41.36", area_crs="EPSG:4326")


def test_an_evenly_split_list_keeps_its_order_and_loses_nothing() -> None:
    assert rules.split_evenly("abcdefg", 3) == [["a", "b", "c"], ["d", "e"], ["f", "g"]]
    for parts in (1, 8):
        with pytest.raises(ValueError, match="cannot be split"):
            rules.split_evenly("abcdefg", parts)
