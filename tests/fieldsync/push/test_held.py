"""What builds on something that has not come is held, and applied when it comes, in whatever batch."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from assessment.property.models import Observation
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, MakeTablet
from tests.fieldsync.push.test_push import building, lenient, set_building, take  # noqa: F401  a fixture among them


def statuses() -> dict[int, str]:
    with scope(SYSTEM, towns=[TOWN_A]):
        return dict(Mutation.objects.order_by("device_seq").values_list("device_seq", "status"))


def test_a_step_that_came_before_the_one_it_builds_on_waits_for_it(
    tablet: Tablet,
    houses: list[House],
    lenient: None,  # noqa: F811
) -> None:
    take(tablet, houses)
    house = houses[0]
    first = tablet.patch_card(str(house.property_id), {house.path("year_built"): 1951})
    second = tablet.patch_card(str(house.property_id), {house.path("year_built"): 1952})
    (early,) = tablet.push_batch([second])["results"]
    assert (early["status"], early["held_for"]) == ("held", str(house.property_id))
    assert early["held_since"]
    assert building(house).year_built == 1950
    (late,) = tablet.push_batch([first])["results"]
    assert late["status"] == "applied"
    assert building(house).year_built == 1952
    assert statuses() == {1: "applied", 2: "applied"}
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Observation.objects.count() == 2


def test_a_step_that_clashes_nothing_does_not_wait_for_a_gap(
    tablet: Tablet,
    houses: list[House],
    lenient: None,  # noqa: F811
) -> None:
    take(tablet, houses)
    tablet.patch_card(str(houses[1].property_id), {houses[1].path("year_built"): 1951})
    second = tablet.patch_card(str(houses[0].property_id), {houses[0].path("year_built"): 1952})
    assert tablet.push_batch([second])["results"][0]["status"] == "applied"


def test_a_clash_that_waited_for_a_gap_is_a_clash_when_the_gap_is_filled(
    tablet: Tablet,
    houses: list[House],
    lenient: None,  # noqa: F811
) -> None:
    take(tablet, houses)
    house = houses[0]
    set_building(house, year_built=1949)
    other = tablet.patch_card(str(houses[1].property_id), {houses[1].path("year_built"): 1951})
    clash = tablet.patch_card(str(house.property_id), {house.path("year_built"): 1952})
    assert tablet.push_batch([clash])["results"][0]["status"] == "held"
    tablet.push_batch([other])
    assert statuses() == {1: "applied", 2: "conflict"}
    (again,) = tablet.push_batch([clash])["results"]
    assert (again["status"], again["duplicate"]) == ("conflict", True)


def test_what_was_seen_on_a_building_that_another_tablet_found_waits_for_that_tablet(
    make_tablet: MakeTablet,
    houses: list[House],
    lenient: None,  # noqa: F811
) -> None:
    finder, other = make_tablet(), make_tablet()
    barn, key = str(uuid4()), str(houses[0].property_id)
    change: dict[str, Any] = {
        "kind": "card.patch", "entity_id": key,
        "changes": {f"building/{barn}/style": {"base": "Barn", "new": "Stable"}},
    }  # fmt: skip
    other.record(change)
    (held,) = other.push()
    assert (held["status"], held["held_for"]) == ("held", barn)
    finder.record(
        {
            "kind": "card.patch",
            "entity_id": key,
            "changes": {f"building/{barn}/*": {"new": {"style": "Barn"}}},
        }
    )
    (found,) = finder.push()
    assert (found["status"], found["fields"]) == ("applied", {f"building/{barn}/*": "pending"})
    (result,) = other.push()
    assert (result["status"], result["duplicate"]) == ("applied", True)
    assert result["fields"] == {f"building/{barn}/style": "pending"}
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Observation.objects.filter(target_id=barn).count() == 2


def test_a_visit_with_something_held_is_recorded_once_and_completed_later(
    tablet: Tablet,
    houses: list[House],
    lenient: None,  # noqa: F811
) -> None:
    barn, key = str(uuid4()), str(houses[0].property_id)
    tablet.create_inspection(
        key,
        entry_code="01",
        observations={
            houses[0].path("condition"): {"base": "", "new": "Good"},
            f"building/{barn}/style": {"base": "Barn", "new": "Stable"},
        },
    )
    assert [r["status"] for r in tablet.push()] == ["held"]
    assert building(houses[0]).condition == ""
    tablet.record(
        {
            "kind": "card.patch",
            "entity_id": key,
            "changes": {f"building/{barn}/*": {"new": {"style": "Barn"}}},
        }
    )
    assert {r["status"] for r in tablet.push()} == {"applied"}
    assert building(houses[0]).condition == "Good"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Observation.objects.count() == 3


def test_a_held_item_sent_many_times_is_applied_once(
    tablet: Tablet,
    houses: list[House],
    lenient: None,  # noqa: F811
) -> None:
    take(tablet, houses)
    house = houses[0]
    first = tablet.patch_card(str(house.property_id), {house.path("year_built"): 1951})
    second = tablet.patch_card(str(house.property_id), {house.path("year_built"): 1952})
    for _ in range(3):
        assert tablet.push_batch([second])["results"][0]["status"] == "held"
    tablet.push_batch([second, first])
    assert building(house).year_built == 1952
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Observation.objects.count() == 2


def test_a_clock_that_is_a_year_ahead_does_not_make_the_field_win(
    tablet: Tablet,
    houses: list[House],
    lenient: None,  # noqa: F811
) -> None:
    """The tablet says 2035 of itself too: what it saw is put back by that error before it is compared."""
    import datetime as dt

    take(tablet, houses)
    house = houses[0]
    ahead = dt.timedelta(days=3000)
    # A minute before the office's change: the way to the server takes time, and counts to the error of the clock.
    seen_at = dt.datetime.now(dt.UTC) + ahead - dt.timedelta(minutes=1)
    mutation = tablet.patch_card(
        str(house.property_id), {house.path("condition"): "Good"}, captured_at=seen_at.isoformat()
    )
    set_building(house, condition="Poor")
    body = {
        "batch_id": str(uuid4()),
        "device_id": tablet.device_id,
        "client_time": (dt.datetime.now(dt.UTC) + ahead).isoformat(),
        "mutations": [mutation],
    }
    (result,) = tablet.transport.send("POST", "push", json=body).json()["results"]
    assert result["status"] == "conflict"
