"""Any order of what tablets, line, office, restores and updates can do keeps the seven invariants.

Hypothesis looks for the order and shrinks what it finds. ``FAULTS_EXAMPLES=500`` looks longer, and at other
orders each time; the line that a failure prints (``@reproduce_failure``) shows it again.
"""

from __future__ import annotations

import os
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.faults import acts
from tests.faults.conftest import NewWorld
from tests.faults.day import finish
from tests.faults.happenings import Happening
from tests.faults.judge import judge
from tests.faults.line import Fault
from tests.faults.world import Device, World

WANTED = os.environ.get("FAULTS_EXAMPLES")
EXAMPLES = int(WANTED or 8)
DEVICES, PACKAGES, HOUSES = 3, 4, 8

# Copies are made on the way; a number is that of one of the tablets that are there.
which = st.integers(0, 2 * DEVICES - 1)
chance = st.integers(0, 2**20)


class Field(RuleBasedStateMachine):
    """Three tablets, four packages, eight houses, one office."""

    make: NewWorld
    world: World

    def _on(self, number: int, seed: int = 0) -> Device:
        """Return a tablet; what is drawn from here on is drawn from the seed."""
        self.world.rng.seed(seed)
        return self.world.devices[number % len(self.world.devices)]

    @initialize(seed=chance)
    def begin(self, seed: int) -> None:
        self.world = type(self).make(seed, devices=DEVICES, houses=HOUSES, packages=PACKAGES)

    # --- the collector ---

    @rule(number=which, seed=chance, patches=st.integers(0, 4), photos=st.integers(0, 2))
    def visit(self, number: int, seed: int, patches: int, photos: int) -> None:
        acts.visit(self.world, self._on(number, seed), patches=patches, photos=photos)

    @rule(number=which, seed=chance, name=st.sampled_from(acts.FIELDS), steps=st.integers(1, 3))
    def change_a_field_in_steps(self, number: int, seed: int, name: str, steps: int) -> None:
        device = self._on(number, seed)
        house = acts.choose_house(self.world, device)
        for _ in range(steps):
            acts.patch(self.world, device, house, name)

    @rule(number=which, seed=chance)
    def enter_something_odd(self, number: int, seed: int) -> None:
        acts.oddity(self.world, self._on(number, seed))

    @rule(number=which, seed=chance)
    def set_the_clock(self, number: int, seed: int) -> None:
        acts.jump_clock(self.world, self._on(number, seed))

    @rule(number=which)
    def update_the_app(self, number: int) -> None:
        acts.update_app(self.world, self._on(number))

    @precondition(lambda self: len(self.world.devices) < 2 * DEVICES)
    @rule(seed=chance)
    def copy_a_tablet(self, seed: int) -> None:
        self.world.rng.seed(seed)
        acts.copy_tablet(self.world)

    # --- the line ---

    @rule(number=which, at=st.integers(1, 6), fault=st.sampled_from(Fault), where=st.integers(1, 60))
    def break_the_line(self, number: int, at: int, fault: Fault, where: int) -> None:
        self._on(number).line.break_at({at: (fault, where)})

    @rule(number=which)
    def deliver_what_is_late(self, number: int) -> None:
        self._on(number).line.deliver_late()

    @rule(number=which, tries=st.integers(1, 2))
    def sync(self, number: int, tries: int) -> None:
        self.world.sync(self._on(number), tries=tries)

    @rule(number=which)
    def push(self, number: int) -> None:
        device = self._on(number)
        self.world.attempt(device, device.tablet.push)

    @rule(number=which)
    def pull(self, number: int) -> None:
        device = self._on(number)
        for package in device.tablet.store.packages():
            self.world.attempt(device, lambda package=package: device.tablet.pull(package))

    @rule(number=which, seed=chance, pieces=st.integers(1, 4))
    def push_shuffled_in_pieces(self, number: int, seed: int, pieces: int) -> None:
        """What waits and what was sent before, in any order, in batches of any size; no result is kept."""
        device = self._on(number, seed)
        held = device.tablet.store.bodies_of
        bodies = [change.body for change in self.world.entered.changes.values()]
        bodies = [body for body in bodies if body in held(body["entity_id"])][-60:]
        self.world.rng.shuffle(bodies)
        self.world.happen(Happening.SHUFFLED)
        for start in range(pieces):
            if batch := bodies[start::pieces]:
                self.world.attempt(device, lambda batch=batch: device.tablet.push_batch(batch))

    # --- the office ---

    @rule(seed=chance, times=st.integers(1, 4))
    def work_at_the_desk(self, seed: int, times: int) -> None:
        self.world.rng.seed(seed)
        for _ in range(times):
            acts.office_act(self.world)

    @rule(seed=chance)
    def move_a_house(self, seed: int) -> None:
        self.world.rng.seed(seed)
        acts.move_house(self.world)

    @rule(seed=chance)
    def retire_a_house(self, seed: int) -> None:
        self.world.rng.seed(seed)
        acts.retire(self.world)

    @rule(seed=chance)
    def suspend_or_let_in(self, seed: int) -> None:
        self.world.rng.seed(seed)
        acts.suspend(self.world)

    @rule(seed=chance)
    def revoke(self, seed: int) -> None:
        self.world.rng.seed(seed)
        acts.revoke(self.world)

    @rule(keep=st.booleans())
    def clear_up_copies(self, keep: bool) -> None:
        acts.clear_up_copies(self.world, keep=keep)

    @rule()
    def back_up(self) -> None:
        self.world.back_up()

    @precondition(lambda self: self.world.backup is not None)
    @rule()
    def restore(self) -> None:
        self.world.restore()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            finish(self.world)
            assert judge(self.world).troubles == []


@pytest.mark.slow
def test_any_order_of_things_keeps_the_seven_invariants(new_world: NewWorld) -> None:
    machine: Any = type("Field", (Field,), {"make": staticmethod(new_world)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            derandomize=WANTED is None,
            database=None,
            print_blob=True,
            phases=[Phase.generate, Phase.shrink] if WANTED else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
