"""What a reader of the feed is told: fields instead of cards where that is known, or to take the snapshot."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from assessment.property.models import Building, Feature, Owner, Ownership, Property
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.feed import api, rules
from fieldsync.feed.models import FeedStep
from fieldsync.packages import services
from fieldsync.packages.models import Package
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, draw


@pytest.fixture
def package(tablet: Tablet, houses: list[House]) -> Package:
    """A package of six houses, taken by the tablet."""
    drawn = draw(houses, tablet.device_id)
    tablet.download(str(drawn.id))
    return drawn


def changes(tablet: Tablet, package: Package, **params: Any) -> dict[str, Any]:
    cursor = tablet.store.packages()[str(package.id)]
    path = f"packages/{package.id}/changes"
    answer = tablet.transport.send("GET", path, params={"cursor": cursor, "patches": "true", **params})
    return dict(answer.json())


def is_in_step(tablet: Tablet, package: Package) -> bool:
    """Pull, and say whether the tablet's own rows then agree without taking the package anew."""
    taken: list[str] = []
    tablet.download = taken.append  # type: ignore[method-assign,assignment]
    tablet.pull(str(package.id))
    return not taken


def test_only_the_fields_that_changed_are_told(tablet: Tablet, package: Package, houses: list[House]) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="grade"):
        Building.objects.update(grade="B", bedrooms=4)
        Property.objects.filter(id=houses[0].property_id).update(comment="corner")
    page = changes(tablet, package)
    assert page["changes"] == []
    groups = {tuple(group["paths"]): group["rows"] for group in page["patches"]}
    both = ("building/0/bedrooms", "building/0/grade")
    assert {paths: len(rows) for paths, rows in groups.items()} == {
        (*both, "version"): 5,
        (*both, "property/comment", "version"): 1,
    }
    [[_, key, *values]] = groups[(*both, "property/comment", "version")]
    assert (key, values) == (str(houses[0].property_id), [4, "B", "corner", 1])
    assert is_in_step(tablet, package)
    assert tablet.cards(str(package.id))[key]["building"][0]["grade"] == "B"


def test_who_does_not_ask_for_fields_gets_whole_cards(tablet: Tablet, package: Package) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="grade"):
        Building.objects.update(grade="B")
    page = changes(tablet, package, patches="false")
    assert ("patches" in page, len(page["changes"])) == (False, 6)


def test_a_row_that_came_or_went_makes_the_card_come_whole(
    tablet: Tablet, package: Package, houses: list[House]
) -> None:
    one, two = houses[0].property_id, houses[1].property_id
    with scope(SYSTEM, towns=[TOWN_A], reason="shed"):
        Feature.objects.create(town_id=TOWN_A, property_id=one, code="SHD")
        Building.objects.filter(property_id__in=[one, two]).update(grade="B")
    page = changes(tablet, package)
    assert [change["id"] for change in page["changes"]] == [str(one)]
    assert [row[1] for group in page["patches"] for row in group["rows"]] == [str(two)]
    assert is_in_step(tablet, package)


def test_a_record_that_joined_after_the_cursor_comes_whole(
    tablet: Tablet, package: Package, houses: list[House]
) -> None:
    fresh = build_houses_in_another_street()
    with scope(SYSTEM, towns=[TOWN_A], reason="joins"):
        services.change_members(package.id, actor=SYSTEM, add=[fresh])
    with scope(SYSTEM, towns=[TOWN_A], reason="leaves and joins"):
        services.change_members(package.id, actor=SYSTEM, remove=[houses[0].property_id])
    with scope(SYSTEM, towns=[TOWN_A], reason="leaves and joins"):
        services.change_members(package.id, actor=SYSTEM, add=[houses[0].property_id])
        Property.objects.filter(id__in=[fresh, houses[0].property_id]).update(comment="new")
    page = changes(tablet, package)
    assert {change["id"] for change in page["changes"]} == {str(fresh), str(houses[0].property_id)}
    assert is_in_step(tablet, package)


def build_houses_in_another_street() -> Any:
    with scope(SYSTEM, towns=[TOWN_A], reason="more"):
        return Property.objects.create(town_id=TOWN_A, account_number="X1", address="1 ELM ST").id


def test_an_owner_who_is_renamed_is_a_change_of_all_he_owns(
    tablet: Tablet, package: Package, houses: list[House]
) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="sold"):
        owner = Owner.objects.create(town_id=TOWN_A, name="OLD NAME")
        for house in houses[:2]:
            Ownership.objects.create(
                town_id=TOWN_A, property_id=house.property_id, owner=owner, valid_from=dt.date(2020, 1, 1)
            )
    assert is_in_step(tablet, package)
    with scope(SYSTEM, towns=[TOWN_A], reason="married"):
        Owner.objects.filter(id=owner.id).update(name="NEW NAME")
        Building.objects.filter(property_id=houses[0].property_id).update(grade="B")
    page = changes(tablet, package)
    assert {change["id"] for change in page["changes"]} == {str(h.property_id) for h in houses[:2]}
    assert is_in_step(tablet, package)
    assert tablet.cards(str(package.id))[str(houses[1].property_id)]["owner"] == ["NEW NAME"]


def test_patches_over_several_pages_and_transactions_add_up(
    tablet: Tablet, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    for grade in ("B", "C", "D"):
        with scope(SYSTEM, towns=[TOWN_A], reason=grade):
            Building.objects.update(grade=grade, style=f"Style {grade}")
    monkeypatch.setattr(api, "PAGE_MAX", 4)
    assert is_in_step(tablet, package)
    assert {card["building"][0]["style"] for card in tablet.cards(str(package.id)).values()} == {"Style D"}


def test_a_closed_package_keeps_no_steps(tablet: Tablet, package: Package) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="grade"):
        Building.objects.update(grade="B")
    with scope(SYSTEM, towns=[TOWN_A], reason="done"):
        assert FeedStep.objects.count() == 1
        services.close_package(package.id, actor=SYSTEM)
        assert FeedStep.objects.count() == 0


def test_who_is_far_behind_is_sent_to_the_snapshot_when_that_costs_less(
    tablet: Tablet, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="grade"):
        Building.objects.update(grade="B")
    monkeypatch.setattr(rules, "SMALL_DELTA_BYTES", 0)
    assert len(changes(tablet, package)["patches"]) == 1  # the snapshot is as old as the tablet's cursor
    services.build_package(package.id, town_code=TOWN_A, actor=SYSTEM)
    with pytest.raises(ProblemAnswer) as told:
        changes(tablet, package)
    assert (told.value.status, told.value.code, told.value.retry) == (
        410,
        "snapshot-advised",
        "refresh-manifest",
    )
    assert told.value.document["manifest"].endswith(f"/packages/{package.id}/manifest")
    assert tablet.pull(str(package.id)) == 6
    assert is_in_step(tablet, package)


def test_the_snapshot_is_advised_only_when_it_is_cheaper() -> None:
    snapshot = rules.Snapshot(head=1000, records=1000, byte_count=200_000)
    none, some, most = rules.Behind(0, 0), rules.Behind(500, 0), rules.Behind(1000, 0)
    assert rules.is_snapshot_cheaper(most, none, snapshot)
    assert not rules.is_snapshot_cheaper(some, none, snapshot)
    assert not rules.is_snapshot_cheaper(most, some, snapshot)
    assert not rules.is_snapshot_cheaper(rules.Behind(0, 1200), none, snapshot)
    small = rules.Snapshot(head=10, records=10, byte_count=2_000)
    assert not rules.is_snapshot_cheaper(rules.Behind(10, 0), none, small)


def test_a_snapshot_is_made_anew_when_the_delta_outgrows_it_or_daily() -> None:
    snapshot = rules.Snapshot(head=1000, records=1000, byte_count=200_000)
    assert not rules.is_rebuild_due(rules.Behind(0, 0), snapshot, age_s=90_000)
    assert rules.is_rebuild_due(rules.Behind(1, 0), snapshot, age_s=86_400)
    assert not rules.is_rebuild_due(rules.Behind(700, 0), snapshot, age_s=60)
    assert rules.is_rebuild_due(rules.Behind(1000, 0), snapshot, age_s=60)
