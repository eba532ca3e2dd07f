"""What a push does, over real HTTP with real commits."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from assessment.property.models import Building, Inspection, Observation
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.services import set_policy
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.conflicts.models import Conflict
from fieldsync.devices import services as device_services
from fieldsync.devices.models import Device
from fieldsync.push.models import Mutation, Quarantine
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, MakeTablet, draw


@pytest.fixture
def lenient(houses: list[House]) -> None:
    """The town lets every field of a building through at once."""
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        set_policy(
            Town.objects.get(code=TOWN_A),
            actor=SYSTEM,
            key="auto_accept_observations",
            value={"building": ["any"], "property": ["any"]},
            valid_from=dt.date(2020, 1, 1),
        )


def building(house: House) -> Building:
    with scope(SYSTEM, towns=[TOWN_A]):
        return Building.objects.get(id=house.building_id)


def set_building(house: House, **values: Any) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="the office"):
        Building.objects.filter(id=house.building_id).update(**values)


def take(tablet: Tablet, houses: list[House]) -> str:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    return str(package.id)


def test_a_patch_is_applied_and_comes_back(tablet: Tablet, houses: list[House], lenient: None) -> None:
    package_id = take(tablet, houses)
    house = houses[0]
    tablet.patch_card(str(house.property_id), {house.path("living_area_sqft"): 1846})
    (result,) = tablet.push()
    assert result["status"] == "applied"
    assert result["fields"] == {house.path("living_area_sqft"): "taken"}
    assert result["receipt"].startswith("r1.")
    assert building(house).living_area_sqft == 1846
    assert tablet.pull(package_id) == 1
    card = tablet.cards(package_id)[str(house.property_id)]
    assert card["building"][0]["living_area_sqft"] == 1846
    assert tablet.pull(package_id) == 0


def test_without_a_rule_a_patch_waits_for_a_person(tablet: Tablet, houses: list[House]) -> None:
    take(tablet, houses)
    house = houses[0]
    tablet.patch_card(str(house.property_id), {house.path("style"): "Ranch"})
    (result,) = tablet.push()
    assert (result["status"], result["fields"]) == ("applied", {house.path("style"): "pending"})
    assert building(house).style == "Colonial"
    with scope(SYSTEM, towns=[TOWN_A]):
        seen = Observation.objects.get(target_id=house.building_id, field="style")
    assert (seen.state, seen.value, seen.base_value) == ("pending", "Ranch", "Colonial")
    assert str(seen.mutation_id) == result["mutation_id"]


def test_changes_of_different_fields_are_both_kept(
    tablet: Tablet, houses: list[House], lenient: None
) -> None:
    take(tablet, houses)
    house = houses[0]
    set_building(house, style="Ranch")
    tablet.patch_card(str(house.property_id), {house.path("year_built"): 1952})
    (result,) = tablet.push()
    assert result["status"] in ("applied", "merged")
    kept = building(house)
    assert (kept.style, kept.year_built) == ("Ranch", 1952)


def test_a_clash_keeps_both_values_until_a_person_decides(
    tablet: Tablet, houses: list[House], lenient: None
) -> None:
    take(tablet, houses)
    house = houses[0]
    set_building(house, style="Ranch")
    tablet.patch_card(str(house.property_id), {house.path("style"): "Cape Cod"})
    (result,) = tablet.push()
    assert result["status"] == "conflict"
    assert building(house).style == "Ranch"
    with scope(SYSTEM, towns=[TOWN_A]):
        conflict = Conflict.objects.get()
    assert [str(conflict.id)] == result["conflict_ids"]
    assert (conflict.base, conflict.theirs, conflict.ours) == ("Colonial", "Ranch", "Cape Cod")
    assert (conflict.theirs_author, conflict.ours_author) == ("system: tests", "Cora Collector")
    assert conflict.field == house.path("style")


def test_an_offline_chain_of_two_steps_is_no_clash(
    tablet: Tablet, houses: list[House], lenient: None
) -> None:
    take(tablet, houses)
    house = houses[0]
    for year in (1951, 1952):
        tablet.patch_card(str(house.property_id), {house.path("year_built"): year})
    assert [result["status"] for result in tablet.push()] == ["applied", "applied"]
    assert building(house).year_built == 1952


def test_a_visit_with_what_was_seen_and_its_photo_come_in_one_batch(
    tablet: Tablet, houses: list[House], lenient: None
) -> None:
    take(tablet, houses)
    house = houses[0]
    inspection_id = tablet.create_inspection(
        str(house.property_id),
        entry_code="01",
        is_full_inspection=True,
        observations={house.path("condition"): {"base": "", "new": "Good"}},
    )
    tablet.take_photo(b"\xff\xd8\xff" + b"x" * 500, inspection_id=inspection_id, role="front")
    visit, photo = tablet.push()
    assert (visit["status"], visit["fields"]) == ("applied", {house.path("condition"): "taken"})
    assert (photo["status"], photo["upload"]["needed"]) == ("applied", True)
    assert building(house).condition == "Good"
    with scope(SYSTEM, towns=[TOWN_A]):
        kept = Inspection.objects.get(id=inspection_id)
    assert str(kept.device_id) == tablet.device_id
    assert kept.is_full_inspection


def test_a_photo_of_a_visit_that_has_not_come_is_held_until_it_comes(
    tablet: Tablet, houses: list[House]
) -> None:
    inspection_id = str(uuid4())
    tablet.take_photo(b"\xff\xd8\xff" + b"x" * 500, inspection_id=inspection_id)
    (held,) = tablet.push()
    assert (held["status"], held["held_for"]) == ("held", inspection_id)
    tablet.record(
        {
            "kind": "inspection.create",
            "entity_id": inspection_id,
            "data": {"property_id": str(houses[0].property_id), "entry_code": "01"},
        }
    )
    results = {r["mutation_id"]: r["status"] for r in tablet.push()}
    assert set(results.values()) == {"applied"}
    with scope(SYSTEM, towns=[TOWN_A]):
        assert set(Mutation.objects.values_list("status", flat=True)) == {"applied"}


def test_one_poisoned_item_stops_nothing(tablet: Tablet, houses: list[House], lenient: None) -> None:
    take(tablet, houses)
    good = [
        {
            "kind": "card.patch",
            "entity_id": str(h.property_id),
            "changes": {h.path("style"): {"base": "Colonial", "new": "Ranch"}},
        }
        for h in houses
    ]
    poison: list[dict[str, Any]] = [
        {"kind": "card.patch", "entity_id": str(uuid4()), "changes": {"comment": {"base": "", "new": "x"}}},
        {"kind": "card.patch", "entity_id": good[0]["entity_id"], "changes": {"no_such_field": {"base": 1, "new": 2}}},
        {"kind": "card.patch", "entity_id": good[0]["entity_id"], "changes": {"bad/path": {"base": 1, "new": 2}}},
        {"kind": "card.patch", "entity_id": good[0]["entity_id"], "changes": {}},
        {"kind": "card.patch", "entity_id": good[0]["entity_id"], "changes": {"comment": {"base": "", "new": "a\0b"}}},
        {"kind": "house.paint", "entity_id": good[0]["entity_id"]},
        {"kind": "card.patch", "entity_id": good[0]["entity_id"], "schema_version": 99, "changes": {}},
    ]  # fmt: skip
    tablet.record_many([*good[:3], *poison, *good[3:]])
    results = tablet.push()
    statuses = [result["status"] for result in results]
    assert statuses == ["applied"] * 3 + ["quarantined"] * 7 + ["applied"] * 3
    assert [result["code"] for result in results[3:10]] == [
        "property-unknown", "invalid", "field-unknown", "invalid", "unstorable", "kind-unknown", "schema-too-new",
    ]  # fmt: skip
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Quarantine.objects.count() == 7
    assert all(building(house).style == "Ranch" for house in houses)


def test_what_is_no_mutation_at_all_is_rejected_and_kept(tablet: Tablet, houses: list[House]) -> None:
    answer = tablet.push_batch(["nonsense", 7, {"kind": "card.patch"}])  # type: ignore[list-item]
    assert [(r["status"], r["index"]) for r in answer["results"]] == [
        ("rejected", 0),
        ("rejected", 1),
        ("rejected", 2),
    ]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert sorted(map(str, Mutation.objects.values_list("body", flat=True))) == sorted(
            ["nonsense", "7", "{'kind': 'card.patch'}"]
        )


def test_the_same_id_with_another_body_is_quarantined_and_both_are_kept(
    tablet: Tablet, houses: list[House], lenient: None
) -> None:
    take(tablet, houses)
    house = houses[0]
    first = tablet.patch_card(str(house.property_id), {house.path("style"): "Ranch"})
    tablet.push()
    other = {**first, "changes": {house.path("style"): {"base": "Colonial", "new": "Cape Cod"}}}
    for _ in range(2):
        (result,) = tablet.push_batch([other])["results"]
        assert (result["status"], result["code"]) == ("quarantined", "id-reused")
    assert building(house).style == "Ranch"
    with scope(SYSTEM, towns=[TOWN_A]):
        kept = Quarantine.objects.get()
        assert kept.other_body["changes"] == other["changes"]
        assert kept.mutation.body["changes"] == first["changes"]


def test_a_copied_device_is_found_by_its_numbers(tablet: Tablet, houses: list[House], lenient: None) -> None:
    take(tablet, houses)
    one, two = houses[:2]
    first = tablet.patch_card(str(one.property_id), {one.path("style"): "Ranch"})
    tablet.push()
    second = tablet.patch_card(str(two.property_id), {two.path("style"): "Ranch"})
    (result,) = tablet.push_batch([{**second, "device_seq": first["device_seq"]}])["results"]
    assert (result["status"], result["code"]) == ("quarantined", "device-clone-suspected")
    assert building(two).style == "Colonial"


def test_a_revoked_device_may_still_deposit_into_quarantine(tablet: Tablet, houses: list[House]) -> None:
    house = houses[0]
    tablet.patch_card(str(house.property_id), {house.path("style"): "Ranch"})
    tablet.me()
    with scope(SYSTEM, towns=[TOWN_A], reason="lost"):
        device_services.set_device_state(tablet.device_id, Device.State.REVOKED, actor=SYSTEM, reason="lost")
    (result,) = tablet.push()
    assert (result["status"], result["code"]) == ("quarantined", "device-revoked")
    assert building(house).style == "Colonial"


def test_a_person_without_a_role_in_the_town_changes_nothing(
    make_tablet: MakeTablet, houses: list[House], cast: Any
) -> None:
    tablet, house = make_tablet(cast.clerk_a), houses[0]
    tablet.patch_card(str(house.property_id), {house.path("style"): "Ranch"})
    tablet.patch_card(
        str(house.property_id), {house.path("style"): "Cape"}, actor_id=str(cast.collector_b.id)
    )
    assert [r["code"] for r in tablet.push()] == ["not-permitted", "person-unknown"]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Observation.objects.count() == 0


def test_a_batch_that_is_not_understood_changes_nothing(tablet: Tablet, houses: list[House]) -> None:
    tablet.me()
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    cases = [
        ({"content": b"{"}, 400, "bad-json"),
        ({"content": b'{"mutations": [NaN]}'}, 400, "bad-json"),
        ({"json": {"mutations": []}}, 422, "bad-batch"),
        ({"json": {"batch_id": str(uuid4()), "device_id": tablet.device_id, "mutations": [deep]}}, 400, "bad-json"),
        ({"json": {"batch_id": str(uuid4()), "device_id": str(uuid4()), "mutations": []}}, 403, "device-mismatch"),
        ({"json": {"mutations": [{}] * 201}}, 413, "batch-too-large"),
        ({"content": b"x" * (1024 * 1024 + 1)}, 413, "batch-too-large"),
        ({"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported-media"),
    ]  # fmt: skip
    for options, status, code in cases:
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        with pytest.raises(ProblemAnswer) as refused:
            tablet.transport.send("POST", "push", headers=headers, **options)
        assert (refused.value.status, refused.value.code) == (status, code)
        assert refused.value.headers["Content-Type"] == "application/problem+json"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Mutation.objects.count() == 0


def test_a_gzip_bomb_is_refused(tablet: Tablet) -> None:
    import gzip

    bomb = gzip.compress(b" " * 20_000_000)
    with pytest.raises(ProblemAnswer) as refused:
        tablet.transport.send(
            "POST",
            "push",
            content=bomb,
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        )
    assert refused.value.code == "batch-too-large"


def test_results_can_be_asked_for_again(tablet: Tablet, houses: list[House]) -> None:
    house = houses[0]
    tablet.patch_card(str(house.property_id), {house.path("style"): "Ranch"})
    (result,) = tablet.push()
    unknown = str(uuid4())
    ids = [result["mutation_id"], unknown]
    answer = tablet.transport.send("POST", "mutations/status", json={"ids": ids}).json()
    assert answer == {"results": [result], "unknown": [unknown]}


def test_the_acknowledged_number_waits_for_a_gap(tablet: Tablet, houses: list[House]) -> None:
    house = houses[0]
    for style in ("Ranch", "Cape", "Split"):
        tablet.patch_card(str(house.property_id), {house.path("style"): style})
    one, two, three = tablet.store.unfinished()
    assert tablet.push_batch([one, three])["ack_device_seq"] == 1
    assert tablet.push_batch([two])["ack_device_seq"] == 3


def test_a_clock_that_is_wrong_stops_nothing_and_is_noted(tablet: Tablet, houses: list[House]) -> None:
    take(tablet, houses)
    house = houses[0]
    tablet.patch_card(
        str(house.property_id), {house.path("style"): "Ranch"}, captured_at="2035-01-01T00:00:00Z"
    )
    (result,) = tablet.push()
    assert result["status"] == "applied"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Device.objects.get().clock_offset_ms is not None


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-11-22T08:55:01-22:10", "applied"),
        ("0001-01-01T00:00:00+10:00", "quarantined"),
        ("9999-12-31T23:59:59-10:00", "quarantined"),
        ("0332-02-05T18:47:44Z", "applied"),
    ],
)
def test_a_moment_that_no_column_can_hold_stops_no_batch(
    tablet: Tablet, houses: list[House], lenient: None, moment: str, status: str
) -> None:
    for house, captured_at in zip(houses, (moment, "2026-11-22T08:55:01Z"), strict=False):
        changes = {house.path("style"): {"base": "Colonial", "new": "Ranch"}}
        body = {"kind": "card.patch", "entity_id": str(house.property_id), "changes": changes}
        tablet.record(body, captured_at=captured_at)
    assert [result["status"] for result in tablet.push()] == [status, "applied"]
