"""Inspections to accept: the queue, deciding, and taking it back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from assessment.property.models import Building, Observation
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.office.conftest import Houses, SignedIn


@pytest.fixture
def observation(cast: Cast, houses: Houses) -> Observation:
    """Four bedrooms were seen where none was on record."""
    with scope(SYSTEM, towns=[cast.town_a.code], reason="seen"):
        building = Building.objects.get(property=houses.in_a)
        return Observation.objects.create(
            town=cast.town_a, property=houses.in_a, target_kind="building", target_id=building.id, field="bedrooms",
            value=4, observed_on=dt.date(2026, 3, 1), list_year=2026,
        )  # fmt: skip


def bedrooms(cast: Cast, houses: Houses) -> int | None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        return Building.objects.get(property=houses.in_a).bedrooms


def post(client: Client, cast: Cast, action: str, **values: object) -> str:
    answer = client.post(f"/t/{cast.town_a.slug}/inspections/{action}", values, follow=True)
    return answer.content.decode()


def test_the_queue_shows_what_is_on_record_and_what_was_seen(
    cast: Cast, observation: Observation, sign_in: SignedIn
) -> None:
    page = sign_in(cast.assessor_a).get(f"/t/{cast.town_a.slug}/inspections/").content.decode()
    for text in ("12 ELM STREET", "Bedrooms", "<strong>4</strong>", str(observation.id)):
        assert text in page


def test_accepting_changes_the_record_and_taking_back_puts_it_back(
    cast: Cast, houses: Houses, observation: Observation, sign_in: SignedIn
) -> None:
    client = sign_in(cast.assessor_a)
    page = post(client, cast, "decide", observation=str(observation.id), reason="seen", decision="accept")
    assert "1 accepted and on record" in page
    assert bedrooms(cast, houses) == 4
    assert "1 wait again" in post(client, cast, "undo")
    assert bedrooms(cast, houses) is None
    assert str(observation.id) in client.get(f"/t/{cast.town_a.slug}/inspections/").content.decode()


def test_rejecting_leaves_the_record_as_it_was(
    cast: Cast, houses: Houses, observation: Observation, sign_in: SignedIn
) -> None:
    client = sign_in(cast.assessor_a)
    assert "1 rejected" in post(
        client, cast, "decide", observation=str(observation.id), reason="wrong house", decision="reject"
    )
    assert bedrooms(cast, houses) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [({"reason": "seen"}, "Mark at least one"), ({"reason": " ", "with_id": True}, "Give the reason")],
)
def test_a_decision_without_a_line_or_a_reason_decides_nothing(
    cast: Cast,
    houses: Houses,
    observation: Observation,
    sign_in: SignedIn,
    values: dict[str, object],
    said: str,
) -> None:
    if values.pop("with_id", False):
        values["observation"] = str(observation.id)
    assert said in post(sign_in(cast.assessor_a), cast, "decide", decision="accept", **values)
    assert bedrooms(cast, houses) is None


def test_those_who_may_not_decide_see_the_queue_without_controls(
    cast: Cast, observation: Observation, sign_in: SignedIn
) -> None:
    client = sign_in(cast.collector_a)
    page = client.get(f"/t/{cast.town_a.slug}/inspections/").content.decode()
    assert "12 ELM STREET" in page
    assert "Accept marked" not in page
    values = {"observation": str(observation.id), "reason": "seen", "decision": "accept"}
    assert client.post(f"/t/{cast.town_a.slug}/inspections/decide", values).status_code == 403


def test_the_home_page_counts_what_waits(cast: Cast, observation: Observation, sign_in: SignedIn) -> None:
    page = sign_in(cast.assessor_a).get(f"/t/{cast.town_a.slug}/").content.decode()
    assert "Observations to accept" in page
    assert '<span class="tile__count">1</span>' in page


def test_nothing_to_take_back_is_said_so(cast: Cast, sign_in: SignedIn) -> None:
    answer = sign_in(cast.assessor_a).post(f"/t/{cast.town_a.slug}/inspections/undo")
    assert answer.status_code == 422
    assert "nothing to take back" in answer.content.decode()
