"""Device-days: what tablets and the office do from morning to evening, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from tests.databases import TestDatabase
from tests.faults import acts
from tests.faults.judge import Verdict, judge
from tests.faults.world import Device, World

VISITS, PATCHES, PHOTOS = 10, 3, 3
MOST_FAULTS = 5


@dataclass(frozen=True, slots=True)
class DeviceDay:
    """What one tablet did on one day; it counts when it is as much as issue and docs call a device-day."""

    device: int
    day: int
    mutations: int
    photos: int
    breaks: int

    @property
    def counts(self) -> bool:
        """At least 40 mutations and 30 photos over at least one broken connection."""
        return self.mutations >= 40 and self.photos >= 30 and self.breaks >= 1


@dataclass(frozen=True, slots=True)
class Span:
    """How much one seed is: so many tablets for so many days."""

    devices: int = 4
    days: int = 5
    houses: int = 24


def live(seed: int, database: TestDatabase, folder: Path, span: Span) -> tuple[World, Verdict]:
    """Let a seed's days pass and judge what is there at the end; the caller closes the world.

    A day of a tablet that was no whole device-day is a trouble, and is not counted as one.
    """
    world = World(random.Random(seed), database, folder, devices=span.devices, houses=span.houses)
    lived = [done for day in range(span.days) for done in pass_day(world, day)]
    finish(world)
    verdict = judge(world)
    for done in lived:
        verdict.hold(done.counts, f"this was no device-day: {done}")
        verdict.totals["device-days"] += done.counts
    verdict.totals["broken connections"] = sum(done.breaks for done in lived)
    return world, verdict


def finish(world: World) -> None:
    """Let everybody in who is not out for good, and everything come to rest."""
    for device in world.devices:
        if not device.is_out:
            acts.set_state(world, device, "active")
    acts.clear_up_copies(world, keep=True)
    world.settle()


def pass_day(world: World, day: int) -> list[DeviceDay]:
    """Let a day pass: each tablet's morning, two shifts and evening, and the office in between.

    Returns what each tablet did that was not out of use.
    """
    rng = world.rng
    steps: list[tuple[Device, int]] = []
    at_work = [device for device in world.devices if not device.is_out]
    before = [(device.mutations, device.photos, device.line.breaks) for device in at_work]
    for device in at_work:
        acts.plan_faults(world, device, most=MOST_FAULTS)
        steps += [(device, step) for step in range(4)]
    breaks = {device.number: device.line.breaks for device in at_work}
    rng.shuffle(steps)
    steps.sort(key=lambda step: step[1] // 2)  # mornings and first shifts are mixed, so are the others
    for device, step in steps:
        for _ in range(rng.randint(0, 2)):
            acts.office_act(world)
        if step == 3 and device.line.breaks == breaks[device.number]:
            acts.break_for_certain(world, device)
        _take_step(world, device, step)
    lived = [
        DeviceDay(d.number, day, d.mutations - m, d.photos - p, d.line.breaks - b)
        for d, (m, p, b) in zip(at_work, before, strict=True)
    ]
    _pass_night(world, day)
    return lived


def _pass_night(world: World, day: int) -> None:
    """What befalls tablets and server between two days: backups, a restore, a copy, a revocation."""
    rng = world.rng
    if rng.random() < 0.4:
        world.back_up()
    if world.backup is not None and rng.random() < 0.15:
        world.restore()
    if day and rng.random() < 0.04:
        acts.revoke(world)
    if rng.random() < 0.5:
        acts.let_in(world)
    if rng.random() < 0.3:
        acts.clear_up_copies(world)
    if rng.random() < 0.06:
        acts.copy_tablet(world)


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
