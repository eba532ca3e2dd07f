from __future__ import annotations

import re
from pathlib import Path

import pytest
import shapely
from django.test import Client

from assessment.office.registries import PageScope, panels
from assessment.property.models import Property
from assessment.region.errors import NotFound
from assessment.region.ids import new_id
from assessment.region.scope import scope
from gis.boxes import Box
from gis.models import Parcel, ParcelProperty
from gis.selectors import find_site_map, get_site_map
from gis.sitemap.rules import Drawable, draw, path_data, window_around
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.gis.conftest import RealTown
from tests.gis.land import import_some

WINDOW = Box(0, 0, 640, 400)


def lot(x: float, y: float, width: float = 100, height: float = 100, **options) -> Drawable:
    shape = shapely.box(x, y, x + width, y + height)
    return Drawable(
        shape, options.pop("key", "k"), "1 ELM ST", options.pop("label", "1"), options.pop("is_this", False)
    )


def drawn(*lots: Drawable):
    return draw(lots, WINDOW, width_px=640, height_px=400, acres=1.0, description="parcel k")


class TestDrawing:
    def test_north_is_up_and_a_foot_is_a_pixel_here(self):
        (parcel,) = drawn(lot(100, 50, 200, 100, is_this=True)).parcels
        points = set(re.findall(r"[\d.]+ [\d.]+", parcel.path))
        assert points == {"100.0 350.0", "300.0 350.0", "300.0 250.0", "100.0 250.0"}

    def test_this_property_is_drawn_last_so_that_it_lies_on_top(self):
        picture = drawn(lot(0, 0, is_this=True, key="this"), lot(100, 0, key="next"))
        assert [parcel.parcel_key for parcel in picture.parcels] == ["next", "this"]

    def test_only_what_touches_is_a_neighbour(self):
        picture = drawn(lot(0, 0, is_this=True, key="this"), lot(100, 0, key="next"), lot(300, 0, key="far"))
        assert {parcel.parcel_key: parcel.is_neighbour for parcel in picture.parcels} == {
            "this": False,
            "next": True,
            "far": False,
        }

    def test_what_reaches_beyond_the_window_is_cut(self):
        picture = drawn(lot(-5_000, -5_000, 10_000, 10_000, is_this=True))
        numbers = [float(text) for text in re.findall(r"-?[\d.]+", picture.parcels[0].path)]
        assert max(numbers) < 700
        assert min(numbers) > -20

    def test_what_lies_outside_of_the_window_is_left_out(self):
        assert len(drawn(lot(0, 0, is_this=True), lot(9_000, 9_000)).parcels) == 1

    def test_a_hole_is_a_ring_of_its_own(self):
        yard = shapely.box(0, 0, 100, 100).difference(shapely.box(40, 40, 60, 60))
        assert path_data(yard).count("M") == 2

    def test_a_label_is_written_only_where_it_has_room(self):
        picture = drawn(lot(0, 0, is_this=True, label="12"), lot(200, 0, 10, 10, label="14"))
        assert [label.text for label in picture.labels] == ["12"]

    def test_the_scale_is_a_round_length_of_at_most_a_quarter(self):
        picture = drawn(lot(0, 0, is_this=True))
        assert (picture.scale_ft, picture.scale_px) == (100, 100.0)

    def test_a_window_has_the_pictures_proportions_and_room_for_the_surroundings(self):
        window = window_around([Box(1_000, 1_000, 1_400, 1_100)], width_px=640, height_px=400)
        width, height = window.max_x - window.min_x, window.max_y - window.min_y
        assert width / height == pytest.approx(1.6)
        assert width == pytest.approx(400 / 0.45)
        assert (window.min_x + window.max_x) / 2 == 1_200

    def test_a_small_lot_still_shows_its_surroundings(self):
        window = window_around([Box(0, 0, 10, 10)], width_px=640, height_px=400)
        assert window.max_x - window.min_x == 300


@pytest.mark.django_db
class TestRecordCard:
    @pytest.fixture
    def account(self, hamden: RealTown, cast: Cast, tmp_path: Path) -> Property:
        import_some(hamden, cast.town_a, tmp_path)
        with scope(SYSTEM, towns=[TOWN_A]):
            return ParcelProperty.objects.get(parcel__parcel_key="2031-010-00-0000").property

    def test_the_map_shows_the_property_and_its_neighbours(self, account: Property):
        with scope(SYSTEM, towns=[TOWN_A]):
            picture = get_site_map(account.id)
            assert picture.acres == pytest.approx(Parcel.objects.get(property_links__property=account).acres)
        this = [parcel for parcel in picture.parcels if parcel.is_this]
        assert [parcel.parcel_key for parcel in this] == ["2031-010-00-0000"]
        neighbours = [parcel for parcel in picture.parcels if parcel.is_neighbour]
        assert neighbours
        assert all(parcel.property_id for parcel in neighbours)
        assert "166" in [label.text for label in picture.labels if label.is_this]

    def test_the_map_takes_four_queries_whatever_it_shows(self, account: Property, django_assert_num_queries):
        with scope(SYSTEM, towns=[TOWN_A]), django_assert_num_queries(4):
            find_site_map(account.id)

    def test_a_property_without_a_parcel_has_no_map(self, cast: Cast):
        with scope(SYSTEM, towns=[TOWN_A], reason="test"):
            bare = Property.objects.create(town_id=TOWN_A, account_number="1")
            assert find_site_map(bare.id) is None
            with pytest.raises(NotFound):
                get_site_map(bare.id)

    def test_another_town_sees_no_map(self, account: Property):
        with scope(SYSTEM, towns=[TOWN_B]):
            assert find_site_map(account.id) is None
            assert find_site_map(new_id()) is None

    def test_the_panel_is_registered_and_left_out_without_a_parcel(self, account: Property, cast: Cast):
        panel = panels.get("gis.map")
        assert panel is not None
        actor = cast.actor(cast.assessor_a)
        with scope(actor, towns=[TOWN_A]):
            page = PageScope(actor, cast.town_a)
            assert panel.context(account.id, page) is not None
            assert panel.context(new_id(), page) is None

    def test_the_record_card_draws_the_map_without_script(self, account: Property, cast: Cast):
        client = Client()
        client.force_login(cast.assessor_a, backend="django.contrib.auth.backends.ModelBackend")
        page = client.get(f"/t/hamden/properties/{account.id}/").content.decode()
        assert "Map of parcel 2031-010-00-0000" in page
        neighbour = re.search(r'<a href="/t/hamden/properties/([0-9a-f-]{36})/" aria-label=', page)
        assert neighbour is not None
        assert client.get(f"/t/hamden/properties/{neighbour[1]}/").status_code == 200
        assert "style=" not in page[page.index("<svg") :].split("</svg>")[0]
