"""A property of each town, and people signed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from assessment.property.models import Building, Owner, Ownership, Permit, Property, PropertyAlias, Section
from assessment.region.models import Person, Town
from assessment.region.scope import scope
from tests.cast import PASSWORD, SYSTEM, Cast

SignedIn = Callable[[Person], Client]


@dataclass(frozen=True)
class Houses:
    """One ordinary house in each town."""

    in_a: Property
    in_b: Property


@pytest.fixture(autouse=True)
def _plain_static_files(settings: LazySettings, tmp_path: Path) -> None:
    """Name static files plainly: the tests of pages need no client build."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def sign_in(settings: LazySettings) -> SignedIn:
    """Return a client in which the person has signed in at the front door."""

    def make(person: Person) -> Client:
        client = Client(raise_request_exception=False)
        answer = client.post("/sign-in", {"username": person.email, "password": PASSWORD})
        assert answer.status_code == 302, answer.content
        return client

    return make


@pytest.fixture
def houses(cast: Cast) -> Houses:
    """A house with a sketch, an owner and a permit in each town."""
    return Houses(make_house(cast.town_a, "12 ELM STREET"), make_house(cast.town_b, "7 CANARY LANE"))


def make_house(town: Town, address: str) -> Property:
    """Create a house that has something on every panel."""
    number, street = address.split(" ", 1)
    with scope(SYSTEM, towns=[town.code], reason="a house for the tests"):
        house = Property.objects.create(
            town=town, account_number=f"{town.code}-{number}", address=address, address_number=number,
            street_name=street, use_code="1010", use_description="Single family", state_class="100",
            neighbourhood="0040", total_acres="0.34",
        )  # fmt: skip
        PropertyAlias.objects.create(
            town=town, property=house, id_type="mbl", value=f"{number}/1", valid_from=dt.date(2010, 1, 1)
        )
        building = Building.objects.create(
            town=town, property=house, style="Colonial", year_built=1962, living_area_sqft=1920
        )
        Section.objects.create(
            town=town, property=house, building=building, label="BAS", area_sqft=960, perimeter_ft=128,
            points_ft=[[0, 0], [40, 0], [40, 24], [0, 24]],
        )  # fmt: skip
        owner = Owner.objects.create(
            town=town, name=f"OWNER OF {address}", mailing_address=f"PO BOX {number}", mailing_city=town.name
        )
        Ownership.objects.create(town=town, property=house, owner=owner, valid_from=dt.date(2011, 5, 2))
        Permit.objects.create(
            town=town, property=house, permit_number=f"B-{number}", issued_on=dt.date(2024, 4, 4), kind="addition",
            description="Deck", estimated_cost=18000,
        )  # fmt: skip
    return house
