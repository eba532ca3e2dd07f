"""Cards are written by the database in the one spelling that both ends hash."""

from __future__ import annotations

import json

import pytest

from assessment.property.models import Building, Feature, LandLine, Property, Section
from assessment.region.scope import scope
from fieldsync.feed.rules import canonical_json
from fieldsync.packages import cards
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House

ODD = 'a "b" \\ / \b\f\n\r\t\x01\x1f\x7f é 家 \u2028 \U0001f3e0'


@pytest.fixture
def odd_card(houses: list[House]) -> str:
    """The text of a card with a row in each table and every character that needs thought."""
    key = houses[0].property_id
    town = {"town_id": TOWN_A, "property_id": key}
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        Property.objects.filter(id=key).update(
            comment=ODD, user_fields={"10": 1, "9": ODD, "1": 2.5}, total_acres="0.2500"
        )
        building = Building.objects.get(property_id=key)
        Building.objects.filter(id=building.id).update(
            use_mix=[{"use": "é", "percent": 12.5}], stories="1.50"
        )
        points = [[0, 0], [30.5, -0.25], [30.0, 1e-3]]
        Section.objects.create(
            building=building, label="BAS", points_ft=points, area_sqft="750.00", perimeter_ft=110, **town
        )
        Section.objects.create(
            building=building, label="FUS", points_ft=[[0, 0], [3, -4]], area_sqft=1, perimeter_ft=1, **town
        )
        LandLine.objects.create(quantity="0.5", **town)
        Feature.objects.create(code="SHD", quantity="1234567.89", **town)
        return cards.render_texts([key])[key]


def test_a_card_is_in_canonical_json(odd_card: str) -> None:
    card = json.loads(odd_card, parse_float=pytest.fail)
    assert canonical_json(card).decode() == odd_card
    assert card["property"]["comment"] == ODD
    assert card["property"]["user_fields"] == {"1": "2.5", "10": 1, "9": ODD}
    assert [row["points_ft"] for row in card["section"]] == [
        [[0, 0], ["30.5", "-0.25"], ["30", "0.001"]],
        [[0, 0], [3, -4]],
    ]
    assert card["feature"][0]["quantity"] == "1234567.89"


def test_a_card_names_every_row_by_its_id_and_hides_what_is_no_tablets_business(odd_card: str) -> None:
    card = json.loads(odd_card)
    assert set(card) == {*cards.CHILD_MODELS, "property", "owner", "photo", "version"}
    assert all("id" in row for kind in cards.CHILD_MODELS for row in card[kind])
    assert "id" not in card["property"]
    assert not {"town_id", "property_id", "updated_at"} & set(card["building"][0])


def test_a_property_that_is_not_there_has_no_card(houses: list[House]) -> None:
    with scope(SYSTEM, towns=[TOWN_A]):
        assert cards.render_texts([]) == {}
        assert cards.render_texts([houses[0].building_id]) == {}
