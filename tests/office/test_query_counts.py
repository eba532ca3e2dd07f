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
from assessment.property.models import ImportRun, Observation, Photo, Property
from assessment.region.ids import new_id
from assessment.region.scope import scope
from assessment.sales.models import Transfer
from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device
from fieldsync.feed.services import add_records
from fieldsync.packages.models import Package
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.quality.models import Recheck, RecheckItem
from fieldsync.reconciliation.models import Statement
from tests.canaries import field_world  # noqa: F401  registers its makers
from tests.canaries.world import NOW, World, make_world
from tests.cast import SYSTEM, Cast
from tests.office.conftest import make_house
from valuation.income.models import IncomeRates

BASELINE = {
    "/": 18,
    "": 21,
    "properties/": 14,
    "properties/?q=elm": 16,
    "properties/suggest?q=elm": 10,
    "properties/{property_id}/": 39,
    "properties/{property_id}/print": 33,
    "properties/{property_id}/comparables/": 14,
    "properties/{property_id}/income/": 13,
    "properties/{property_id}/history": 13,
    "cost-tables/": 12,
    "income-rates/?year=2025": 13,
    "cost-tables/{table_change_id}/": 13,
    "inspections/": 12,
    "sales/": 12,
    "grand-lists/": 12,
    "grand-lists/{grand_list_id}/": 15,
    "jobs/": 11,
    "imports/": 11,
    "people/": 11,
    "field/packages/": 11,
    "field/packages/draw": 13,
    "field/packages/{package_id}/": 19,
    "field/packages/{package_id}/stops": 11,
    "field/rechecks/": 12,
    "field/rechecks/{recheck_id}/": 12,
    "field/devices/": 14,
    "field/devices/{device_id}/": 19,
    "field/alarms/": 11,
    "field/conflicts/": 13,
    "field/conflicts/{conflict_id}/": 15,
    "field/merged/": 14,
    "field/quarantine/": 14,
    "field/quarantine/{quarantine_id}/": 11,
    "field/held/": 12,
    "field/photos/": 11,
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
            IncomeRates.objects.create(
                town=world.town,
                list_year=2025,
                mill_rate=30,
                source=street,
                rates={"multi": {"rent_dollars": 9}},
            )
            ImportRun.objects.create(
                town=world.town, kind="cama", file_name="a.csv", file_sha256="0" * 64, started_at=NOW
            )
            Job.objects.create(town=world.town, kind="canary", requested_by_name="x", sent_at=NOW)
            _fill_field(world, f"{street} {place}", house)
            Property.objects.filter(id=world.ids["property_id"]).update(zoning=f"{street}-{place}")


def _fill_field(world: World, name: str, house: Property) -> None:
    """Add what the field's pages list: a tablet with a package, a conflict, a statement, what waits and what is held."""
    town = world.town.code
    device = Device.objects.create(
        town_id=town, name=name, public_key=name, enrolled_at=NOW, last_seen_at=NOW, person=world.person
    )
    package = Package.objects.create(
        town_id=town, title=name, list_year=2026, device=device, drawn_at=NOW, person=world.person
    )
    add_records(Package.objects.get(id=world.ids["package_id"]), [house.id], actor=SYSTEM)
    Package.objects.create(town_id=town, title=f"{name}, part", list_year=2026, parent=package, drawn_at=NOW)
    mutations = [
        Mutation.objects.create(
            town_id=town, mutation_id=new_id(), device=device, device_seq=seq, batch_id=new_id(), kind="card.patch",
            entity_id=house.id, schema_version=2, body={"kind": "card.patch"}, sha256="0" * 64, status=status,
            received_at=NOW, held_for=new_id() if status == "held" else None,
        )
        for seq, status in enumerate(("conflict", "quarantined", "held"))
    ]  # fmt: skip
    Conflict.objects.create(
        town_id=town, property=house, mutation=mutations[0], device=device, field="comment", base="", theirs="a",
        ours="b", ours_author=name, arose_at=NOW,
    )  # fmt: skip
    Quarantine.objects.create(
        town_id=town, mutation=mutations[1], device=device, code=f"code {name}", quarantined_at=NOW,
        proposed_by=world.person, proposed_at=NOW, proposed_reason=name,
    )  # fmt: skip
    for of_device in (device.id, world.ids["device_id"]):
        Statement.objects.create(
            town_id=town, device_id=of_device, stated_at=NOW, records_claimed=1, records_here=1, photos_claimed=0,
            photos_here=0, held_count=0, quarantined_count=1, open_conflict_count=1, is_complete=False,
            is_store_lost=False, summary=name, token=f"s1.{name}",
        )  # fmt: skip
    kept = Mutation.objects.create(
        town_id=town, mutation_id=new_id(), device=device, device_seq=9, batch_id=new_id(), kind="card.patch",
        schema_version=2, body={}, sha256="0" * 64, status="merged", received_at=NOW,
        result={"fields": {"zoning": "office-kept"}},
    )  # fmt: skip
    Observation.objects.create(
        town_id=town, property=house, target_kind="property", target_id=house.id, field="zoning", value=name,
        observed_on=NOW.date(), list_year=2026, state="superseded", decided_rule="office-kept", decided_at=NOW,
        mutation_id=kept.mutation_id, observed_by=world.person,
    )  # fmt: skip
    Photo.objects.create(town_id=town, property=house, state="missing", sha256="1" * 64, role="front")
    recheck = Recheck.objects.create(
        town_id=town,
        package=package,
        first_person=world.person,
        seed=1,
        percent=5,
        population=1,
        drawn_at=NOW,
    )
    for of_recheck in (recheck.id, world.ids["recheck_id"]):
        RecheckItem.objects.create(
            town_id=town, recheck_id=of_recheck, property=house, first_inspection_id=world.ids["inspection_id"],
            comparison=[{"path": name, "first": "a", "second": "a", "agrees": True}],
        )  # fmt: skip


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
