"""How many queries each page costs: a committed baseline, and the same however many rows there are.

After a change that is meant, write the new numbers into BASELINE and say why in the commit.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assessment.jobs.models import Job
from assessment.property.models import ImportRun, Observation, Property
from assessment.region.scope import scope
from assessment.sales.models import Transfer
from tests.canaries.world import NOW, World, make_world
from tests.cast import SYSTEM, Cast
from tests.office.conftest import make_house

BASELINE = {
    "/": 18,
    "": 21,
    "properties/": 14,
    "properties/?q=elm": 16,
    "properties/suggest?q=elm": 10,
    "properties/{property_id}/": 39,
    "properties/{property_id}/print": 33,
    "properties/{property_id}/comparables/": 12,
    "properties/{property_id}/income/": 13,
    "properties/{property_id}/history": 13,
    "cost-tables/": 12,
    "inspections/": 12,
    "sales/": 12,
    "grand-lists/": 12,
    "grand-lists/{grand_list_id}/": 15,
    "jobs/": 11,
    "imports/": 11,
    "people/": 11,
}


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.town_a, cast.assessor_a, "AARDVARK", cast.actor(cast.assessor_a))


def fill(world: World, number: int, street: str) -> None:
    """Add rows of everything that is listed."""
    for place in range(number):
        house = make_house(world.town, f"{place + len(street)} {street} STREET")
        with scope(SYSTEM, towns=[world.town.code], reason="more of it"):
            building = house.buildings.get()
            Observation.objects.create(
                town=world.town, property=house, target_kind="building", target_id=building.id, field="bedrooms",
                value=4, observed_on=dt.date(2026, 3, 1), list_year=2026,
            )  # fmt: skip
            Transfer.objects.create(
                town=world.town, list_year=2024, serial_number=f"{street}-{place}", recorded_on=NOW.date(), price=1000,
                property=house, match_method="exact", suggested_validity="usable", suggested_reason="no-code",
            )  # fmt: skip
            ImportRun.objects.create(
                town=world.town, kind="cama", file_name="a.csv", file_sha256="0" * 64, started_at=NOW
            )
            Job.objects.create(town=world.town, kind="canary", requested_by_name="x", sent_at=NOW)
            Property.objects.filter(id=world.ids["property_id"]).update(zoning=f"{street}-{place}")


def count(client: Client, world: World, page: str) -> int:
    address = page if page == "/" else f"/t/{world.town.slug}/{page.format(**world.ids)}"
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    return len([each for each in queries if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def test_no_page_costs_more_queries_than_its_baseline_or_with_more_rows(world: World) -> None:
    client = Client()
    client.force_login(world.person, backend="django.contrib.auth.backends.ModelBackend")
    fill(world, 1, "ELM")
    few = {page: count(client, world, page) for page in BASELINE}
    fill(world, 8, "ELMWOOD")
    many = {page: count(client, world, page) for page in BASELINE}
    assert {page: (few[page], many[page]) for page in BASELINE if many[page] > few[page]} == {}
    assert many == BASELINE
