"""What a tablet forgets, against the real server: only what that has signed to have, by its own time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.client.signed import NotSigned, unb64
from fieldsync.client.statements import digest_of, read_statement
from fieldsync.keys import statement_key
from fieldsync.packages.services import take_back_package
from fieldsync.reconciliation import rules, signing
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, MakeTablet, draw
from tests.fieldsync.photos.test_uploads import make_bytes


def work(tablet: Tablet, house: House, text: str = "seen") -> Path:
    """A change and a photo of a house, both sent; returns the photo's file."""
    key = str(house.property_id)
    tablet.patch_card(key, {"comment": text})
    photo_id = tablet.take_photo(make_bytes(1000), property_id=key)
    tablet.push()
    tablet.upload_photos()
    return tablet.folder / "photos" / photo_id


def let_pass(tablet: Tablet, days: float) -> None:
    """Make what was stated so far so much older, as if the server had stated it then."""
    with tablet.store.transaction() as db:
        for key, at in db.execute("SELECT id, at FROM stated").fetchall():
            earlier = dt.datetime.fromisoformat(at) - dt.timedelta(days=days)
            db.execute(
                "UPDATE stated SET at = ? WHERE id = ?", (earlier.isoformat(timespec="microseconds"), key)
            )


def answered(tablet: Tablet, change: Callable[[dict[str, Any]], None]) -> Any:
    """Do the end of the day over a line that changes the answer to it."""
    line = tablet.transport.http

    def pass_on(request: httpx.Request) -> httpx.Response:
        answer = line.send(request)
        if not request.url.path.endswith("/reconcile"):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        document = answer.json()
        change(document)
        return httpx.Response(answer.status_code, json=document)

    tablet.transport.http = httpx.Client(base_url=line.base_url, transport=httpx.MockTransport(pass_on))
    try:
        return tablet.reconcile()
    finally:
        tablet.transport.http.close()
        tablet.transport.http = line


def test_what_was_stated_fourteen_days_ago_and_is_stated_still_goes(
    tablet: Tablet, houses: list[House]
) -> None:
    path = work(tablet, houses[0])
    assert tablet.reconcile()["is_complete"]
    let_pass(tablet, days=13.9)
    tablet.reconcile()
    assert (path.exists(), tablet.store.spans()) == (True, [[1, 2]])
    let_pass(tablet, days=0.2)
    tablet.reconcile()
    assert (path.exists(), tablet.store.spans(), tablet.store.photos("received")) == (False, [], [])
    answer = tablet.reconcile()
    assert (answer["is_complete"], answer["is_store_lost"]) == (True, False), "it was let go, not lost"
    assert tablet.patch_card(str(houses[0].property_id), {"comment": "again"})["device_seq"] == 3
    assert [result["status"] for result in tablet.push()] == ["applied"]
    assert tablet.statements_refused == 0


@pytest.mark.parametrize("days", [366, -366])
def test_a_tablet_whose_clock_is_a_year_wrong_forgets_nothing(
    tablet: Tablet, houses: list[House], days: int
) -> None:
    path = work(tablet, houses[0])
    tablet.reconcile()
    tablet.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    for _ in range(2):
        tablet.reconcile()
    assert (path.exists(), tablet.store.spans()) == (True, [[1, 2]])


def test_a_clock_that_was_a_year_behind_when_it_was_stated_makes_nothing_older(
    tablet: Tablet, houses: list[House]
) -> None:
    tablet.clock = lambda: dt.datetime.now(dt.UTC) - dt.timedelta(days=366)
    path = work(tablet, houses[0])
    tablet.reconcile()
    tablet.clock = lambda: dt.datetime.now(dt.UTC)
    tablet.reconcile()
    assert (path.exists(), tablet.store.spans()) == (True, [[1, 2]])


def test_what_was_not_sent_stays_however_old_the_rest_is(tablet: Tablet, houses: list[House]) -> None:
    sent = work(tablet, houses[0])
    tablet.reconcile()
    unsent = tablet.patch_card(str(houses[1].property_id), {"comment": "not sent"})
    let_pass(tablet, days=400)
    tablet.reconcile()
    assert not sent.exists()
    assert tablet.store.unfinished() == [unsent]


def test_a_photo_that_the_server_lacks_stays_and_keeps_no_other(tablet: Tablet, houses: list[House]) -> None:
    sent = work(tablet, houses[0])
    tablet.reconcile()
    photo_id = tablet.take_photo(make_bytes(999), property_id=str(houses[1].property_id))
    let_pass(tablet, days=400)
    assert len(tablet.reconcile()["missing_photos"]) == 1
    assert not sent.exists()
    assert (tablet.folder / "photos" / photo_id).exists()
    tablet.push()
    tablet.upload_photos()
    tablet.reconcile()
    assert (tablet.folder / "photos" / photo_id).exists(), "stated today"


def test_what_is_of_a_package_here_stays(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses[:1], tablet.device_id)
    tablet.take_assigned()
    kept, goes = work(tablet, houses[0]), work(tablet, houses[1])
    tablet.reconcile()
    let_pass(tablet, days=400)
    tablet.reconcile()
    assert (kept.exists(), goes.exists()) == (True, False)
    with scope(SYSTEM, towns=[TOWN_A], reason="done"):
        take_back_package(package.id, actor=SYSTEM)
    tablet.sync()
    tablet.reconcile()
    assert not kept.exists()


def test_an_altered_statement_or_one_of_another_key_lets_nothing_go(
    tablet: Tablet, houses: list[House]
) -> None:
    path = work(tablet, houses[0])
    tablet.reconcile()
    let_pass(tablet, days=400)
    other = Ed25519PrivateKey.generate()

    def forged(document: dict[str, Any]) -> None:
        facts = json.loads(unb64(document["statement"].split(".")[1]))
        document["statement"] = signing.sign(facts, other)

    def cut(document: dict[str, Any]) -> None:
        document["statement"] = document["statement"][:-8]

    for harm in (forged, cut, lambda document: document.update(statement="")):
        answered(tablet, harm)
    assert tablet.statements_refused == 3
    assert (path.exists(), tablet.store.spans()) == (True, [[1, 2]])


@pytest.mark.parametrize(
    "fact",
    [
        {"claimed": [[1, 1]]},
        {"device": "another"},
        {"town": 900},
        {"photos": {"digest": "0"}},
        {"at": 7},
        {"ids": "of other changes"},
        {"ids": None},  # compared by numbers alone
    ],
)
def test_a_statement_about_something_else_lets_nothing_go(
    tablet: Tablet, houses: list[House], fact: dict[str, Any]
) -> None:
    path = work(tablet, houses[0])
    tablet.reconcile()
    let_pass(tablet, days=400)

    def told(document: dict[str, Any]) -> None:
        facts = json.loads(unb64(document["statement"].split(".")[1]))
        document["statement"] = signing.sign(facts | fact, statement_key())

    answered(tablet, told)
    assert tablet.statements_refused == 1
    assert (path.exists(), tablet.store.spans()) == (True, [[1, 2]])


def test_a_number_that_the_server_has_with_another_change_lets_nothing_go(
    tablet: Tablet, houses: list[House]
) -> None:
    # As after a restore, when a copy of the tablet came first: the number is there, this change is not.
    path = work(tablet, houses[0])
    tablet.reconcile()
    with tablet.store.transaction() as db:
        db.execute("UPDATE outbox SET mutation_id = ? WHERE device_seq = 2", (str(uuid4()),))
        db.execute("INSERT OR IGNORE INTO stated SELECT mutation_id, '2020-01-01' FROM outbox")
    let_pass(tablet, days=400)
    answer = tablet.reconcile()
    assert (answer["missing_mutations"], answer["is_complete"]) == ([[2, 2]], False)
    assert "1/2 records" in answer["summary"]
    assert (path.exists(), tablet.store.spans()) == (True, [[2, 2]])
    assert tablet.store.count_unfinished() == 1, "it is queued again"


def test_what_the_answer_claims_and_the_statement_does_not_sign_stays(
    tablet: Tablet, houses: list[House]
) -> None:
    path = work(tablet, houses[0])
    tablet.reconcile()
    let_pass(tablet, days=400)

    def lacking(document: dict[str, Any]) -> None:
        facts = json.loads(unb64(document["statement"].split(".")[1]))
        facts |= {"missing_mutations": [[1, 2]]}
        facts["photos"]["here_digest"] = digest_of([])
        document["statement"] = signing.sign(facts, statement_key())

    answer = answered(tablet, lacking)
    assert answer["missing_mutations"] == []
    assert (path.exists(), tablet.store.spans(), tablet.statements_refused) == (True, [[1, 2]], 0)


def test_a_server_may_ask_for_more_days_and_not_for_fewer(tablet: Tablet, houses: list[House]) -> None:
    path = work(tablet, houses[0])
    tablet.reconcile()
    let_pass(tablet, days=13)
    answered(tablet, lambda document: document.update(keep_days=1))
    assert path.exists()
    let_pass(tablet, days=7)
    answered(tablet, lambda document: document.update(keep_days=30))
    assert path.exists()
    tablet.reconcile()
    assert not path.exists()


def test_what_is_missing_of_a_claim_is_taken_off_by_numbers() -> None:
    facts = {
        "device": "d", "town": 1, "at": "2026-11-01T12:00:00+00:00", "epoch": None,
        "claimed": [[1, 10], [20, 30]], "missing_mutations": [[3, 4], [10, 10], [20, 30]],
        "photos": {"digest": digest_of([])}, "unknown_to_device": [],
    }  # fmt: skip
    key = Ed25519PrivateKey.generate()
    statement = read_statement(signing.sign(facts, key), key.public_key())
    assert statement.here == [(1, 2), (5, 9)]
    assert digest_of(["b", "a", "b"]) == rules.digest_of(["a", "b"])
    for lacking in facts:
        with pytest.raises(NotSigned):
            read_statement(signing.sign({k: facts[k] for k in facts if k != lacking}, key), key.public_key())


def test_another_tablets_statement_lets_nothing_go(make_tablet: MakeTablet, houses: list[House]) -> None:
    tablet, other = make_tablet(), make_tablet()
    path = work(tablet, houses[0])
    work(other, houses[1])
    tablet.reconcile()
    let_pass(tablet, days=400)
    theirs = other.reconcile()["statement"]
    answered(tablet, lambda document: document.update(statement=theirs))
    assert (path.exists(), tablet.statements_refused) == (True, 1)
