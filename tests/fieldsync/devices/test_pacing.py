"""Pacing: the bucket of a device over several workers, slots for pushes, hints, sizes from settings."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.devices.models import DevicePace
from fieldsync.devices.pacing import PACER, Pacer, Slots
from fieldsync.devices.pacing_rules import Bucket, make_hints, spell_hints
from fieldsync.problems import Busy, RateLimited
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, MakeTablet

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper


@given(st.lists(st.tuples(st.floats(-1, 60), st.integers(0, 50)), max_size=40))
def test_a_bucket_gives_no_more_than_its_burst_and_what_it_earns(steps: list[tuple[float, int]]):
    bucket, now, latest, given_out = Bucket(10, 0), 0.0, 0.0, 0
    for passed, wanted in steps:
        now += passed
        latest = max(latest, now)
        bucket = bucket.refilled(now, rate_per_s=2, burst=10)
        bucket, got = bucket.take(wanted)
        given_out += got
        assert 0 <= bucket.tokens <= 10
    assert given_out <= 10 + 2 * latest + 1e-6


def test_a_clock_that_was_set_far_back_does_not_starve_a_device():
    bucket = Bucket(0, 1_000_000).refilled(500, rate_per_s=2, burst=10)
    assert bucket.refilled(503, rate_per_s=2, burst=10).tokens == 6


def admitted(pacer: Pacer, device_id: UUID, count: int, now_s: float) -> int:
    taken = 0
    for _ in range(count):
        try:
            pacer.admit(device_id, TOWN_A, now_s=now_s)
        except RateLimited:
            continue
        taken += 1
    return taken


def test_workers_draw_on_one_bucket(tablet: Tablet, settings: SettingsWrapper):
    settings.FIELD_REQUESTS_PER_S, settings.FIELD_REQUEST_BURST = 5, 200
    device_id, now = UUID(tablet.device_id), time.time() + 60
    with scope(SYSTEM, towns=[TOWN_A]):
        DevicePace.objects.filter(device_id=device_id).update(tokens=200, at_s=now)
    one, two = Pacer(), Pacer()
    assert admitted(one, device_id, 150, now) == 150
    assert admitted(two, device_id, 150, now) == 40, "a lease of the other holds ten more"
    assert admitted(one, device_id, 150, now) + admitted(two, device_id, 150, now) == 10
    later = now + 10
    assert admitted(one, device_id, 100, later) + admitted(two, device_id, 100, later) == 50


def test_a_device_that_asks_too_often_is_told_when_to_come_back_and_others_are_not_held_up(
    make_tablet: MakeTablet, houses: list[House], settings: SettingsWrapper
):
    wild, calm = make_tablet(), make_tablet()
    settings.FIELD_REQUESTS_PER_S, settings.FIELD_REQUEST_BURST = 0.1, 10
    PACER.__init__()  # type: ignore[misc]  # what was leased before does not count
    waits: list[float] = []
    wild.transport._sleep = waits.append
    with scope(SYSTEM, towns=[TOWN_A]):
        DevicePace.objects.all().delete()
    with pytest.raises(ProblemAnswer) as refused:
        for _ in range(20):
            wild.me()
    assert (refused.value.status, refused.value.code, refused.value.retry) == (429, "rate-limited", "after")
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 16
    assert waits, "the reference client waits as it is told, and tries again"
    assert calm.me()["state"] == "active"
    settings.FIELD_REQUESTS_PER_S, settings.FIELD_REQUEST_BURST = 100_000, 1_000_000
    PACER.__init__()  # type: ignore[misc]
    wild.record(
        {
            "kind": "card.patch",
            "entity_id": str(houses[0].property_id),
            "changes": {"comment": {"base": "", "new": "x"}},
        }
    )
    (result,) = wild.push()
    assert result["status"] == "applied", "it was only asked to wait"


def test_a_device_that_is_no_more_is_told_so_and_not_counted(tablet: Tablet, server: str):
    PACER.admit(uuid4(), TOWN_A, now_s=time.time())


def test_pushes_beyond_the_slots_wait_and_are_then_sent_away(settings: SettingsWrapper):
    settings.FIELD_PUSH_SLOTS = 1
    slots, inside, done = Slots(), threading.Event(), threading.Event()

    def hold() -> None:
        with slots.one():
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(10)
    with pytest.raises(Busy) as refused, slots.one(wait_s=0.01):
        raise AssertionError
    assert refused.value.headers["Retry-After"] == "5"
    done.set()
    thread.join()
    with slots.one(wait_s=0):
        assert not slots.is_loaded


def test_hints_under_load_ask_for_less():
    calm = make_hints(max_items=200, poll_s=300, is_loaded=False, is_disk_low=False, spread=0.5)
    assert calm == {"push_max_items": 200, "next_poll_s": 300, "pause_photos": False}
    busy = make_hints(max_items=200, poll_s=300, is_loaded=True, is_disk_low=False, spread=0.5)
    assert busy == {"push_max_items": 50, "next_poll_s": 600, "pause_photos": True}
    low = make_hints(max_items=200, poll_s=300, is_loaded=False, is_disk_low=True, spread=0.0)
    assert low == {"push_max_items": 200, "next_poll_s": 240, "pause_photos": True}
    assert spell_hints(low) == "push_max_items=200, next_poll_s=240, pause_photos=?1"


def test_every_answer_has_hints_refusals_too(tablet: Tablet, server: str):
    answers = [
        tablet.transport.send("GET", "devices/me"),
        httpx.get(f"{server}/api/field/v1/devices/me"),
        httpx.options(f"{server}/api/field/v1/uploads"),
        httpx.get(f"{server}/api/field/v1/no/such/address"),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 204, 404]
    assert all("next_poll_s=" in answer.headers["Field-Hints"] for answer in answers)
    polls = {tablet.transport.send("GET", "packages").headers["Field-Hints"] for _ in range(5)}
    assert len(polls) > 1, "devices are spread"


@pytest.mark.parametrize(
    ("name", "value", "mutations", "code", "member"),
    [
        ("FIELD_PUSH_MAX_ITEMS", 2, [{}] * 3, "batch-too-large", "max_items"),
        ("FIELD_PUSH_MAX_BYTES", 300, [{"note": "x" * 400}], "batch-too-large", "max_bytes"),
        ("FIELD_PUSH_MAX_NESTING", 4, [{"data": {"a": {"b": 1}}}], "bad-json", None),
    ],
)
def test_sizes_are_the_operators(
    tablet: Tablet,
    settings: SettingsWrapper,
    name: str,
    value: int,
    mutations: list[Any],
    code: str,
    member: str | None,
):
    setattr(settings, name, value)
    body = {"batch_id": str(uuid4()), "device_id": tablet.device_id, "mutations": mutations}
    with pytest.raises(ProblemAnswer) as refused:
        tablet.transport.send("POST", "push", json=body)
    assert refused.value.code == code
    if member:
        assert (refused.value.document[member], refused.value.retry) == (value, "split")
        assert tablet.me()["limits"][f"push_{member}"] == value


def test_whoever_waits_longest_gets_the_slot_and_nobody_slips_in_between(settings) -> None:
    settings.FIELD_PUSH_SLOTS = 1
    slots, order, go_on = Slots(), [], threading.Event()

    def take(name: int) -> None:
        with slots.one(wait_s=30):
            order.append(name)
            go_on.wait(30)

    threads = []
    for name in range(6):
        threads.append(threading.Thread(target=take, args=(name,)))
        threads[-1].start()
        while len(slots._queue) < name or not order:
            threading.Event().wait(0.001)
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert order == list(range(6))
    assert not slots.is_loaded


def test_who_gave_up_waiting_takes_nobody_s_turn(settings) -> None:
    settings.FIELD_PUSH_SLOTS = 1
    slots = Slots()
    with slots.one():
        for _ in range(3):
            with pytest.raises(Busy), slots.one(wait_s=0.01):
                pass
        assert not slots.is_loaded
    with slots.one(wait_s=0.01):
        pass
