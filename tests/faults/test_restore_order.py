"""Two tablets that worked on the same fields reconnect to a restored server in either order: nothing is lost."""

from __future__ import annotations

from uuid import UUID

import pytest

from assessment.region.scope import scope
from fieldsync.feed.selectors import get_head
from tests.cast import SYSTEM, TOWN_A
from tests.faults import acts
from tests.faults.conftest import NewWorld
from tests.faults.day import finish
from tests.faults.judge import judge
from tests.faults.world import Device, House, World

pytestmark = pytest.mark.slow

ROUNDS = 4


def share_houses(world: World, devices: list[Device]) -> list[House]:
    """Return the houses that both tablets carry."""
    carried = [
        {key for package in device.tablet.store.packages() for key in device.tablet.cards(package)}
        for device in devices
    ]
    return [world.by_property[key] for key in sorted(set.intersection(*carried)) if key in world.by_property]


def work_by_turns(world: World, devices: list[Device], houses: list[House]) -> None:
    """Let the tablets change the same fields of the same houses one after the other, photograph, and sync."""
    for number in range(ROUNDS):
        for device in devices:
            for house in houses:
                for name in ("living_area_sqft", "estimated_fields", "comment", acts.CLASHING[number]):
                    acts.patch(world, device, house, name)
                acts.photograph(world, device, {"property_id": house.property_id})
            acts.visit(world, device)
            assert world.sync(device, tries=1)


def heads_of(world: World) -> dict[str, int]:
    """Return how far the feed of each package is."""
    with scope(SYSTEM, towns=[TOWN_A]):
        return {package: get_head(UUID(package)) for package in world.packages}


def go_past(world: World, heads: dict[str, int]) -> None:
    """Let the office work on the restored server until it is past where the lost one was."""
    while any(head <= heads[package] for package, head in heads_of(world).items()):
        acts.edit(world)


@pytest.mark.parametrize("went_on", [False, True], ids=["at once", "past the old head"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["A then B", "B then A"])
def test_nothing_acknowledged_is_lost_whoever_reconnects_first(
    new_world: NewWorld, order: tuple[int, int], went_on: bool
) -> None:
    world = new_world(4, devices=2, houses=4)
    houses = share_houses(world, world.devices)
    assert houses
    work_by_turns(world, world.devices, houses[:1])
    world.back_up()
    work_by_turns(world, world.devices, houses[:2])
    acknowledged = [set(device.tablet.store.results()) for device in world.devices]
    heads = heads_of(world)
    world.restore()
    assert all(head < heads[package] for package, head in heads_of(world).items())
    if went_on:
        go_past(world, heads)
    for number in order:
        assert world.sync(world.devices[number], tries=3)
        missing = world.devices[number].tablet.reconcile()
        assert missing["missing_mutations"] == []
        assert missing["missing_photos"] == []
    finish(world)
    verdict = judge(world)
    assert verdict.troubles == []
    assert verdict.totals["lost"] == verdict.totals["doubled"] == 0
    held = [set(device.tablet.store.results()) for device in world.devices]
    assert all(before <= now for before, now in zip(acknowledged, held, strict=True))
