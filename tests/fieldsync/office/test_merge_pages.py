"""What was merged without asking is listed with both values, and the other one can be taken."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from assessment.property.models import Observation, Property
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.conflicts.merged import Merged, MergedFilter, list_merged, with_values
from fieldsync.packages.models import Package
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House
from tests.fieldsync.office.test_pages import FIELD, sign_in, text
from tests.fieldsync.push.test_push import building, lenient, set_building, take  # noqa: F401  a fixture among them

pytestmark = pytest.mark.usefixtures("lenient")


@pytest.fixture
def office(cast: Cast) -> Client:
    return sign_in(cast.assessor_a)


@pytest.fixture
def merged(tablet: Tablet, houses: list[House]) -> dict[str, Merged]:
    """One field of each policy that office and field both changed, by its name."""
    take(tablet, houses)
    house = houses[0]
    set_building(
        house, living_area_sqft=1822, condition="Poor", detail_code="13", estimated_fields=["bedrooms"]
    )
    with scope(SYSTEM, towns=[TOWN_A], reason="the office"):
        Property.objects.filter(id=house.property_id).update(comment="Office was here.")
    changes: dict[str, Any] = {
        "living_area_sqft": 1824,
        "condition": "Good",
        "detail_code": "22",
        "estimated_fields": ["baths_full"],
    }
    tablet.patch_card(str(house.property_id), {house.path(name): value for name, value in changes.items()})
    tablet.patch_card(str(house.property_id), {"comment": "Dog in the yard.", house.path("bedrooms"): 3})
    tablet.push()
    return read()


def read(**chosen: Any) -> dict[str, Merged]:
    with scope(SYSTEM, towns=[TOWN_A]):
        rows = with_values(list(list_merged(TOWN_A, MergedFilter(**chosen))))
    return {each.observation.field: each for each in rows}


def test_every_soft_merge_is_listed_with_both_values(merged: dict[str, Merged]) -> None:
    told = {name: (each.outcome, each.office, each.field, each.now) for name, each in merged.items()}
    comment = told.pop("comment")
    assert told == {
        "living_area_sqft": ("within-tolerance", 1822, 1824, 1822),
        "condition": ("field-won", "Poor", "Good", "Good"),
        "detail_code": ("office-kept", "13", "22", "13"),
        "estimated_fields": ("merged-set", ["bedrooms"], ["baths_full"], ["bedrooms", "baths_full"]),
    }
    assert comment[:3] == ("appended", "Office was here.", "Dog in the yard.")
    assert all(each.is_office_known for each in merged.values())


def test_the_list_is_narrowed(merged: dict[str, Merged]) -> None:
    assert set(read(outcome="field-won")) == {"condition"}
    assert set(read(field="comment")) == {"comment"}
    assert read(street="ELM") == {}
    with scope(SYSTEM, towns=[TOWN_A]):
        package = Package.objects.get()
    assert set(read(package_id=package.id)) in (set(), set(merged))
    assert read(package_id=UUID(int=1)) == {}


def test_the_other_value_is_taken_and_given_back(
    office: Client, houses: list[House], merged: dict[str, Merged]
) -> None:
    def choose(side: str, *names: str, reason: str = "measured again") -> str:
        ids = [str(merged[name].observation.id) for name in names]
        fields = {"observation": ids, "side": side, "reason": reason}
        return office.post(f"{FIELD}/merged/take", fields, follow=True).content.decode()

    assert "2 now have the field" in choose("field", "living_area_sqft", "detail_code")
    house = building(houses[0])
    assert (house.living_area_sqft, house.detail_code) == (1824, "22")
    assert "1 now have the office" in choose("office", "condition")
    assert building(houses[0]).condition == "Poor"
    # What the office had is still told, and either side can be taken again.
    assert {name: each.office for name, each in read().items()} == {
        name: each.office for name, each in merged.items()
    }
    choose("office", "living_area_sqft")
    choose("field", "condition")
    house = building(houses[0])
    assert (house.living_area_sqft, house.condition) == (1822, "Good")
    assert "give the reason" in choose("office", "condition", reason=" ")
    assert "Choose the office" in choose("neither", "condition")


def test_the_page_shows_them_and_only_who_may_takes(
    cast: Cast, office: Client, merged: dict[str, Merged]
) -> None:
    page = text(office, f"{FIELD}/merged/")
    for words in ("1 MAIN ST", "Seen later in the field", "Poor", "Good", "Cora Collector", "Tablet 1"):
        assert words in page
    assert "Poor" not in text(office, f"{FIELD}/merged/?outcome=appended")
    clerk = sign_in(cast.clerk_a)
    assert "Take the field" not in text(clerk, f"{FIELD}/merged/")
    ids = [str(merged["condition"].observation.id)]
    fields = {"observation": ids, "side": "office", "reason": "x"}
    assert clerk.post(f"{FIELD}/merged/take", fields).status_code == 403


def test_what_was_simply_taken_is_not_listed(tablet: Tablet, houses: list[House]) -> None:
    take(tablet, houses)
    tablet.patch_card(str(houses[0].property_id), {houses[0].path("condition"): "Good"})
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Observation.objects.get().state == "accepted"
    assert read() == {}
