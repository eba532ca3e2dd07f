"""Properties over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from assessment.property.models import Building, Observation, Owner
from assessment.property.services import apply_card_patch, record_confidentiality
from assessment.region.models import Person
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.property.conftest import House, fresh_building, make_house

TOWN = "/api/v1/towns/hamden/properties"


@pytest.fixture
def home(cast: Cast) -> House:
    """A house in town A, with a bedroom count that waits to be accepted."""
    with scope(SYSTEM, towns=[cast.town_a.code], reason="tests"):
        house = make_house(cast)
        apply_card_patch(
            house.property_id, actor=house.collector, target_kind="building", target_id=house.building_id,
            changes={"bedrooms": {"base": None, "new": 3}}, observed_on=dt.date(2026, 9, 1), list_year=2026,
        )  # fmt: skip
    return house


def client_of(person: Person) -> Client:
    """A signed-in browser."""
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def post(client: Client, address: str, body: dict[str, Any]) -> Any:
    """Send JSON."""
    return client.post(address, body, content_type="application/json")


def test_a_property_is_found_and_its_card_read(home: House, cast: Cast) -> None:
    client = client_of(cast.clerk_a)
    for query in ("?q=9 elm", ""):
        [line] = client.get(f"{TOWN}/{query}").json()
        assert (line["address"], line["owner"]) == ("9 ELM ST", "SMITH JOHN")
    card = client.get(f"{TOWN}/{line['property_id']}").json()
    assert (card["buildings"][0]["style"], card["pending_observations"], card["as_of"]) == (
        "Colonial",
        1,
        None,
    )
    today = client.get(f"{TOWN}/{line['property_id']}?on=2099-10-01").json()
    assert (today["buildings"][0]["style"], today["as_of"]) == ("Colonial", "2099-10-01")
    then = client.get(f"{TOWN}/{line['property_id']}?as_of=2099-10-01T12:00:00Z").json()
    assert then["buildings"][0]["style"] == "Colonial"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?on=2001-10-01", 404),
        ("?as_of=2026-10-01T12:00:00", 422),
        ("?on=2026-10-01&as_of=2026-10-01T12:00:00Z", 422),
        ("?on=soon", 422),
    ],
)
def test_a_card_of_no_known_day_is_refused_with_a_problem(
    home: House, cast: Cast, query: str, status: int
) -> None:
    response = client_of(cast.clerk_a).get(f"{TOWN}/{home.property_id}{query}")
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")


def test_history_is_paged(home: House, cast: Cast) -> None:
    client = client_of(cast.clerk_a)
    page = client.get(f"{TOWN}/{home.property_id}/history?limit=1").json()
    older = client.get(f"{TOWN}/{home.property_id}/history?before={page['next_before']}").json()
    assert page["entries"][0]["id"] > older["entries"][0]["id"]


def test_accepting_what_the_office_changed_meanwhile_says_why_it_still_waits(home: House, cast: Cast) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="the office's own count"):
        Building.objects.filter(id=home.building_id).update(bedrooms=5)
    client = client_of(cast.assessor_a)
    [line] = client.get(f"{TOWN}/observations").json()
    body = {"observation_ids": [line["id"]], "reason": "seen"}
    answer = post(client, f"{TOWN}/observations/accept", body)
    assert answer.status_code == 200
    assert answer.json()["accepted"] == []
    assert list(answer.json()["conflicts"]) == [line["id"]]


def test_what_waits_is_listed_accepted_and_gone(home: House, cast: Cast) -> None:
    client = client_of(cast.assessor_a)
    [waiting] = client.get(f"{TOWN}/observations").json()
    assert (waiting["field"], waiting["value"], waiting["address"]) == ("bedrooms", 3, "9 ELM ST")
    body = {"observation_ids": [waiting["id"]], "reason": "reviewed"}
    assert post(client, f"{TOWN}/observations/accept", body).json()["accepted"] == [waiting["id"]]
    assert client.get(f"{TOWN}/observations").json() == []
    assert post(client, f"{TOWN}/observations/reject", body).json() == {"rejected": 0}
    with scope(SYSTEM, towns=[home.town_code]):
        assert fresh_building(home).bedrooms == 3


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_deciding_needs_the_permission_and_a_reason(home: House, cast: Cast, verb: str) -> None:
    with scope(SYSTEM, towns=[home.town_code]):
        waiting = str(Observation.objects.get().id)
    body = {"observation_ids": [waiting], "reason": "x"}
    for person, status in (
        (cast.collector_a, 403),
        (cast.clerk_a, 403),
        (cast.assessor_b, 404),
        (cast.nobody, 404),
    ):
        assert post(client_of(person), f"{TOWN}/observations/{verb}", body).status_code == status
    empty = post(client_of(cast.assessor_a), f"{TOWN}/observations/{verb}", {**body, "reason": ""})
    assert empty.status_code == 422
    assert Client().post(
        f"{TOWN}/observations/{verb}", body, content_type="application/json"
    ).status_code in (
        302,
        401,
        403,
    )


def test_a_confidential_owner_is_not_named_to_a_clerk(home: House, cast: Cast) -> None:
    with scope(SYSTEM, towns=[home.town_code], reason="t"):
        record_confidentiality(
            Owner.objects.get().id, actor=SYSTEM, requested_on=dt.date(2026, 1, 5), agency="Judicial Branch"
        )
    for address in (
        f"{TOWN}/",
        f"{TOWN}/?q=9 elm",
        f"{TOWN}/{home.property_id}",
        f"{TOWN}/{home.property_id}/history",
    ):
        assert "SMITH" not in client_of(cast.clerk_a).get(address).content.decode()
    assert "SMITH" in client_of(cast.assessor_a).get(f"{TOWN}/").content.decode()


def test_a_page_of_the_list_takes_the_same_number_of_queries_however_long(
    home: House, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    with scope(SYSTEM, towns=[home.town_code], reason="t"):
        for number in range(5):
            make_house(cast, address=f"{number} OAK ST")
    client = client_of(cast.clerk_a)
    client.get(f"{TOWN}/")
    with django_assert_max_num_queries(14):
        assert len(client.get(f"{TOWN}/").json()) == 6
