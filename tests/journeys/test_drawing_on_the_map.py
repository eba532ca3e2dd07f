"""Drawing a package on the map, with the mouse and with the keyboard, and its order shown on the map."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from uuid import UUID

import pytest
import shapely
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pyproj import Transformer

from assessment.property.models import Property
from assessment.region.scope import scope
from fieldsync.packages.models import Package
from fieldsync.packages.selectors import list_records
from gis.fabric.models import FabricVersion, Parcel, ParcelProperty
from gis.tiles.services import make_tiles
from tests.cast import SYSTEM
from tests.journeys.conftest import WIDTHS, Open, Site
from tests.journeys.test_accessibility import AXE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Two rows of six lots with a street of 50 ft between, in Hamden.
WEST_FT, SOUTH_FT, SIDE_FT, STREET_FT = 959_000, 702_000, 100, 50
COLUMNS = 6
TO_MERCATOR = Transformer.from_crs(2234, 3857, always_xy=True)


@dataclass(frozen=True)
class Lots:
    """The lots: odd numbers 1 to 11 on the north side, even ones 2 to 12 on the south side."""

    town_code: int
    property_ids: dict[int, UUID]

    def numbers(self, property_ids: list[UUID]) -> list[int]:
        by_id = {value: key for key, value in self.property_ids.items()}
        return [by_id[each] for each in property_ids]


def middle(number: int) -> tuple[float, float]:
    """The middle of a lot in feet."""
    column, is_odd = (number - 1) // 2, number % 2
    south = SOUTH_FT + (SIDE_FT + STREET_FT if is_odd else 0)
    return WEST_FT + column * SIDE_FT + SIDE_FT / 2, south + SIDE_FT / 2


@pytest.fixture
def lots(site: Site) -> Lots:
    """Twelve houses on lots of their own in the first town, and the tiles of their map."""
    town = site.town.town.code
    with scope(SYSTEM, towns=[town], reason="the test's lots"):
        FabricVersion.objects.update(state="superseded")
        fabric = FabricVersion.objects.create(
            town_id=town, number=2, state="current", source_name="x", source_sha256="0" * 64, source_crs="EPSG:2234",
            identifier_column="ID", row_count=12, parcel_count=12, imported_by_name="x",
            imported_at=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        ids = {}
        for number in range(1, 2 * COLUMNS + 1):
            x, y = middle(number)
            box = (x - SIDE_FT / 2, y - SIDE_FT / 2, x + SIDE_FT / 2, y + SIDE_FT / 2)
            house = Property.objects.create(
                town_id=town, account_number=f"L{number:02}", address=f"{number} DIXWELL AVENUE",
                address_number=str(number), street_name="DIXWELL AVENUE",
            )  # fmt: skip
            parcel = Parcel.objects.create(
                town_id=town, fabric=fabric, row=number, parcel_key=f"K-{number}", address=house.address,
                geom=shapely.to_wkb(shapely.box(*box)), bbox=box, area_sqft=SIDE_FT**2, shape_digest="x",
                words_digest="x",
            )  # fmt: skip
            ParcelProperty.objects.create(town_id=town, parcel=parcel, property=house, method="hand")
            ids[number] = house.id
    make_tiles(fabric.id, actor=SYSTEM, town_code=town)
    return Lots(town, ids)


class DrawnMap:
    """The map of a page, by places on the ground."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.element = page.locator(".map")
        expect(self.element).to_have_attribute("data-ready", "yes")
        self.element.scroll_into_view_if_needed()

    def pixel(self, x_ft: float, y_ft: float) -> tuple[float, float]:
        """Where a place is in the window."""
        box = self.element.bounding_box()
        assert box is not None
        east, north = TO_MERCATOR.transform(x_ft, y_ft)
        middle_x, middle_y = (float(each) for each in str(self.element.get_attribute("data-center")).split())
        resolution = float(str(self.element.get_attribute("data-resolution")))
        x = box["x"] + box["width"] / 2 + (east - middle_x) / resolution
        return x, box["y"] + box["height"] / 2 - (north - middle_y) / resolution

    def click(self, x_ft: float, y_ft: float) -> None:
        self.page.mouse.click(*self.pixel(x_ft, y_ft))
        # Two clicks close together are the double click that ends a line.
        self.page.wait_for_timeout(300)

    def use(self, tool: str) -> None:
        self.page.get_by_role("button", name=tool, exact=True).click()

    def expect_count(self, words: str) -> None:
        expect(self.page.locator("[data-count]")).to_have_text(words)


def draw_page(site: Site, page: Page) -> DrawnMap:
    page.goto(site.at("field/packages/draw"))
    return DrawnMap(page)


def drawn(lots: Lots, page: Page, title: str) -> list[int]:
    """Draw the package and return the numbers of its houses, in its order."""
    page.fill("[name=title]", title)
    page.get_by_role("button", name="Draw and build").last.click()
    expect(page.locator("h1")).to_have_text(title)
    with scope(SYSTEM, towns=[lots.town_code]):
        return lots.numbers(list_records(Package.objects.get(title=title).id))


def test_a_rectangle_and_single_parcels_choose_their_properties(site: Site, browse: Open, lots: Lots) -> None:
    page = browse()
    chart = draw_page(site, page)
    chart.use("Rectangle")
    page.mouse.move(*chart.pixel(WEST_FT - 5, SOUTH_FT - 5))
    page.mouse.down()
    page.mouse.move(*chart.pixel(WEST_FT + 100, SOUTH_FT + 100), steps=4)
    page.mouse.move(*chart.pixel(WEST_FT + 270, SOUTH_FT + 240), steps=4)
    page.mouse.up()
    chart.expect_count("6 properties chosen")
    chart.use("Single parcels")
    chart.click(*middle(12))
    chart.expect_count("7 properties chosen")
    chart.click(*middle(1))
    chart.expect_count("6 properties chosen")
    chart.click(*middle(4))
    chart.expect_count("5 properties chosen")
    page.get_by_role("button", name="Undo").click()
    chart.expect_count("6 properties chosen")
    assert sorted(drawn(lots, page, "By rectangle")) == [2, 3, 4, 5, 6, 12]


def test_a_polygon_is_drawn_cleared_and_taken_back(site: Site, browse: Open, lots: Lots) -> None:
    page = browse(width=820)
    chart = draw_page(site, page)
    chart.use("Polygon")
    for corner in [(-5, -5), (270, -5), (270, 120)]:
        chart.click(WEST_FT + corner[0], SOUTH_FT + corner[1])
    page.mouse.dblclick(*chart.pixel(WEST_FT - 5, SOUTH_FT + 120))
    chart.expect_count("3 properties chosen")
    page.get_by_role("button", name="Clear the map").click()
    chart.expect_count("No property chosen")
    page.get_by_role("button", name="Undo").click()
    chart.expect_count("3 properties chosen")
    assert json.loads(page.input_value("[name=area]"))["type"] == "Polygon"
    # The form may be typed as before, and the map follows.
    page.locator("details.more summary").click()
    page.fill("[name=parcels_in]", "K-11")
    page.locator("[name=parcels_in]").blur()
    chart.expect_count("4 properties chosen")
    page.fill("[name=parcels_out]", "K-99")
    page.locator("[name=parcels_out]").blur()
    chart.expect_count("The map has no parcel K-99.")
    page.fill("[name=parcels_out]", "")
    assert sorted(drawn(lots, page, "By polygon")) == [2, 4, 6, 11]


def test_a_route_takes_both_sides_of_the_street_in_its_order(site: Site, browse: Open, lots: Lots) -> None:
    page = browse()
    chart = draw_page(site, page)
    chart.use("Route")
    street = SOUTH_FT + SIDE_FT + STREET_FT / 2
    # From the east, and not as far as the first two lots.
    chart.click(WEST_FT + 600, street)
    chart.click(WEST_FT + 400, street)
    page.mouse.dblclick(*chart.pixel(WEST_FT + 290, street))
    chart.expect_count("8 properties chosen")
    order = drawn(lots, page, "By route")
    assert [sorted(order[n : n + 2]) for n in (0, 2, 4, 6)] == [[11, 12], [9, 10], [7, 8], [5, 6]]
    chart = DrawnMap(page)
    expect(page.locator("[data-count]")).to_have_text("8 properties, numbered in the order of the day.")


def test_the_map_works_by_keyboard(site: Site, browse: Open, lots: Lots) -> None:
    page = browse()
    chart = draw_page(site, page)
    chart.use("Rectangle")
    chart.element.focus()
    page.keyboard.press("-")
    page.wait_for_function("() => document.querySelector('.map').dataset.resolution > 0.4")
    page.keyboard.press("Enter")
    for key, axis, meters in (("ArrowRight", 0, 40), ("ArrowUp", 1, 30)):
        start = str(chart.element.get_attribute("data-center")).split()[axis]
        page.keyboard.press(key)
        page.wait_for_function(
            "([axis, least]) => Number(document.querySelector('.map').dataset.center.split(' ')[axis]) > least",
            arg=[axis, float(start) + meters],
        )
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]")).to_have_text(re.compile(r"^[1-9] propert"))
    assert page.input_value("[name=area]")
    page.keyboard.press("Backspace")
    chart.expect_count("No property chosen")
    assert page.url.endswith("/draw")


def test_the_wheel_zooms_the_map_once_it_is_clicked_and_scrolls_the_page_before(
    site: Site, browse: Open, lots: Lots
) -> None:
    page = browse()
    chart = draw_page(site, page)
    before = str(chart.element.get_attribute("data-resolution"))
    page.mouse.move(*chart.pixel(*middle(5)))
    page.mouse.wheel(0, 60)
    page.wait_for_function("() => scrollY > 0")
    assert chart.element.get_attribute("data-resolution") == before
    chart.click(*middle(5))
    page.mouse.wheel(0, -400)
    expect(chart.element).not_to_have_attribute("data-resolution", before)


def test_without_script_the_fields_do_it_all(site: Site, browse: Open, lots: Lots) -> None:
    page = browse(script=False)
    page.goto(site.at("field/packages/draw"))
    expect(page.locator(".map")).not_to_be_visible()
    page.locator("details.more summary").click()
    page.fill("[name=parcels_in]", "K-3\nK-1")
    page.select_option("[name=order]", "streets")
    assert drawn(lots, page, "By hand") == [1, 3]


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_a_page_with_a_map(site: Site, browse: Open, lots: Lots, width: int) -> None:
    axe = Axe.from_file(AXE) if AXE.exists() else Axe()
    page = browse(width=width)
    chart = draw_page(site, page)
    chart.click(*middle(1))
    chart.expect_count("1 property chosen")
    assert [each["id"] for each in axe.run(page).response["violations"]] == []
    assert drawn(lots, page, "For axe") == [1]
    DrawnMap(page)
    assert [each["id"] for each in axe.run(page).response["violations"]] == []
