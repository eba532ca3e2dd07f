"""A person's session on a tablet, against the real server: its grant is verified offline and has an end."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assessment.region.scope import scope
from fieldsync.client import NotSigned, ProblemAnswer, SessionState, Tablet, WorkRefused
from fieldsync.client.device_key import b64
from fieldsync.client.grants import read_grant
from fieldsync.client.session import GRANTS_MOST
from fieldsync.client.signed import read_raw_key, unb64
from fieldsync.devices.grants import Grant, open_grant, seal_grant
from fieldsync.devices.models import DeviceEvent, PersonSession
from fieldsync.devices.services import make_enrolment_code
from fieldsync.keys import grant_key
from fieldsync.push.models import Mutation
from tests.cast import PASSWORD, SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, NewTablet

VECTOR = json.loads(Path("tests/vectors/offline_grant.json").read_text())
DAN, CORA = "dan.deputy@example.org", "cora.collector@example.org"


class Clock:
    """The tablet's own clock, which can go wrong."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shared(new_tablet: NewTablet, cast: Cast, clock: Clock) -> Tablet:
    """A tablet that nobody carries: whoever works on it signs in."""
    with scope(SYSTEM, towns=[TOWN_A], reason="the tests' tablet"):
        code = make_enrolment_code(TOWN_A, actor=SYSTEM, label="Shared")
    tablet = new_tablet("shared")
    tablet.clock = clock
    tablet.enrol(code, name="Shared")
    return tablet


def off_the_line(tablet: Tablet, act: Callable[[], Any]) -> Any:
    """Do something while there is no line."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no line", request=request)

    line = tablet.transport.http
    tablet.transport.http = httpx.Client(base_url=line.base_url, transport=httpx.MockTransport(refuse))
    wait, tablet.transport._sleep = tablet.transport._sleep, lambda seconds: None
    try:
        return act()
    finally:
        tablet.transport.http.close()
        tablet.transport.http, tablet.transport._sleep = line, wait


def note(tablet: Tablet, house: House, text: str, **more: Any) -> dict[str, Any]:
    return tablet.patch_card(str(house.property_id), {"comment": text}, **more)


def flags_of(results: list[dict[str, Any]]) -> list[Any]:
    assert {result["status"] for result in results} <= {"applied", "merged", "conflict"}
    return [result.get("flags") for result in results]


def test_a_tablet_reads_the_grant_of_the_vector() -> None:
    grant = read_grant(VECTOR["grant"], read_raw_key(VECTOR["public_key"]))
    facts = VECTOR["facts"]
    assert (grant.session_id, grant.person_id, grant.name) == (
        facts["session"],
        facts["person"],
        facts["name"],
    )
    assert (grant.began_s, grant.expires_s) == (facts["began_s"], facts["expires_s"])
    assert grant.is_for(facts["device"], facts["town"])
    assert not grant.is_for(facts["device"], facts["town"] + 1)


@pytest.mark.parametrize("part", [1, 2])
def test_an_altered_grant_is_none(part: int) -> None:
    parts = VECTOR["grant"].split(".")
    raw = bytearray(unb64(parts[part]))
    raw[len(raw) // 2] ^= 1
    parts[part] = b64(bytes(raw))
    with pytest.raises(NotSigned):
        read_grant(".".join(parts), read_raw_key(VECTOR["public_key"]))


@pytest.mark.parametrize("text", ["", "g1", "g1..", "g1.e30.é", VECTOR["grant"].replace("g1", "s1", 1)])
def test_what_is_no_grant_is_refused(text: str) -> None:
    with pytest.raises(NotSigned):
        read_grant(text, read_raw_key(VECTOR["public_key"]))


def test_nobody_enters_work_on_a_tablet_that_nobody_carries_before_signing_in(
    shared: Tablet, houses: list[House]
) -> None:
    assert shared.session.state is SessionState.LOCKED
    with pytest.raises(WorkRefused) as refused:
        note(shared, houses[0], "who?")
    assert refused.value.state is SessionState.LOCKED
    with pytest.raises(WorkRefused):
        shared.take_photo(b"\xff\xd8", property_id=str(houses[0].property_id))
    assert shared.store.last_seq() == 0
    assert list((shared.folder / "photos").iterdir()) == [], "not even a file"
    shared.sign_in(DAN, PASSWORD)
    note(shared, houses[0], "Dan")
    assert flags_of(shared.push()) == [None]


def test_who_carries_a_tablet_needs_no_session(tablet: Tablet, houses: list[House]) -> None:
    assert tablet.session.state is SessionState.CARRIER
    note(tablet, houses[0], "Cora")
    assert flags_of(tablet.push()) == [None]


def test_a_grant_outlives_the_app_and_needs_no_line(
    shared: Tablet, houses: list[House], new_tablet: NewTablet, clock: Clock
) -> None:
    shared.sign_in(DAN, PASSWORD)
    shared.close()
    again = new_tablet("shared")
    again.clock = clock
    clock.ahead = dt.timedelta(hours=20)
    assert off_the_line(again, lambda: again.session.state) is SessionState.WORKING
    off_the_line(again, lambda: note(again, houses[0], "a day later, in the woods"))
    assert again.store.last_seq() == 1


def test_near_its_end_a_grant_asks_to_be_renewed_and_after_it_nothing_is_begun(
    shared: Tablet, houses: list[House], clock: Clock
) -> None:
    shared.sign_in(DAN, PASSWORD)
    note(shared, houses[0], "in time")
    clock.ahead = dt.timedelta(hours=60)
    assert shared.session.state is SessionState.RENEW
    note(shared, houses[1], "still in time")
    clock.ahead = dt.timedelta(hours=72, seconds=1)
    assert shared.session.state is SessionState.EXPIRED
    with pytest.raises(WorkRefused) as refused:
        note(shared, houses[2], "too late")
    assert refused.value.state is SessionState.EXPIRED
    assert shared.store.last_seq() == 2, "nothing was written"


def test_what_was_entered_before_the_grant_ran_out_is_pushed_and_proven_after_it(
    shared: Tablet, houses: list[House], clock: Clock, cast: Cast
) -> None:
    shared.sign_in(DAN, PASSWORD)
    note(shared, houses[0], "in time")
    photo = shared.take_photo(b"\xff\xd8\xff\xe0 front", property_id=str(houses[0].property_id))
    # The grant runs out on the tablet's disk; the server would say the same of what came after it.
    current = shared.session.current
    assert current is not None
    grant = open_grant(current["grant"], grant_key().public_key())
    clock.ahead = dt.timedelta(hours=80)
    assert shared.session.state is SessionState.EXPIRED
    shared.clock = Clock()  # the same work, sent by a tablet whose clock is right
    results = shared.push()
    assert flags_of(results) == [None, None]
    assert shared.upload_photos() == 1
    assert [row["photo_id"] for row in shared.store.photos("received")] == [photo]
    with scope(SYSTEM, towns=[TOWN_A]):
        authors = set(Mutation.objects.values_list("author_id", flat=True))
    assert authors == {grant.person_id} == {cast.deputy_a.id}


def test_a_tablet_with_an_expired_session_still_hands_over_everything(
    shared: Tablet, houses: list[House], clock: Clock
) -> None:
    shared.sign_in(DAN, PASSWORD)
    note(shared, houses[0], "in time")
    expire(shared)
    assert shared.session.state is SessionState.EXPIRED
    assert flags_of(shared.push()) == [None]
    assert shared.store.count_unfinished() == 0


def test_a_form_that_was_open_when_the_grant_ran_out_is_finished_and_flagged(
    shared: Tablet, houses: list[House], clock: Clock
) -> None:
    shared.sign_in(DAN, PASSWORD)
    form = shared.begin_entry()
    clock.ahead = dt.timedelta(hours=80)
    with pytest.raises(WorkRefused):
        shared.begin_entry()
    late = clock().isoformat()
    visit = shared.create_inspection(str(houses[0].property_id), entry_code="1", entry=form)
    note(shared, houses[0], "typed for an hour", entry=form, captured_at=late)
    shared.take_photo(b"\xff\xd8\xff\xe0 1", inspection_id=visit, entry=form)
    clock.ahead = (
        dt.timedelta()
    )  # set right before it is sent: the server takes what was captured at its word
    assert flags_of(shared.push()) == [["grant-expired"]] * 3, "taken, and said so"


def test_a_renewed_session_goes_on_and_the_old_work_keeps_its_proof(
    shared: Tablet, houses: list[House]
) -> None:
    first = shared.sign_in(DAN, PASSWORD)
    note(shared, houses[0], "by the first grant")
    second = shared.sign_in(DAN, PASSWORD)
    note(shared, houses[1], "by the second")
    assert shared.session.state is SessionState.WORKING
    assert shared.session.grants_for(shared.store.unfinished()) == [second["grant"], first["grant"]]
    assert flags_of(shared.push()) == [None, None]
    assert shared.session.grants_for(shared.store.unfinished()) == []
    with scope(SYSTEM, towns=[TOWN_A]):
        ended = dict(PersonSession.objects.values_list("id", "ended_at"))
    assert {str(key): at is not None for key, at in ended.items()} == {
        first["session_id"]: True,
        second["session_id"]: False,
    }


def test_two_people_work_on_one_tablet_and_each_is_the_author_of_his_own(
    shared: Tablet, houses: list[House], cast: Cast
) -> None:
    shared.sign_in(DAN, PASSWORD)
    note(shared, houses[0], "Dan")
    shared.sign_out()
    with pytest.raises(WorkRefused):
        note(shared, houses[1], "nobody")
    shared.sign_in(CORA, PASSWORD)
    note(shared, houses[1], "Cora")
    assert flags_of(shared.push()) == [None, None]
    with scope(SYSTEM, towns=[TOWN_A]):
        authors = list(Mutation.objects.order_by("device_seq").values_list("author_id", flat=True))
    assert authors == [cast.deputy_a.id, cast.collector_a.id]


def test_signing_out_without_a_line_locks_at_once_and_the_server_is_told_later(shared: Tablet) -> None:
    session = shared.sign_in(DAN, PASSWORD)
    off_the_line(shared, shared.sign_out)
    assert shared.session.state is SessionState.LOCKED
    with scope(SYSTEM, towns=[TOWN_A]):
        assert PersonSession.objects.get().ended_at is None
    assert shared.session.endings() == [session["session_id"]]
    shared.sync()
    assert shared.session.endings() == []
    with scope(SYSTEM, towns=[TOWN_A]):
        assert PersonSession.objects.get().ended_at is not None
        assert DeviceEvent.objects.filter(what="signed-out").count() == 1


def test_a_session_that_the_server_never_heard_of_is_not_told_again(shared: Tablet) -> None:
    shared.sign_in(DAN, PASSWORD)
    shared.session.note_ending("01933f4a-7b1c-7a11-8d21-0f5d0a3b6c01")
    shared.sync()
    assert shared.session.endings() == []


def test_a_wrong_password_leaves_who_was_signed_in(shared: Tablet, houses: list[House]) -> None:
    shared.sign_in(DAN, PASSWORD)
    with pytest.raises(ProblemAnswer):
        shared.sign_in(CORA, "wrong")
    note(shared, houses[0], "Dan goes on")
    assert flags_of(shared.push()) == [None]


def test_a_grant_that_was_altered_on_the_disk_stops_new_work(shared: Tablet, houses: list[House]) -> None:
    shared.sign_in(DAN, PASSWORD)
    current = shared.session.current
    assert current is not None
    grant = open_grant(current["grant"], grant_key().public_key())
    forged = seal_grant(grant, Ed25519PrivateKey.generate())
    shared.store.set(session=json.dumps({**current, "grant": forged}))
    assert shared.session.state is SessionState.INVALID
    with pytest.raises(WorkRefused):
        note(shared, houses[0], "forged")


def test_a_grant_of_another_tablet_is_not_taken_over(
    shared: Tablet, tablet: Tablet, houses: list[House]
) -> None:
    other = tablet.sign_in(DAN, PASSWORD)
    with pytest.raises(NotSigned):
        shared.session.begin(other)
    assert shared.session.state is SessionState.LOCKED


def test_a_server_with_another_key_is_trusted_again_when_it_says_so_itself(shared: Tablet) -> None:
    shared.store.set(grant_key=b64(Ed25519PrivateKey.generate().public_key().public_bytes_raw()))
    shared.sign_in(DAN, PASSWORD)
    assert shared.session.state is SessionState.WORKING


def test_a_clock_that_is_set_back_does_not_go_behind_what_the_server_last_said(
    shared: Tablet, clock: Clock
) -> None:
    shared.sign_in(DAN, PASSWORD)
    heard_s = shared.time.now_s()
    clock.ahead = -dt.timedelta(days=365)
    assert shared.time.now_s() >= heard_s - 1
    assert shared.session.state is SessionState.WORKING


def test_a_clock_a_year_ahead_stops_new_work_until_the_server_is_heard_and_loses_nothing(
    shared: Tablet, houses: list[House], clock: Clock
) -> None:
    shared.sign_in(DAN, PASSWORD)
    note(shared, houses[0], "before")
    clock.ahead = dt.timedelta(days=365)
    assert shared.session.state is SessionState.EXPIRED
    # The server sets all times of a push right by the clock of this moment: it cannot know when that jumped.
    assert flags_of(shared.push()) == [["grant-expired"]], "taken, and flagged"
    assert shared.session.state is SessionState.WORKING, "the answer to the push had the time"
    note(shared, houses[1], "after, by a clock that is a year ahead")
    assert flags_of(shared.push()) == [None]


def test_work_of_more_sessions_than_a_push_can_prove_goes_in_several(
    shared: Tablet, houses: list[House]
) -> None:
    shared.sign_in(DAN, PASSWORD)
    for number in range(GRANTS_MOST + 3):
        session_id = f"s{number}"
        shared.store.keep_grant(session_id, "p", f"g1.{number}.x")
        body = {"mutation_id": str(shared.make_id()), "entity_id": "e", "kind": "card.patch", "changes": {}}
        shared.store.add_mutations([body], session_id=session_id)
    batch = shared.store.unfinished()
    cut = shared.session.cut(batch)
    assert cut == batch[: len(cut)]
    assert 0 < len(shared.session.grants_for(cut)) <= GRANTS_MOST


def test_a_wiped_tablet_forgets_who_worked_on_it(shared: Tablet, houses: list[House]) -> None:
    shared.sign_in(DAN, PASSWORD)
    note(shared, houses[0], "x")
    sent = shared.store.unfinished()
    shared.wipe()
    assert (shared.actor_id, shared.session.grants_for(sent)) == (None, [])


def expire(tablet: Tablet) -> None:
    """Put a grant in the place of the tablet's that ran out an hour ago; the work keeps the one it was made by."""
    current = tablet.session.current
    assert current is not None
    grant = open_grant(current["grant"], grant_key().public_key())
    now_s = int(dt.datetime.now(dt.UTC).timestamp())
    over = Grant(
        session_id=grant.session_id, person_id=grant.person_id, name=grant.name, device_id=grant.device_id,
        town_code=grant.town_code, roles=grant.roles, began_s=now_s - 73 * 3600, expires_s=now_s - 3600,
    )  # fmt: skip
    tablet.store.set(session=json.dumps({**current, "grant": seal_grant(over, grant_key())}))
