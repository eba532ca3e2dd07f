"""The pages of work packages, by somebody signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from assessment.jobs import runs
from assessment.jobs.models import Job
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.packages.models import Package
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, draw
from tests.fieldsync.office.test_pages import FIELD, sign_in, text
from tests.fieldsync.packages.ground import lay_ground

DRAWN = {"title": "North", "kind": "revaluation", "list_year": 2026, "street": "MAIN ST", "limit": 4}


@pytest.fixture
def office(cast: Cast) -> Client:
    return sign_in(cast.assessor_a)


def said(office: Client, address: str, **fields: object) -> str:
    return office.post(f"{FIELD}/packages/{address}", fields, follow=True).content.decode()


def test_the_preview_says_what_it_would_be_and_draws_nothing(office: Client, houses: list[House]) -> None:
    draw(houses[:2], None)
    page = said(office, "draw", **DRAWN, step="preview")
    for words in ("4 properties, about", "2 in Route 12", "1 MAIN ST"):
        assert words in page
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Package.objects.count() == 1
    assert "4 properties" in said(office, "draw", **DRAWN, skip_open="on", step="draw")


def test_the_standing_with_the_law_is_on_the_page(office: Client, houses: list[House]) -> None:
    page = text(office, f"{FIELD}/packages/draw")
    assert "<strong>6</strong> properties had no full inspection" in page


def test_the_count_follows_the_form_and_asks_for_no_title(office: Client, houses: list[House]) -> None:
    lay_ground([house.property_id for house in houses])

    def count(**fields: object) -> tuple[object, ...]:
        form = {**DRAWN, "title": "", "street": "", **fields}
        answer = office.post(f"{FIELD}/packages/draw/count", form).json()
        return answer["fits"], answer["taken"], len(answer["parcels"]), answer["problem"]

    assert count() == (0, 0, 0, "")
    assert count(street="MAIN ST") == (6, 4, 6, "")
    assert count(parcels_in="1\n2", parcels_out="2") == (1, 1, 1, "")
    assert count(parcels_in="99") == (0, 0, 0, "The map has no parcel 99.")
    assert "Enter a whole number" in str(count(limit="many")[3])


def test_the_stops_are_given_in_the_order_of_the_day(office: Client, houses: list[House]) -> None:
    lay_ground([house.property_id for house in houses[:2]])
    package = draw([houses[2], houses[1], houses[0]], None)
    stops = office.get(f"{FIELD}/packages/{package.id}/stops").json()["stops"]
    assert [stop["address"] for stop in stops] == ["3 MAIN ST", "2 MAIN ST", "1 MAIN ST"]
    assert stops[0]["at"] is None
    (east, north), (west, _) = stops[1]["at"], stops[2]["at"]
    assert -72.91 < west < east < -72.89
    assert 41.38 < north < 41.40


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"street": "", "area": "1,2,3", "area_crs": "EPSG:4326"}, "neither a GeoJSON polygon nor a box"),
        ({"street": "", "area": "1,1,2,2", "area_crs": "EPSG:4326"}, "does not lie in Hamden"),
        ({"street": "", "identifiers": "X9"}, "None of these identifiers"),
        ({"street": ""}, "Choose properties by"),
        ({"area": "1,1,2,2", "area_crs": "EPSG:1"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_drawn_is_told_with_the_form_as_it_was(
    office: Client, houses: list[House], fields: dict[str, str], words: str
) -> None:
    page = said(office, "draw", **{**DRAWN, **fields}, step="preview")
    assert words in page
    assert 'value="North"' in page


def test_a_package_is_followed_from_its_build_to_its_end(
    office: Client, tablet: Tablet, houses: list[House], cast: Cast
) -> None:
    page = said(office, "draw", **DRAWN)
    assert "It is not built yet." in page
    with scope(SYSTEM, towns=[TOWN_A]):
        package, job = Package.objects.get(), Job.objects.get()
    assert runs.run(job.id, TOWN_A) == "succeeded"
    page = text(office, f"{FIELD}/packages/{package.id}/")
    for words in ("ndjson+gzip", "4 MAIN ST", "nobody"):
        assert words in page
    change = f"{package.id}/change"
    assert "Choose a tablet or a person first." in said(office, change, step="assign")
    assert "Cora Collector, on any tablet" in said(office, change, step="assign", person=cast.collector_a.id)
    assert "cannot be split into 9" in said(office, change, step="split", into="9")
    assert "North (2 of 2)" in said(office, change, step="split", into="2")
    assert "There is no such device." in said(office, change, step="assign", device=cast.collector_a.id)
    assert "is closed" in said(office, change, step="close")


def test_the_file_for_a_gis_is_linked(office: Client, houses: list[House]) -> None:
    package = draw(houses, None)
    address = f"{FIELD}/packages/{package.id}/package.gpkg"
    assert address in text(office, f"{FIELD}/packages/{package.id}/")
    answer = office.get(address)
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert answer.headers["Content-Type"] == "application/geopackage+sqlite3"
    assert content.startswith(b"SQLite format 3\0")
    answer = office.get(f"/api/v1/towns/hamden/field/packages/{package.id}/file?format=gpkg")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/geopackage+sqlite3")
    answer.close()


def test_the_api_previews_splits_and_shows_the_standing(office: Client, houses: list[House]) -> None:
    def post(address: str, body: object) -> tuple[int, dict[str, object]]:
        answer = office.post(f"/api/v1/towns/hamden/field/{address}", body, content_type="application/json")
        return answer.status_code, answer.json()

    box = {"area": "1,1,2,2", "area_crs": "EPSG:4326"}
    assert post("packages/preview", {"street": "MAIN ST"})[1]["count"] == 6
    status, problem = post("packages/preview", box)
    assert (status, problem["code"]) == (422, "area-invalid")
    status, drawn = post("packages", {"title": "x", "list_year": 2026, "selection": {"street": "MAIN ST"}})
    assert (status, drawn["record_count"]) == (200, 6)
    _, parts = post(f"packages/{drawn['id']}/split", {"into": 2})
    assert [part["record_count"] for part in parts] == [3, 3]  # type: ignore[call-overload,index]
    standing = office.get("/api/v1/towns/hamden/field/inspection-standing").json()
    assert (standing["count"], standing["never"], standing["oldest_on"]) == (6, 6, None)


def test_who_may_only_look_draws_nothing(cast: Cast, houses: list[House]) -> None:
    clerk, package = sign_in(cast.clerk_a), draw(houses, None)
    assert clerk.get(f"{FIELD}/packages/draw").status_code == 403
    page = text(clerk, f"{FIELD}/packages/{package.id}/")
    assert 'method="post" action="/t/hamden/field' not in page
    assert "GeoPackage" in page
