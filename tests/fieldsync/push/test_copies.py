"""Two tablets that share one identity: who is suspected of it, and who is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from django.db import connection

from assessment.property.models import Property
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.devices import lifecycle
from fieldsync.devices.models import Device, DeviceEvent
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House
from tests.fieldsync.push.test_push import lenient, take  # noqa: F401  fixture


def suspicions() -> int:
    with scope(SYSTEM, towns=[TOWN_A]):
        return DeviceEvent.objects.filter(what=DeviceEvent.What.COPY_SUSPECTED).count()


def is_copied() -> bool:
    with scope(SYSTEM, towns=[TOWN_A]):
        return Device.objects.get().copied_at is not None


def clear() -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="looked at"):
        lifecycle.clear_copy(Device.objects.get().id, actor=SYSTEM, reason="found")


def test_what_was_held_is_not_taken_for_the_copy_when_its_turn_comes(
    tablet: Tablet, houses: list[House]
) -> None:
    take(tablet, houses)
    one, two = houses[:2]
    visit = str(uuid4())
    waits = tablet.patch_card(
        str(one.property_id), {one.path("style"): "Ranch"}, data={"inspection_id": visit}
    )
    assert tablet.push_batch([waits])["results"][0]["status"] == "held"
    other = tablet.patch_card(str(two.property_id), {two.path("style"): "Ranch"})
    copied = {**other, "device_seq": waits["device_seq"]}
    (result,) = tablet.push_batch([copied])["results"]
    assert (result["status"], result["code"]) == ("quarantined", "device-clone-suspected")
    clear()
    (again,) = tablet.push_batch([waits])["results"]
    assert again["status"] == "held"
    assert not is_copied()
    comes = tablet.record(
        {
            "kind": "inspection.create",
            "entity_id": visit,
            "data": {"property_id": str(one.property_id), "entry_code": "01"},
        }
    )
    tablet.push_batch([comes])
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Mutation.objects.get(mutation_id=waits["mutation_id"]).status == "applied"
    assert (is_copied(), suspicions()) == (False, 1)


def test_two_copies_that_use_a_number_in_the_same_moment_are_found(
    tablet: Tablet,
    houses: list[House],
    lenient: None,  # noqa: F811
) -> None:
    take(tablet, houses)
    one, two = houses[:2]
    first = tablet.patch_card(str(one.property_id), {one.path("style"): "Ranch"})
    second = tablet.patch_card(str(two.property_id), {two.path("style"): "Ranch"})
    second["device_seq"] = first["device_seq"]
    tablet.me()
    with ThreadPoolExecutor(2) as pool:
        # The office holds both cards, so that neither batch has committed when the other one looks.
        with scope(SYSTEM, towns=[TOWN_A], reason="the office"):
            list(Property.objects.filter(id__in=[one.property_id, two.property_id]).select_for_update())
            sent = [pool.submit(tablet.push_batch, [mutation]) for mutation in (first, second)]
            while count_waiting() < 2:
                assert not any(answer.done() for answer in sent)
        answers = [answer.result() for answer in sent]
    assert [answer["results"][0]["status"] for answer in answers] == ["applied", "applied"]
    assert (is_copied(), suspicions()) == (True, 1)
    assert any(answer["device"]["enrol_again"] for answer in answers)


def test_a_batch_sent_again_after_the_office_has_looked_raises_no_new_suspicion(
    tablet: Tablet, houses: list[House]
) -> None:
    take(tablet, houses)
    one, two = houses[:2]
    first = tablet.patch_card(str(one.property_id), {one.path("style"): "Ranch"})
    second = {**tablet.patch_card(str(two.property_id), {two.path("style"): "Ranch"})}
    second["device_seq"] = first["device_seq"]
    tablet.push_batch([first])
    tablet.push_batch([second])
    assert is_copied()
    clear()
    tablet.push_batch([first, second])
    assert (is_copied(), suspicions()) == (False, 1)


def count_waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])
