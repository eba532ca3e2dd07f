"""Two tablets with one identity, as after a copied storage: nothing is lost or doubled, and the office sees it."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.utils import timezone

from assessment.region.scope import scope
from fieldsync.alarms.selectors import list_alarms
from fieldsync.client import ProblemAnswer
from fieldsync.devices.selectors import get_device, list_events
from fieldsync.office.device_view import view_device
from tests.cast import TOWN_A
from tests.faults import acts
from tests.faults.conftest import NewWorld
from tests.faults.day import finish
from tests.faults.judge import judge
from tests.faults.world import Device, World

pytestmark = pytest.mark.slow


def part_ways(world: World) -> tuple[Device, Device]:
    """Copy the first tablet with unsent work in its outbox, and let both go on to work and sync."""
    first = world.devices[0]
    acts.visit(world, first)
    second = world.copy_tablet(first)
    for device in (first, second, first, second):
        acts.visit(world, device)
        world.sync(device, tries=1)
    return first, second


def test_work_of_both_is_kept_once_and_the_office_is_told(new_world: NewWorld) -> None:
    world = new_world(1, devices=2, houses=4)
    first, second = part_ways(world)
    key = UUID(first.tablet.device_id)
    with scope(world.office, towns=[TOWN_A]):
        now = timezone.now()
        alarms = [alarm.code for alarm in view_device(get_device(key), now=now).alarms]
        assert "clone-suspected" in alarms
        assert [alarm.code for alarm in list_alarms(now=now) if alarm.device_id == key] == alarms
        assert "copy-suspected" in {event.what for event in list_events(key)}
    for device in (first, second):
        with pytest.raises(ProblemAnswer, match="enrol-again"):
            device.tablet.download(world.packages[0])
    finish(world)
    verdict = judge(world)
    assert verdict.troubles == []
    assert verdict.totals["numbers used twice"] > 0
    assert verdict.totals["value in quarantine"] > 0


@pytest.mark.parametrize("comes_first", [0, 1], ids=["the first", "the copy"])
def test_a_restored_server_gets_back_what_both_had_under_the_same_numbers(
    new_world: NewWorld, comes_first: int
) -> None:
    world = new_world(2, devices=2, houses=4)
    world.back_up()
    twins = part_ways(world)
    world.restore()
    assert world.sync(world.devices[1], tries=3)
    for device in (twins[comes_first], twins[1 - comes_first]):
        world.sync(device, tries=2)
    finish(world)
    verdict = judge(world)
    assert verdict.troubles == []
    assert verdict.totals["lost"] == 0
    assert verdict.totals["numbers used twice"] > 0


def test_a_tablet_counts_on_behind_the_numbers_of_its_copy_once_it_was_cleared_up(
    new_world: NewWorld,
) -> None:
    world = new_world(3, devices=2, houses=4)
    first, second = part_ways(world)
    acts.clear_up_copies(world)
    assert second.is_out
    assert second.tablet.store.spans() == []
    before = judge(world).totals["numbers used twice"]
    acts.visit(world, first)
    finish(world)
    verdict = judge(world)
    assert verdict.troubles == []
    assert verdict.totals["numbers used twice"] == before
