"""To whom a package goes, what it may weigh, how it is split, and who says that it is out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.db import connection

from assessment.region.errors import Conflict, Invalid, NotFound
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.services import set_policy
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.devices.models import Device
from fieldsync.packages import selectors, services
from fieldsync.packages.models import Package
from fieldsync.packages.rules import Budget, Selection
from fieldsync.problems import OverBudget
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, MakeTablet, draw

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper


def act(call: Any, *args: Any, **named: Any) -> Any:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        return call(*args, actor=SYSTEM, **named)


def titles(tablet: Tablet) -> list[str]:
    return [line["title"] for line in tablet.list_packages()]


def test_a_package_for_a_person_is_on_every_tablet_that_the_person_carries(
    make_tablet: MakeTablet, houses: list[House], cast: Cast
) -> None:
    one, two, other = make_tablet(), make_tablet(), make_tablet(cast.deputy_a)
    package = draw(houses, None)
    act(services.assign_package, package.id, person_id=cast.collector_a.id)
    assert (titles(one), titles(two), titles(other)) == (["Route 12"], ["Route 12"], [])
    one.download(str(package.id))
    act(services.assign_package, package.id, person_id=cast.deputy_a.id)
    assert (titles(one), titles(other)) == ([], ["Route 12"])
    act(services.take_back_package, package.id)
    assert titles(other) == []


def test_nobody_without_the_right_gets_one(houses: list[House], cast: Cast) -> None:
    package = draw(houses, None)
    with pytest.raises(Conflict, match="may not inspect"):
        act(services.assign_package, package.id, person_id=cast.clerk_a.id)
    for stranger in (cast.collector_b, cast.nobody):
        with pytest.raises(NotFound):
            act(services.assign_package, package.id, person_id=stranger.id)
    with pytest.raises(Invalid):
        act(services.assign_package, package.id)


def test_who_hands_a_package_out_stays_the_author(houses: list[House], cast: Cast) -> None:
    package = draw(houses, None)
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A], reason="test"), connection.cursor() as cursor:
        services.assign_package(package.id, person_id=cast.collector_a.id, actor=actor)
        cursor.execute("SELECT current_setting('grandlist.actor')")
        assert cursor.fetchone() == (str(cast.assessor_a.id),)


def test_a_tablet_carries_no_more_than_the_town_allows(tablet: Tablet, houses: list[House]) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        set_policy(
            Town.objects.get(code=TOWN_A), actor=SYSTEM, key=services.BUDGET_POLICY, value={"properties": 5},
            valid_from=dt.date(2020, 1, 1),
        )  # fmt: skip
    draw(houses[:3], tablet.device_id)
    with pytest.raises(OverBudget, match="6 properties where 5 are allowed"):
        draw(houses[3:], tablet.device_id)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Package.objects.count() == 1


def test_a_budget_counts_properties_and_bytes() -> None:
    budget = Budget(properties=10, megabytes=2)
    assert budget.excess(properties=10, byte_count=2_000_000) == ""
    assert "11 properties" in budget.excess(properties=11, byte_count=0)
    assert "3 MB" in budget.excess(properties=1, byte_count=3_000_000)


def test_a_split_package_loses_nothing_and_its_tablet_is_told_why(
    make_tablet: MakeTablet, houses: list[House]
) -> None:
    one, two = make_tablet(), make_tablet()
    package = draw(houses, one.device_id)
    one.download(str(package.id))
    made = act(services.split_package, package.id, 3)
    cursor = one.store.packages()[str(package.id)]
    page = one.transport.send("GET", f"packages/{package.id}/changes", params={"cursor": cursor}).json()
    assert {(change["op"], change["reason"]) for change in page["changes"]} == {("remove", "split")}
    one.pull(str(package.id))
    assert list(one.cards(str(package.id))) == [str(house.property_id) for house in houses[:2]]
    with scope(SYSTEM, towns=[TOWN_A]):
        runs = [selectors.list_records(each.id) for each in made]
        assert [each.record_count for each in Package.objects.order_by("drawn_at")] == [2, 2, 2]
    assert [key for run in runs for key in run] == [house.property_id for house in houses]
    assert [each.parent_id for each in made] == [None, package.id, package.id]
    act(services.assign_package, made[1].id, UUID(two.device_id))
    assert titles(two) == ["Route 12 (2 of 3)"]


@pytest.mark.parametrize("into", [0, 1, 7])
def test_a_package_is_not_split_into_nothing(houses: list[House], into: int) -> None:
    package = draw(houses, None)
    with pytest.raises(Invalid):
        act(services.split_package, package.id, into)


def test_checking_out_informs_and_hinders_nobody(make_tablet: MakeTablet, houses: list[House]) -> None:
    one, two = make_tablet(), make_tablet()
    package = draw(houses, None)
    act(services.assign_package, package.id, person_id=_person(one))
    path = f"packages/{package.id}"
    assert one.transport.send("POST", f"{path}/checkout").json()["is_checked_out_here"]
    [line] = two.list_packages()
    assert (line["is_checked_out_here"], bool(line["checked_out_at"])) == (False, True)
    two.download(str(package.id))
    two.transport.send("POST", f"{path}/release")
    assert one.list_packages()[0]["is_checked_out_here"]
    two.transport.send("POST", f"{path}/checkout")
    one.transport.send("POST", f"{path}/release")
    assert two.list_packages()[0]["is_checked_out_here"]
    two.transport.send("POST", f"{path}/release")
    assert two.list_packages()[0]["checked_out_at"] is None


def _person(tablet: Tablet) -> Any:
    with scope(SYSTEM, towns=[TOWN_A]):
        return Device.objects.get(id=tablet.device_id).person_id


def test_an_app_that_is_too_old_checks_nothing_out_and_pushes_all_the_same(
    tablet: Tablet, houses: list[House], settings: SettingsWrapper
) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    settings.FIELD_MIN_APP_VERSION = "99.0.0"
    with pytest.raises(ProblemAnswer) as refused:
        tablet.transport.send("POST", f"packages/{package.id}/checkout")
    assert refused.value.code == "app-too-old"
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"}, package_id=str(package.id))
    assert [result["status"] for result in tablet.push()] == ["applied"]


def test_a_route_is_taken_in_its_order(tablet: Tablet, houses: list[House]) -> None:
    wanted = [houses[place].property_id for place in (4, 0, 2)]
    package = act(
        services.draw_package,
        TOWN_A,
        title="x",
        selection=Selection(property_ids=tuple(wanted)),
        list_year=2026,
    )
    with scope(SYSTEM, towns=[TOWN_A]):
        assert selectors.list_records(package.id) == wanted
