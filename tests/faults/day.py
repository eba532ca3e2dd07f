"""Device-days: what tablets and the office do from morning to evening, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from tests.databases import TestDatabase
from tests.faults import acts
from tests.faults.judge import Verdict, judge
from tests.faults.world import Device, World

# A device-day is at least 40 mutations and 30 photos over at least one broken connection.
VISITS, PATCHES, PHOTOS = 10, 3, 3
MOST_FAULTS = 5


@dataclass(frozen=True, slots=True)
class Span:
    """How much one seed is: so many tablets for so many days."""

    devices: int = 4
    days: int = 5
    houses: int = 24

    @property
    def device_days(self) -> int:
        """How many device-days that is."""
        return self.devices * self.days


def live(seed: int, database: TestDatabase, folder: Path, span: Span) -> tuple[World, Verdict]:
    """Let a seed's days pass and judge what is there at the end; the caller closes the world."""
    world = World(random.Random(seed), database, folder, devices=span.devices, houses=span.houses)
    for day in range(span.days):
        pass_day(world, day)
    finish(world)
    return world, judge(world)


def finish(world: World) -> None:
    """Let everybody in who is not out for good, and everything come to rest."""
    for device in world.devices:
        if not device.is_out:
            acts.set_state(world, device, "active")
    world.settle()


def pass_day(world: World, day: int) -> None:
    """Let a day pass: each tablet's morning, two shifts and evening, and the office in between."""
    rng = world.rng
    steps: list[tuple[Device, int]] = []
    for device in world.devices:
        if not device.is_out:
            acts.plan_faults(world, device, most=MOST_FAULTS)
            steps += [(device, step) for step in range(4)]
    rng.shuffle(steps)
    steps.sort(key=lambda step: step[1] // 2)  # mornings and first shifts are mixed, so are the others
    for device, step in steps:
        if device.is_out:
            continue
        for _ in range(rng.randint(0, 2)):
            acts.office_act(world)
        _take_step(world, device, step)
    if rng.random() < 0.4:
        world.back_up()
    if world.backup is not None and rng.random() < 0.15:
        world.restore()
    if day and rng.random() < 0.04:
        acts.revoke(world)


def _take_step(world: World, device: Device, step: int) -> None:
    rng = world.rng
    if step in (0, 2):
        for _ in range(VISITS // 2):
            acts.visit(world, device, patches=PATCHES, photos=PHOTOS)
        if rng.random() < 0.2:
            acts.oddity(world, device)
    if step == 0:
        if rng.random() < 0.15:
            acts.jump_clock(world, device)
        world.sync(device, tries=1 if rng.random() < 0.5 else 0)
    elif step == 1:
        world.sync(device, tries=rng.randint(0, 2))
        if device.tablet.schema_version == 1 and rng.random() < 0.3:
            acts.update_app(world, device)
    elif step == 3:
        world.sync(device, tries=rng.randint(1, 5))
        if rng.random() < 0.3:
            world.attempt(device, device.tablet.reconcile)
        device.line.deliver_late()
