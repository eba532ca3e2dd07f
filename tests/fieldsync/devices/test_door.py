"""Limits where nobody has proven who they are: one tablet gone wild, forty good ones behind the same line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.devices import door
from fieldsync.devices.door import DOOR, Buckets, Door
from fieldsync.devices.services import make_enrolment_code
from fieldsync.problems import RateLimited
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, MakeTablet, NewTablet

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

TOKEN, ENROL = "/api/field/v1/devices/token", "/api/field/v1/devices/enrol"
WILD = "01933f4a-7b1c-7a11-8d21-0f5d0a3b6c01"


@pytest.fixture(autouse=True)
def fresh_door() -> Iterator[None]:
    """What other tests asked does not count here, nor what these ask there."""
    DOOR.__init__()  # type: ignore[misc]
    yield
    DOOR.__init__()  # type: ignore[misc]


def let_in(at: Door, count: int, *, caller: str = "", now_s: float = 0.0, address: str = "a") -> int:
    """How many of so many requests at once are let in; without a caller each is another's."""
    taken = 0
    for _ in range(count):
        try:
            at.admit("token", address, caller or str(uuid4()), now_s=now_s)
        except RateLimited:
            continue
        taken += 1
    return taken


def test_a_tablet_gone_wild_does_not_shut_out_forty_behind_the_same_line() -> None:
    """As shipped: it asks 500 times a second for ten minutes, the others for their tokens again and again."""
    at, tablets = Door(), [str(uuid4()) for _ in range(40)]
    for second in range(600):
        let_in(at, 500, caller=WILD, now_s=second)
        if second % 10 == 0:
            assert [let_in(at, 2, caller=tablet, now_s=second) for tablet in tablets] == [2] * 40
    assert let_in(at, 500, caller=WILD, now_s=600) == 20, "it is held to its own measure"


def test_forty_tablets_that_come_back_at_once_are_all_let_in() -> None:
    at = Door()
    assert [let_in(at, 20, caller=str(number)) for number in range(40)] == [20] * 40


def test_a_flood_under_ever_new_names_is_stopped_by_its_address_and_elsewhere_nobody_is() -> None:
    at = Door()
    assert let_in(at, 5000) == 4000
    assert let_in(at, 500, now_s=2) == 200
    assert let_in(at, 500, now_s=2, address="b") == 500
    at.admit("enrol", "a", "somebody", now_s=2)


def test_the_name_of_a_tablet_used_elsewhere_does_not_shut_it_out() -> None:
    at = Door()
    let_in(at, 5000, caller="tablet", address="far away")
    assert let_in(at, 10, caller="tablet") == 10


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_KEPT_MOST", 50)
    buckets = Buckets()
    for number in range(500):
        buckets.draw((str(number % 300), "x"), now_s=0, rate_per_s=1, burst=1)
    assert len(buckets._buckets) == 50


def test_the_processes_of_a_machine_share_what_it_lets_in(settings: SettingsWrapper) -> None:
    settings.WEB_PROCESSES = 4
    doors = [Door() for _ in range(4)]
    assert sum(let_in(at, 1000, caller=WILD) for at in doors) == 600
    assert sum(let_in(at, 2000) for at in doors) == 4000 - 600
    assert sum(let_in(at, 500, now_s=2) for at in doors) == 200


def test_more_processes_than_a_limit_has_requests_still_let_one_in(settings: SettingsWrapper) -> None:
    settings.WEB_PROCESSES, settings.FIELD_DOOR_REQUEST_BURST = 64, 10
    assert let_in(Door(), 5, caller=WILD) == 1


@pytest.fixture
def narrow(settings: SettingsWrapper) -> SettingsWrapper:
    settings.FIELD_DOOR_REQUESTS_PER_S, settings.FIELD_DOOR_REQUEST_BURST = 0.01, 10
    settings.FIELD_ADDRESS_REQUESTS_PER_S, settings.FIELD_ADDRESS_REQUEST_BURST = 0.01, 100
    return settings


def ask(server: str, device_id: str = WILD, **headers: str) -> httpx.Response:
    return httpx.post(f"{server}{TOKEN}", json={"device_id": device_id, "town": TOWN_A}, headers=headers)


def test_who_asks_for_tokens_too_often_is_told_when_to_come_back(
    server: str, cast: Cast, tablet: Tablet, narrow: SettingsWrapper
) -> None:
    answers = [ask(server, **{"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    refused = answers[-1]
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.json()["code"], refused.json()["retry"]) == ("rate-limited", "after")
    assert 100 <= int(refused.headers["Retry-After"]) <= 150
    assert tablet.me()["state"] == "active", "the others behind the line are let in"


def test_a_flood_from_one_address_is_refused_and_who_has_a_token_is_not(
    server: str, cast: Cast, tablet: Tablet, houses: list[House], narrow: SettingsWrapper
) -> None:
    tablet.me()
    answers = [ask(server, str(uuid4())) for _ in range(101)]
    refused = answers[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "address-rate-limited")
    assert refused.json()["retry"] == "after"
    assert int(refused.headers["Retry-After"]) >= 1
    assert "Field-Hints" in refused.headers
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"})
    assert [result["status"] for result in tablet.push()] == ["applied"], "no address refuses field data"


def test_behind_a_trusted_proxy_a_flood_shuts_out_its_own_line_alone(
    server: str, cast: Cast, narrow: SettingsWrapper
) -> None:
    narrow.TRUSTED_PROXIES = ["127.0.0.1"]
    flood, other = (
        {"X-Forwarded-For": f"192.0.2.7, {address}"} for address in ("203.0.113.9", "203.0.113.10")
    )
    answers = [ask(server, str(uuid4()), **flood) for _ in range(101)]
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "address-rate-limited")
    assert (
        ask(server, str(uuid4()), **flood | {"X-Forwarded-For": "192.0.2.8, 203.0.113.9"}).status_code == 429
    )
    assert ask(server, str(uuid4()), **other).status_code == 401


def test_what_a_tablet_holds_stays_with_it_when_it_gets_no_token(
    cast: Cast, tablet: Tablet, houses: list[House], narrow: SettingsWrapper
) -> None:
    tablet.transport._sleep = lambda seconds: None
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"})
    for _ in range(5):
        tablet.transport._token = ""
        tablet.me()
    tablet.transport._token = ""
    with pytest.raises(ProblemAnswer) as refused:
        tablet.sync()
    assert (refused.value.code, len(tablet.store.unfinished())) == ("rate-limited", 1)
    narrow.FIELD_DOOR_REQUESTS_PER_S = 1000
    assert tablet.sync()["pushed"] == 1


def test_enrolling_is_limited_by_key_and_a_good_tablet_gets_in(
    server: str, new_tablet: NewTablet, cast: Cast, narrow: SettingsWrapper
) -> None:
    guess = {"code": "062-0000-0000-0000", "public_key": "x", "signature": "x", "name": "x"}
    answers = [httpx.post(f"{server}{ENROL}", json=guess) for _ in range(12)]
    assert {answer.status_code for answer in answers[:10]} <= {401, 403}
    assert [(answer.status_code, answer.json()["code"]) for answer in answers[10:]] == [
        (429, "rate-limited")
    ] * 2
    assert "Retry-After" in answers[-1].headers
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        code = make_enrolment_code(TOWN_A, actor=SYSTEM)
    assert new_tablet("good").enrol(code, name="Good")["state"] == "active"


def test_a_flood_of_tokens_does_not_close_enrolment(
    server: str, make_tablet: MakeTablet, cast: Cast, narrow: SettingsWrapper
) -> None:
    for _ in range(101):
        ask(server, str(uuid4()))
    assert make_tablet().device_id
