"""How a tablet comes in and how it is put out, over HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest
from django.utils import timezone

from assessment.region.errors import Forbidden, NotFound
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.devices import services
from fieldsync.devices.models import Device, DeviceEvent, EnrolmentCode
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.fieldsync.conftest import MakeTablet, NewTablet


def new_code(town_code: int = TOWN_A, **options: object) -> str:
    with scope(SYSTEM, towns=[town_code], reason="test"):
        return services.make_enrolment_code(town_code, actor=SYSTEM, **options)


ENROL = "/api/field/v1/devices/enrol"


def enrolment(tablet: Tablet, code: str) -> dict[str, str]:
    """What a tablet sends to be let in."""
    key = tablet.transport.key
    signature = key.sign(f"grandlist-enrol\n{code}\n{key.spki}".encode())
    return {"code": code, "public_key": key.spki, "signature": signature, "name": "Tablet"}


def told_of(device_id: str) -> list[str]:
    """What is on record of a device, in order."""
    with scope(SYSTEM, towns=[TOWN_A]):
        events = DeviceEvent.objects.filter(device_id=device_id).order_by("at", "id")
        return list(events.values_list("what", flat=True))


@contextmanager
def losing_an_answer(tablet: Tablet) -> Iterator[list[int]]:
    """Let the first answer to a tablet be lost on the way; gives the statuses of those lost."""
    line, lost = tablet.transport.http, []

    def pass_on(request: httpx.Request) -> httpx.Response:
        answer = line.send(request)
        if not lost:
            lost.append(answer.status_code)
            raise httpx.ReadError("the line broke", request=request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    tablet.transport.http = httpx.Client(base_url=line.base_url, transport=httpx.MockTransport(pass_on))
    tablet.transport._sleep = lambda seconds: None
    try:
        yield lost
    finally:
        tablet.transport.http.close()
        tablet.transport.http = line


def test_a_tablet_enrols_and_is_told_the_policy(make_tablet: MakeTablet, cast: Cast) -> None:
    tablet = make_tablet(cast.collector_a, name="Tablet of Cora")
    policy = tablet.me()
    assert policy["device_id"] == tablet.device_id
    assert (policy["town"], policy["town_name"]) == (TOWN_A, "Hamden")
    assert (policy["state"], policy["wipe"], policy["person"]) == ("active", "none", "Cora Collector")
    assert policy["limits"]["push_max_items"] == 200


def test_a_code_works_once(new_tablet: NewTablet, cast: Cast) -> None:
    code = new_code()
    new_tablet("first").enrol(code, name="First")
    with pytest.raises(ProblemAnswer) as refused:
        new_tablet("second").enrol(code, name="Second")
    assert (refused.value.status, refused.value.code) == (403, "enrolment-code-unknown")


def test_of_two_tablets_with_one_code_at_once_one_gets_in(new_tablet: NewTablet, cast: Cast) -> None:
    code = new_code()

    def enrol(number: int) -> str:
        try:
            new_tablet(str(number)).enrol(code, name=str(number))
        except ProblemAnswer as problem:
            return problem.code
        return "in"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enrol, range(4))) == ["enrolment-code-unknown"] * 3 + ["in"]


def test_the_same_code_with_the_same_key_gives_the_same_tablet_again(
    new_tablet: NewTablet, cast: Cast
) -> None:
    code = new_code()
    tablet = new_tablet("first")
    first = tablet.enrol(code, name="First")
    again = tablet.enrol(code, name="Another name")
    assert (again["device_id"], again["name"]) == (first["device_id"], "First")
    assert tablet.me()["device_id"] == first["device_id"]
    assert told_of(first["device_id"]) == ["enrolled"]


def test_an_enrolment_whose_answer_was_lost_is_not_lost(new_tablet: NewTablet, cast: Cast) -> None:
    code = new_code()
    tablet = new_tablet("first")
    with losing_an_answer(tablet) as lost:
        policy = tablet.enrol(code, name="First")
    assert lost == [200]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert [str(key) for key in Device.objects.values_list("id", flat=True)] == [policy["device_id"]]
    assert told_of(policy["device_id"]) == ["enrolled"]
    with pytest.raises(ProblemAnswer) as refused:
        new_tablet("second").enrol(code, name="Second")
    assert (refused.value.status, refused.value.code) == (403, "enrolment-code-unknown")


def test_the_same_enrolment_many_times_at_once_is_one(new_tablet: NewTablet, server: str, cast: Cast) -> None:
    body = enrolment(new_tablet("first"), new_code())
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: httpx.post(f"{server}{ENROL}", json=body), range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    (device_id,) = {answer.json()["device_id"] for answer in answers}
    assert told_of(device_id) == ["enrolled"]


def test_of_two_tablets_that_repeat_one_code_at_once_one_stays_in(
    new_tablet: NewTablet, server: str, cast: Cast
) -> None:
    code = new_code()
    bodies = [enrolment(new_tablet(name), code) for name in ("first", "second")]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: httpx.post(f"{server}{ENROL}", json=bodies[n % 2]), range(8)))
    by_tablet = [{answer.status_code for answer in answers[n::2]} for n in range(2)]
    assert sorted(by_tablet, key=str) == [{200}, {403}]
    (device_id,) = {answer.json()["device_id"] for answer in answers if answer.status_code == 200}
    assert told_of(device_id) == ["enrolled"]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Device.objects.count() == 1


def test_a_used_code_past_its_life_gives_nothing_again(new_tablet: NewTablet, cast: Cast) -> None:
    code = new_code()
    tablet = new_tablet("first")
    tablet.enrol(code, name="First")
    with scope(SYSTEM, towns=[TOWN_A], reason="a day has passed"):
        EnrolmentCode.objects.update(expires_at=timezone.now())
    with pytest.raises(ProblemAnswer) as refused:
        tablet.enrol(code, name="First")
    assert refused.value.code == "enrolment-code-unknown"
    assert tablet.me()["state"] == "active", "it is a tablet of the town all the same"


def test_the_key_of_a_tablet_alone_does_not_repeat_its_enrolment(
    new_tablet: NewTablet, server: str, cast: Cast
) -> None:
    first = new_tablet("first")
    code = new_code()
    first.enrol(code, name="First")
    body = enrolment(new_tablet("thief"), code)
    stolen = {**body, "public_key": first.transport.key.spki}
    answer = httpx.post(f"{server}{ENROL}", json=stolen)
    assert (answer.status_code, answer.json()["code"]) == (401, "proof-invalid")


def test_a_revoked_tablet_that_repeats_its_enrolment_stays_revoked(new_tablet: NewTablet, cast: Cast) -> None:
    code = new_code()
    tablet = new_tablet("first")
    tablet.enrol(code, name="First")
    with scope(SYSTEM, towns=[TOWN_A], reason="lost"):
        services.set_device_state(
            tablet.device_id, Device.State.REVOKED, actor=SYSTEM, reason="lost", wipe=Device.Wipe.NOW
        )
    assert tablet.enrol(code, name="First")["state"] == "revoked"
    assert told_of(tablet.device_id)[0] == "enrolled"
    assert told_of(tablet.device_id).count("enrolled") == 1


def test_wrong_used_and_expired_codes_are_answered_alike(new_tablet: NewTablet, cast: Cast) -> None:
    expired = new_code(life=dt.timedelta(seconds=-1))
    other_town = f"{TOWN_B:03}" + new_code()[3:]
    documents = []
    for number, code in enumerate([expired, other_town, "062-0000-0000-0000", "nonsense"]):
        with pytest.raises(ProblemAnswer) as refused:
            new_tablet(str(number)).enrol(code, name="x")
        documents.append({k: v for k, v in refused.value.document.items() if k != "request_id"})
    assert all(document == documents[0] for document in documents)


def test_only_the_hash_of_a_code_is_kept(cast: Cast) -> None:
    code = new_code()
    with scope(SYSTEM, towns=[TOWN_A]):
        row = EnrolmentCode.objects.get()
    assert code.replace("-", "")[3:] not in str(vars(row))


def test_a_data_collector_makes_no_codes(cast: Cast) -> None:
    with scope(SYSTEM, towns=[TOWN_A]), pytest.raises(Forbidden):
        services.make_enrolment_code(TOWN_A, actor=cast.actor(cast.collector_a))


@pytest.mark.parametrize("who", ["nobody", "collector of another town"])
def test_a_code_is_for_somebody_of_the_town(who: str, cast: Cast) -> None:
    person_id = uuid4() if who == "nobody" else cast.collector_b.id
    with pytest.raises(NotFound):
        new_code(person_id=person_id)


def test_a_token_needs_the_devices_own_key(make_tablet: MakeTablet, cast: Cast) -> None:
    honest, thief = make_tablet(), make_tablet()
    thief.transport.device_id = honest.device_id
    with pytest.raises(ProblemAnswer) as refused:
        thief.me()
    assert (refused.value.status, refused.value.code) == (401, "proof-invalid")


def test_a_nonce_is_offered_for_ids_that_do_not_exist_too(server: str, cast: Cast, tablet: Tablet) -> None:
    answers = [
        httpx.post(f"{server}/api/field/v1/devices/token", json={"device_id": device_id, "town": TOWN_A})
        for device_id in (tablet.device_id, "01933f4a-7b1c-7a11-8d21-0f5d0a3b6c01")
    ]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(401, "proof-needed")] * 2


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer t1.x.y", "Basic abc", "Bearer n1.e30.AAAA"])
def test_without_a_good_token_everything_is_reauth(server: str, cast: Cast, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = httpx.get(f"{server}/api/field/v1/devices/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "reauth")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_revoked_tablet_is_told_to_wipe(tablet: Tablet, cast: Cast) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="lost"):
        services.set_device_state(
            tablet.device_id, Device.State.REVOKED, actor=SYSTEM, reason="lost", wipe=Device.Wipe.NOW
        )
    with pytest.raises(ProblemAnswer) as refused:
        tablet.me()
    assert (refused.value.code, refused.value.document["wipe"]) == ("device-revoked", "now")


def test_a_town_sees_its_own_devices_only(make_tablet: MakeTablet, cast: Cast) -> None:
    ours, theirs = make_tablet(), make_tablet(cast.collector_b, TOWN_B)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert [str(key) for key in Device.objects.values_list("id", flat=True)] == [ours.device_id]
    with scope(SYSTEM, towns=[TOWN_B]):
        assert [str(key) for key in Device.objects.values_list("id", flat=True)] == [theirs.device_id]
    assert Device.objects.count() == 0
