"""The tablet's disk: nothing leaves the outbox but by a final result that names it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fieldsync.client.canonical import new_id
from fieldsync.client.store import Store
from fieldsync.push.rules import FINAL, Status


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = Store(tmp_path / "tablet.sqlite3")
    yield store
    store.close()


def mutation(entity: str = "e") -> dict[str, Any]:
    return {"mutation_id": str(new_id()), "entity_id": entity, "kind": "card.patch", "changes": {}}


def test_numbers_are_given_in_order_and_never_twice(store: Store) -> None:
    kept = store.add_mutations([mutation(), mutation()])
    store.finish([{"mutation_id": kept[0]["mutation_id"], "status": "applied"}])
    (third,) = store.add_mutations([mutation()])
    assert [body["device_seq"] for body in [*kept, third]] == [1, 2, 3]


@pytest.mark.parametrize("status", list(Status))
def test_an_entry_leaves_by_a_final_result_only(store: Store, status: Status) -> None:
    (kept,) = store.add_mutations([mutation()])
    if status is Status.RECEIVED:
        return  # never answered: the server's own state within its transaction
    store.finish([{"mutation_id": kept["mutation_id"], "status": status.value}])
    assert (store.unfinished() == []) == (status in FINAL)


def test_a_result_that_names_nobody_changes_nothing(store: Store) -> None:
    (kept,) = store.add_mutations([mutation()])
    store.finish([{"mutation_id": str(new_id()), "status": "applied"}])
    assert store.unfinished() == [kept]


def test_what_the_server_lost_is_put_back_in_the_queue(store: Store) -> None:
    kept = store.add_mutations([mutation() for _ in range(4)])
    store.finish([{"mutation_id": body["mutation_id"], "status": "applied"} for body in kept])
    assert store.resend([(2, 3)]) == 2
    assert [body["device_seq"] for body in store.unfinished()] == [2, 3]


def test_a_delta_is_taken_whole_or_not_at_all(store: Store) -> None:
    manifest = {"package_id": "p", "cursor": "c1"}
    store.replace_package(manifest, [{"kind": "card", "id": "1", "data": {"a": 1}}])
    broken = [
        {"op": "put", "kind": "card", "id": "1", "data": {"a": 2}},
        {"op": "put", "kind": "card", "id": "2"},
    ]
    with pytest.raises(KeyError):
        store.apply_changes("p", broken, "c2")
    assert store.records("p", "card") == {"1": {"a": 1}}
    assert store.packages() == {"p": "c1"}


def test_ids_are_of_version_7_and_grow() -> None:
    ids = [new_id() for _ in range(50)]
    assert {key.version for key in ids} == {7}
    assert len(set(ids)) == 50
    assert sorted(str(key)[:8] for key in ids) == [str(key)[:8] for key in ids]


def test_the_reference_client_needs_nothing_of_the_server() -> None:
    script = (
        "import sys, fieldsync.client; "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'ninja', 'assessment', 'gis')])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


DAYS = [f"2026-11-{day:02}T18:00:00.000000+00:00" for day in range(1, 29)]
HASH = "0" * 64


def work(store: Store, tmp_path: Path, property_id: str) -> dict[str, Any]:
    """A photo of a property, declared, acknowledged and received; returns its declaration."""
    path = tmp_path / f"photo of {property_id}"
    path.write_bytes(b"x")
    photo_id = str(new_id())
    store.add_photo(photo_id, HASH, 1, "image/jpeg", path)
    body = {"mutation_id": str(new_id()), "entity_id": photo_id, "kind": "photo.declare"}
    (kept,) = store.add_mutations([{**body, "data": {"property_id": property_id}}])
    store.finish([{"mutation_id": kept["mutation_id"], "status": "applied"}])
    store.set_photo(photo_id, state="received", url=None)
    return kept


def state(
    store: Store,
    day: int,
    *,
    epoch: str = "e1",
    spans: list[tuple[int, int]] | None = None,
    hashes: tuple[str, ...] = (HASH,),
) -> list[str]:
    """The end of a day as the server signed it: all but ``spans`` is missing; returns which files may go."""
    spans = [(1, 1000)] if spans is None else spans
    store.note_stated(DAYS[day], epoch, spans, hashes)
    return [path.name for path in store.let_go(DAYS[max(0, day - 14)], spans, hashes)]


def test_what_was_acknowledged_stays_until_its_package_is_closed_and_its_days_are_over(
    store: Store, tmp_path: Path
) -> None:
    manifest = {"package_id": "p", "cursor": "c"}
    store.replace_package(manifest, [{"kind": "card", "id": "open", "data": {}}])
    work(store, tmp_path, "open")
    work(store, tmp_path, "closed")
    assert state(store, 0) == [], "stated today"
    assert state(store, 14) == [], "stated fourteen days ago, to the minute"
    assert state(store, 15) == ["photo of closed"]
    store.forget_photos()
    assert (store.spans(), store.last_seq(), len(store.photos("received"))) == ([[1, 1]], 2, 1)
    store.drop_package("p")
    assert state(store, 16) == ["photo of open"]
    assert (store.spans(), store.last_seq()) == ([], 2)
    (fresh,) = store.add_mutations([mutation()])
    assert fresh["device_seq"] == 3, "no number is given twice, also when its mutation is gone"


def test_a_photo_taken_at_a_visit_stays_as_long_as_the_visits_property_is_here(
    store: Store, tmp_path: Path
) -> None:
    store.replace_package({"package_id": "p", "cursor": "c"}, [{"kind": "card", "id": "open", "data": {}}])
    visit = {**mutation("visit"), "kind": "inspection.create", "data": {"property_id": "open"}}
    photo = {**mutation("photo"), "kind": "photo.declare", "data": {"inspection_id": "visit"}}
    for body in store.add_mutations([visit, photo]):
        store.finish([{"mutation_id": body["mutation_id"], "status": "applied"}])
    state(store, 0)
    state(store, 20)
    assert store.spans() == [[1, 2]]


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.RECEIVED])
def test_only_what_has_a_final_result_goes(store: Store, status: Status) -> None:
    sent, unsent = store.add_mutations([mutation(), mutation()])
    store.finish([{"mutation_id": sent["mutation_id"], "status": status.value}])
    state(store, 0)
    state(store, 20)
    assert unsent in store.unfinished()
    assert (store.spans() == [[2, 2]]) == (status in FINAL)


def test_what_was_acknowledged_and_not_stated_stays(store: Store, tmp_path: Path) -> None:
    work(store, tmp_path, "closed")
    work(store, tmp_path, "closed too")
    for day in (0, 20, 27):
        assert state(store, day, spans=[(2, 2)], hashes=()) == []
    assert store.spans() == [[1, 2]], "the second's declaration stays with its photo"
    assert len(store.photos("received")) == 2


def test_what_was_stated_once_and_is_not_stated_now_stays(store: Store, tmp_path: Path) -> None:
    work(store, tmp_path, "closed")
    assert state(store, 0) == []
    assert state(store, 20, spans=[]) == []
    assert state(store, 21, hashes=()) == []
    assert store.spans() == [[1, 1]]
    assert state(store, 22) == ["photo of closed"]


def test_what_a_restored_server_asked_for_again_waits_its_days_anew(store: Store, tmp_path: Path) -> None:
    kept = work(store, tmp_path, "closed")
    state(store, 0)
    store.resend([(1, 1)])
    state(store, 20)
    assert store.spans() == [[1, 1]], "it is not acknowledged"
    store.finish([{"mutation_id": kept["mutation_id"], "status": "applied"}])
    assert state(store, 21) == []
    assert store.spans() == [[1, 1]]


def test_all_waits_its_days_anew_after_a_restore(store: Store, tmp_path: Path) -> None:
    work(store, tmp_path, "closed")
    state(store, 0)
    assert state(store, 15, epoch="e2") == []
    assert state(store, 27, epoch="e2") == []
    assert store.spans() == [[1, 1]]


def test_a_photo_that_has_not_come_keeps_its_declaration(store: Store, tmp_path: Path) -> None:
    kept = work(store, tmp_path, "closed")
    store.set_photo(kept["entity_id"], state="waiting", url=None)
    state(store, 0)
    assert state(store, 20) == []
    assert store.spans() == [[1, 1]]


def test_a_file_that_could_not_be_removed_is_named_again(store: Store, tmp_path: Path) -> None:
    work(store, tmp_path, "closed")
    state(store, 0)
    assert state(store, 15) == ["photo of closed"]
    assert state(store, 16) == ["photo of closed"], "the power went before it was gone"
    store.forget_photos()
    assert state(store, 17) == []
