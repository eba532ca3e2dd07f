"""A change sent twice, ten times, at once or in pieces has one effect."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from assessment.property.models import Building, JournalEntry, Observation
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, draw
from tests.fieldsync.push.identical import AT_ONCE, count_effects, judge, send_rounds
from tests.fieldsync.push.test_push import lenient  # noqa: F401  the fixture of the town's rule


def effects(houses: list[House]) -> dict[str, Any]:
    """Everything that the mutations have made of the record."""
    with scope(SYSTEM, towns=[TOWN_A]):
        ids = [house.building_id for house in houses]
        changes = JournalEntry.objects.filter(row_id__in=ids, operation="U")
        return {
            "years": sorted(Building.objects.values_list("year_built", flat=True)),
            "comments": sorted(
                JournalEntry.objects.filter(after__has_key="comment", operation="U").values_list(
                    "after__comment", flat=True
                )
            ),
            "changes": changes.count(),
            "observations": Observation.objects.count(),
            "mutations": Mutation.objects.count(),
        }


def record_a_day(tablet: Tablet, houses: list[House]) -> list[dict[str, Any]]:
    """Two steps on one field and a note for each house."""
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    for house in houses:
        key = str(house.property_id)
        tablet.patch_card(key, {house.path("year_built"): 1951})
        tablet.patch_card(key, {house.path("year_built"): 1952})
        tablet.patch_card(key, {"comment": "Dog in the yard."})
    return tablet.store.unfinished()


def plain(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "duplicate"}


@pytest.mark.usefixtures("lenient")
def test_a_batch_sent_ten_times_has_one_effect(tablet: Tablet, houses: list[House]) -> None:
    batch = record_a_day(tablet, houses)
    first = tablet.push_batch(batch)["results"]
    after = effects(houses)
    assert {result["status"] for result in first} == {"applied"}
    assert after["changes"] == 1 * len(houses)
    for _ in range(9):
        again = tablet.push_batch(batch)["results"]
        assert [plain(result) for result in again] == first
        assert all(result["duplicate"] for result in again)
    assert effects(houses) == after


@pytest.mark.usefixtures("lenient")
def test_ten_batches_in_any_order_at_once_have_one_effect(tablet: Tablet, houses: list[House]) -> None:
    batch = record_a_day(tablet, houses)
    chains = [batch[n : n + 3] for n in range(0, len(batch), 3)]
    rng = random.Random(20261001)
    sendings = []
    for _ in range(10):
        rng.shuffle(chains)
        sendings.append([mutation for chain in chains for mutation in chain])
    tablet.me()
    start = threading.Barrier(len(sendings))

    def send(mutations: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        start.wait()
        return {r["mutation_id"]: plain(r) for r in tablet.push_batch(mutations)["results"]}

    with ThreadPoolExecutor(len(sendings)) as pool:
        answers = list(pool.map(send, sendings))
    assert all(answer == answers[0] for answer in answers)
    assert {result["status"] for result in answers[0].values()} == {"applied"}
    after = effects(houses)
    assert after["years"] == [1952] * len(houses)
    assert (after["mutations"], after["observations"]) == (len(batch), len(batch))
    assert after["changes"] == len(houses)
    assert len(after["comments"]) == len(houses)


@pytest.mark.usefixtures("lenient")
def test_sixteen_identical_pushes_get_sixteen_equal_answers(tablet: Tablet, houses: list[House]) -> None:
    """A sample of what `tests.bench.bench_identical` does a thousand times."""
    rounds = 4
    ids = [(house.property_id, house.building_id) for house in houses[:2]]
    for answers in send_rounds(tablet, ids, rounds):
        assert len(answers) == AT_ONCE
        assert judge(answers) == ""
    assert set(count_effects(ids).values()) == {rounds}


@pytest.mark.usefixtures("lenient")
def test_the_same_item_twice_in_a_batch_is_done_once(tablet: Tablet, houses: list[House]) -> None:
    (first, *_) = record_a_day(tablet, houses)
    one, two = tablet.push_batch([first, first])["results"]
    assert plain(two) == one
    assert two["duplicate"]
    assert effects(houses)["observations"] == 1


@pytest.mark.usefixtures("lenient")
def test_batches_cut_anywhere_and_sent_again_come_to_the_same(tablet: Tablet, houses: list[House]) -> None:
    batch = record_a_day(tablet, houses)
    for end in (1, 2, 5, len(batch)):
        tablet.push_batch(batch[:end])
    after = effects(houses)
    assert after["years"] == [1952] * len(houses)
    assert (after["changes"], after["mutations"]) == (2 + len(houses) - 2 + 1, len(batch))


def test_the_ledger_keeps_what_was_received(tablet: Tablet, houses: list[House]) -> None:
    from django.db import DatabaseError, transaction

    record_a_day(tablet, houses)
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A], reason="tampering"):
        row = Mutation.objects.first()
        assert row is not None
        for change in ({"body": {}}, {"status": "noop"}, {"sha256": "0" * 64}):
            with pytest.raises(DatabaseError, match="ledger"), transaction.atomic():
                Mutation.objects.filter(id=row.id).update(**change)
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            Mutation.objects.filter(id=row.id).delete()
