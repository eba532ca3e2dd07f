"""People on a shared tablet: signing in, working offline under a grant, locking; and what is never refused."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.utils import timezone

from assessment.property.models import Observation
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.services import set_policy
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.client.device_key import b64
from fieldsync.devices.grants import open_grant
from fieldsync.devices.models import Device, DeviceEvent, PersonSession
from fieldsync.devices.services import set_device_state
from fieldsync.devices.sessions import AUTHOR_POLICY
from fieldsync.keys import grant_key
from fieldsync.push.models import Mutation, Quarantine
from tests.cast import PASSWORD, SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, MakeTablet

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper


@pytest.fixture
def shared(make_tablet: MakeTablet, cast: Cast) -> Tablet:
    """A tablet that the collector carries; others sign in on it."""
    return make_tablet()


def note(tablet: Tablet, house: House, text: str, **more: Any) -> dict[str, Any]:
    body = {
        "kind": "card.patch",
        "entity_id": str(house.property_id),
        "changes": {"comment": {"base": "", "new": text}},
    }
    return tablet.record(body, **more)


def state_policy(value: str) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        town = Town.objects.get(code=TOWN_A)
        set_policy(town, actor=SYSTEM, key=AUTHOR_POLICY, value=value, valid_from=dt.date(2020, 1, 1))


def test_a_person_signs_in_and_is_the_author_of_what_is_captured(
    shared: Tablet, houses: list[House], cast: Cast
):
    session = shared.sign_in("Dan.Deputy@example.org", PASSWORD)
    assert (session["person"]["name"], session["town"], session["roles"]) == (
        "Dan Deputy",
        TOWN_A,
        ["deputy"],
    )
    assert shared.me()["grant_public_key"] == b64(grant_key().public_key().public_bytes_raw())
    grant = open_grant(session["grant"], grant_key().public_key())
    assert (str(grant.device_id), grant.expires_s - grant.began_s) == (shared.device_id, 72 * 3600)
    note(shared, houses[0], "seen by Dan")
    (result,) = shared.push()
    assert (result["status"], "flags" in result) == ("applied", False)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Mutation.objects.get().author_id == cast.deputy_a.id
        assert [e.by_id for e in DeviceEvent.objects.filter(what="signed-in")] == [cast.deputy_a.id]


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("dan.deputy@example.org", "wrong", "sign-in-refused"),
        ("no.such@example.org", PASSWORD, "sign-in-refused"),
        ("bea.assessor@example.org", PASSWORD, "person-without-role"),
        ("nora.nobody@example.org", PASSWORD, "person-without-role"),
    ],
)
def test_who_is_not_of_the_town_does_not_sign_in(shared: Tablet, email: str, password: str, code: str):
    with pytest.raises(ProblemAnswer) as refused:
        shared.sign_in(email, password)
    assert (refused.value.status, refused.value.code) == (403, code)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert PersonSession.objects.count() == 0


def test_too_many_wrong_passwords_lock_the_address_for_a_while(shared: Tablet, settings: SettingsWrapper):
    settings.AXES_FAILURE_LIMIT = 3
    shared.transport._sleep = lambda _: None
    codes = []
    for password in ["wrong"] * 3 + [PASSWORD]:
        with pytest.raises(ProblemAnswer) as refused:
            shared.sign_in("dan.deputy@example.org", password)
        codes.append((refused.value.status, refused.value.code))
    assert codes[0] == (403, "sign-in-refused")
    assert codes[-1] == (429, "sign-in-locked"), "the right password is not looked at"
    assert int(refused.value.headers["Retry-After"]) > 0
    assert shared.sign_in("cora.collector@example.org", PASSWORD)["person"]["name"] == "Cora Collector"


def test_nobody_signs_in_on_a_suspended_tablet(shared: Tablet):
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        set_device_state(shared.device_id, Device.State.SUSPENDED, actor=SYSTEM, reason="repair")
    with pytest.raises(ProblemAnswer) as refused:
        shared.sign_in("dan.deputy@example.org", PASSWORD)
    assert refused.value.code == "device-revoked"


def test_signing_out_locks_and_takes_nothing_away(shared: Tablet, houses: list[House], cast: Cast):
    session = shared.sign_in("dan.deputy@example.org", PASSWORD)
    note(shared, houses[0], "before he left")
    shared.sign_out()
    assert shared.actor_id is None
    (result,) = shared.push()
    assert (result["status"], "flags" in result) == ("applied", False), (
        "made in his session, proven by its grant"
    )
    again = shared.transport.send("POST", "sessions/end", json={"session_id": session["session_id"]})
    with scope(SYSTEM, towns=[TOWN_A]):
        ended_at = PersonSession.objects.get().ended_at
        assert ended_at is not None
        assert again.json()["ended_at"][:19] == ended_at.isoformat()[:19], "once"
        assert DeviceEvent.objects.filter(what="signed-out").count() == 1


def test_a_session_of_another_tablet_is_not_ended(shared: Tablet, make_tablet: MakeTablet):
    session = shared.sign_in("dan.deputy@example.org", PASSWORD)
    with pytest.raises(ProblemAnswer) as refused:
        make_tablet().transport.send("POST", "sessions/end", json={"session_id": session["session_id"]})
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("policy", "status", "said"),
    [("accept", "applied", None), ("flag", "applied", "flags"), ("quarantine", "quarantined", "code")],
)
def test_what_an_unproven_author_sends_is_taken_as_the_town_has_it(
    shared: Tablet, houses: list[House], cast: Cast, policy: str, status: str, said: str | None
):
    state_policy(policy)
    note(shared, houses[0], "who wrote this?", actor_id=str(cast.deputy_a.id))
    (result,) = shared.push()
    assert result["status"] == status
    assert result.get("flags") == (["author-unproven"] if said == "flags" else None)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Mutation.objects.count() == 1
        assert Quarantine.objects.filter(code="author-unproven").count() == (1 if said == "code" else 0)
        assert Observation.objects.count() == (0 if said == "code" else 1)


def test_what_an_unproven_author_sent_stays_flagged_when_it_has_waited(
    shared: Tablet, houses: list[House], cast: Cast
):
    visit, house = str(uuid4()), houses[0]
    waits = note(
        shared, house, "before its visit", actor_id=str(cast.deputy_a.id), data={"inspection_id": visit}
    )
    (held,) = shared.push()
    assert (held["status"], held["flags"]) == ("held", ["author-unproven"])
    (held,) = shared.push_batch([waits])["results"]
    assert (held["status"], held["flags"]) == ("held", ["author-unproven"])
    shared.record(
        {
            "kind": "inspection.create",
            "entity_id": visit,
            "data": {"property_id": str(house.property_id), "entry_code": "01"},
        }
    )
    shared.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Mutation.objects.get(mutation_id=waits["mutation_id"])
    assert (row.status, row.result["flags"]) == ("applied", ["author-unproven"])


def test_work_after_the_grant_had_expired_is_flagged_and_taken(
    shared: Tablet, houses: list[House], cast: Cast
):
    shared.sign_in("dan.deputy@example.org", PASSWORD)
    later = timezone.now() + dt.timedelta(hours=80)
    note(shared, houses[0], "in time")
    note(shared, houses[1], "too late", captured_at=later.isoformat())
    results = shared.push()
    assert [r["status"] for r in results] == ["applied", "applied"]
    assert [r.get("flags") for r in results] == [None, ["grant-expired"]]


@pytest.mark.parametrize("grants", [["g1.x.y"], [None, 7, {}], ["x" * 100_000], [[]] * 500])
def test_grants_that_are_none_refuse_nothing(
    shared: Tablet, houses: list[House], cast: Cast, grants: list[Any]
):
    shared.session.grants_for = lambda mutations: grants  # type: ignore[method-assign]
    note(shared, houses[0], "x", actor_id=str(cast.deputy_a.id))
    (result,) = shared.push()
    assert (result["status"], result["flags"]) == ("applied", ["author-unproven"])


def test_a_grant_of_another_tablet_proves_nothing_here(
    shared: Tablet, make_tablet: MakeTablet, houses: list[House], cast: Cast
):
    other = make_tablet()
    session = other.sign_in("dan.deputy@example.org", PASSWORD)
    shared.session.grants_for = lambda mutations: [session["grant"]]  # type: ignore[method-assign]
    note(shared, houses[0], "x", actor_id=str(cast.deputy_a.id))
    (result,) = shared.push()
    assert result["flags"] == ["author-unproven"]
