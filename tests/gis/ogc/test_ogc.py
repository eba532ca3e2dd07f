"""OGC API - Features: what the standard asks for, and who may see what."""

from __future__ import annotations

import base64
import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from assessment.region.scope import scope
from gis.errors import QueryInvalid
from gis.layers.models import Layer, LayerFeature
from gis.ogc.access import find_person, make_token
from gis.ogc.rules import LIMIT_MOST, in_degrees, parse_query
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.gis.conftest import RealTown
from tests.gis.files import in_degrees as pyproj_degrees
from tests.gis.land import import_some, parcels_of

pytestmark = pytest.mark.django_db

ITEMS = "/ogc/collections/hamden-parcels/items"


@pytest.fixture(autouse=True)
def _land(hamden: RealTown, west_hartford: RealTown, cast: Cast, tmp_path: Path) -> None:
    import_some(hamden, cast.town_a, tmp_path, slice(0, 25))
    import_some(west_hartford, cast.town_b, tmp_path, slice(0, 5))


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def office(cast: Cast) -> Client:
    return client_of(cast.assessor_a)


def get(client: Client, address: str, **headers: str) -> Any:
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


class TestDocuments:
    def test_the_landing_page_links_to_what_the_standard_asks_for(self, office: Client):
        relations = {link["rel"]: link["href"] for link in get(office, "/ogc/")["links"]}
        assert {"self", "service-desc", "conformance", "data"} <= relations.keys()
        for address in relations.values():
            assert office.get(address).status_code == 200

    def test_core_and_geojson_are_conformed_to(self, office: Client):
        classes = get(office, "/ogc/conformance")["conformsTo"]
        assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in classes
        assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson" in classes

    def test_each_town_of_the_person_has_its_parcels(self, office: Client, cast: Cast):
        assert [c["id"] for c in get(office, "/ogc/collections")["collections"]] == ["hamden-parcels"]
        both = get(client_of(cast.coordinator), "/ogc/collections")["collections"]
        assert [c["id"] for c in both] == ["hamden-parcels", "west-hartford-parcels"]

    def test_a_collection_states_its_extent_in_degrees(self, office: Client):
        found = get(office, "/ogc/collections/hamden-parcels")
        ((west, south, east, north),) = found["extent"]["spatial"]["bbox"]
        assert -73.0 < west < east < -72.8
        assert 41.3 < south < north < 41.5

    def test_a_layer_is_a_collection_too(self, office: Client):
        with scope(SYSTEM, towns=[TOWN_A], reason="test"):
            layer = Layer.objects.create(
                town_id=TOWN_A,
                kind="neighbourhood",
                name="Assessing 2025",
                source_name="n.gpkg",
                source_sha256="0" * 64,
                source_crs="EPSG:2234",
                imported_at=timezone.now(),
            )
            area = shapely.box(950_000, 680_000, 960_000, 690_000)
            LayerFeature.objects.create(
                town_id=TOWN_A, layer=layer, code="N1", geom=shapely.to_wkb(area), bbox=area.bounds
            )
        address = "/ogc/collections/hamden-neighbourhood-assessing-2025/items"
        (feature,) = get(office, address)["features"]
        assert feature["properties"]["code"] == "N1"
        assert get(office, f"{address}?bbox=-72,41,-71.9,41.1")["features"] == []
        assert get(office, f"{address}/{feature['id']}")["properties"]["code"] == "N1"


class TestItems:
    def test_pages_follow_each_other_without_gap_or_repeat(self, office: Client):
        address, seen = f"{ITEMS}?limit=10", []
        while address:
            page = get(office, address)
            assert page["numberMatched"] == 25
            assert page["numberReturned"] == len(page["features"])
            seen += [feature["id"] for feature in page["features"]]
            address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        assert len(seen) == len(set(seen)) == 25

    def test_a_feature_is_geojson_with_the_parcels_shape_in_degrees(self, office: Client, cast: Cast):
        first = parcels_of(cast.town_a)[0]
        feature = get(office, f"{ITEMS}/{first.id}")
        drawn = shapely.geometry.shape(feature["geometry"])
        (expected,) = pyproj_degrees([first.shape])
        assert drawn.is_valid
        assert drawn.equals_exact(expected, 1e-6)
        assert feature["properties"]["parcel_key"] == first.parcel_key
        assert feature["properties"]["account_numbers"] == "1"
        assert {link["rel"] for link in feature["links"]} == {"self", "collection"}

    def test_a_bbox_finds_what_lies_in_it(self, office: Client, cast: Cast):
        first = parcels_of(cast.town_a)[0]
        (degrees,) = pyproj_degrees([first.shape])
        west, south, east, north = degrees.bounds
        page = get(office, f"{ITEMS}?bbox={west},{south},{east},{north}")
        keys = {feature["properties"]["parcel_key"] for feature in page["features"]}
        assert first.parcel_key in keys
        assert page["numberMatched"] == len(keys) < 25

    def test_a_bbox_far_away_finds_nothing(self, office: Client):
        for bbox in ("0,0,1,1", "-72,41,-71.9,41.1", "170,-80,179,-70"):
            assert get(office, f"{ITEMS}?bbox={bbox}")["numberMatched"] == 0

    def test_a_bbox_around_everything_finds_everything_and_pages_keep_it(self, office: Client):
        page = get(office, f"{ITEMS}?bbox=-74,41,-72,42&limit=20")
        assert page["numberMatched"] == 25
        (following,) = [link["href"] for link in page["links"] if link["rel"] == "next"]
        assert len(get(office, following)["features"]) == 5

    @pytest.mark.parametrize(
        "query",
        [
            "bbox=1,2,3",
            "bbox=a,b,c,d",
            "bbox=5,0,1,1",
            "bbox=nan,0,1,1",
            "limit=0",
            "limit=x",
            "offset=-1",
            "f=html",
            "colour=red",
        ],
    )
    def test_a_parameter_that_cannot_be_read_is_a_400_that_says_which(self, office: Client, query: str):
        response = office.get(f"{ITEMS}?{query}")
        assert response.status_code == 400
        problem = json.loads(response.content)
        assert problem["code"] == "query-invalid"
        assert problem["parameter"] == query.split("=")[0]

    def test_the_number_of_queries_does_not_grow_with_the_page(
        self, office: Client, django_assert_max_num_queries
    ):
        get(office, "/ogc/collections")
        with django_assert_max_num_queries(17) as small:
            get(office, f"{ITEMS}?limit=2")
        with django_assert_max_num_queries(17) as large:
            get(office, f"{ITEMS}?limit=25")
        assert len(small) == len(large)


class TestParameters:
    def test_a_limit_above_the_most_is_lowered_to_it(self):
        assert parse_query({"limit": "999999"}).limit == LIMIT_MOST

    def test_a_three_dimensional_bbox_is_read_flat(self):
        flat = parse_query({"bbox": "-73,41,-72,42"}).area
        assert parse_query({"bbox": "-73,41,-100,-72,42,900"}).area == flat

    def test_a_bbox_that_is_not_finite_is_refused(self):
        with pytest.raises(QueryInvalid):
            parse_query({"bbox": "-73,41,inf,42"})

    def test_degrees_are_those_of_the_file_that_the_parcels_came_from(self, hamden: RealTown):
        back = in_degrees(hamden.shapes[:50])
        for ours, theirs in zip(back, hamden.raw.shapes[:50], strict=True):
            assert ours.equals_exact(theirs, 2e-7)


class TestAccess:
    def token(self, person: Any, days: int = 1) -> str:
        return make_token(person, days=days, now=timezone.now())

    def test_a_token_reads_the_persons_towns_and_no_others(self, cast: Cast):
        other = parcels_of(cast.town_a)[0]
        bearer = {"Authorization": f"Bearer {self.token(cast.assessor_b)}"}
        found = get(Client(), "/ogc/collections", **bearer)["collections"]
        assert [c["id"] for c in found] == ["west-hartford-parcels"]
        address = f"/ogc/collections/west-hartford-parcels/items/{other.id}"
        assert Client().get(address, headers=bearer).status_code == 404

    def test_a_token_of_another_town_meets_no_collection(self, cast: Cast):
        bearer = {"Authorization": f"Bearer {self.token(cast.assessor_b)}"}
        assert Client().get(ITEMS, headers=bearer).status_code == 404

    def test_a_token_may_come_as_the_password_of_basic(self, cast: Cast):
        pair = base64.b64encode(f"gis:{self.token(cast.assessor_a)}".encode()).decode()
        assert get(Client(), ITEMS, Authorization=f"Basic {pair}")["numberMatched"] == 25

    @pytest.mark.parametrize(
        "header", ["", "Bearer nonsense", "Bearer ", "Basic %%%", "Basic Z2lzOg==", "Digest x"]
    )
    def test_nobody_is_asked_for_a_token(self, header: str):
        response = Client().get("/ogc/collections", headers={"Authorization": header} if header else {})
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Basic")
        assert json.loads(response.content)["code"] == "sign-in-needed"

    def test_a_token_ends_on_its_day(self, cast: Cast):
        token = self.token(cast.assessor_a, days=1)
        assert find_person(token, now=timezone.now()) == cast.assessor_a
        assert find_person(token, now=timezone.now() + dt.timedelta(days=1)) is None

    def test_a_token_ends_with_the_password_and_with_the_person(self, cast: Cast):
        token, other = self.token(cast.assessor_a), self.token(cast.assessor_b)
        cast.assessor_a.set_password("another long pass phrase")
        cast.assessor_a.save()
        cast.assessor_b.is_active = False
        cast.assessor_b.save()
        assert find_person(token, now=timezone.now()) is None
        assert find_person(other, now=timezone.now()) is None

    def test_a_token_of_somebody_without_a_role_shows_nothing(self, cast: Cast):
        found = get(Client(), "/ogc/collections", Authorization=f"Bearer {self.token(cast.nobody)}")
        assert found["collections"] == []

    def test_the_command_prints_a_token_that_works(self, cast: Cast):
        out = StringIO()
        call_command("gis_token", cast.assessor_a.email, "--days", "2", stdout=out)
        assert get(Client(), ITEMS, Authorization=f"Bearer {out.getvalue().strip()}")["numberMatched"] == 25

    @pytest.mark.parametrize("arguments", [["who@example.org"], ["ada.assessor@example.org", "--days", "0"]])
    def test_the_command_refuses_what_makes_no_token(self, arguments: list[str]):
        with pytest.raises(CommandError):
            call_command("gis_token", *arguments)

    def test_nothing_can_be_written(self, office: Client):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(office, method)(ITEMS).status_code == 405
