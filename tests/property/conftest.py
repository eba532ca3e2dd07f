"""A card to work on: a house in town A, with its land, owner and sketch table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from assessment.property.models import Building, LandLine, Property
from assessment.property.services import add_row, create_property, install_standard_codes, transfer_ownership
from assessment.region.actors import Actor
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast


@dataclass(frozen=True)
class House:
    """The ids of a card's rows, and who works on it."""

    property_id: UUID
    building_id: UUID
    land_id: UUID
    town_code: int
    assessor: Actor
    collector: Actor
    clerk: Actor


def make_house(cast: Cast, address: str = "9 ELM ST", **values: object) -> House:
    """Create a house in town A; runs inside an open scope."""
    made = create_property(
        cast.town_a,
        actor=SYSTEM,
        reason="tests",
        address=address,
        use_code="1010",
        total_acres="0.25",
        **values,
    )
    land = add_row(made.id, actor=SYSTEM, target_kind="land_line", reason="tests", quantity="0.25")
    building = add_row(
        made.id, actor=SYSTEM, target_kind="building", reason="tests", style="Colonial", condition="A",
        year_built=1950, living_area_sqft=1820, percent_complete=100,
    )  # fmt: skip
    transfer_ownership(
        made.id, actor=SYSTEM, name="SMITH JOHN", transferred_on=dt.date(2015, 5, 1), reason="tests",
        mailing_address="9 ELM ST",
    )  # fmt: skip
    return House(
        made.id, building.pk, land.pk, cast.town_a.code,
        cast.actor(cast.assessor_a), cast.actor(cast.collector_a), cast.actor(cast.clerk_a),
    )  # fmt: skip


@pytest.fixture
def house(cast: Cast) -> Iterator[House]:
    """A house, inside the scope of town A for the whole test."""
    with scope(SYSTEM, towns=[cast.town_a.code], reason="tests"):
        install_standard_codes(cast.town_a, actor=SYSTEM)
        yield make_house(cast)


def fresh_building(house: House) -> Building:
    """The building as it is on record now."""
    return Building.objects.get(id=house.building_id)


def fresh_property(house: House) -> Property:
    """The property as it is on record now."""
    return Property.objects.get(id=house.property_id)


def fresh_land(house: House) -> LandLine:
    """The land line as it is on record now."""
    return LandLine.objects.get(id=house.land_id)
