"""The life of a device: suspended, resumed, revoked, wiped, copied; told with every answer, and journaled."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from django.db import DatabaseError, transaction

from assessment.property.models import Building
from assessment.region.errors import Conflict, Forbidden, Invalid
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.devices import lifecycle, rules
from fieldsync.devices.models import Device, DeviceEvent, SpentNonce
from fieldsync.push.models import Mutation, Quarantine
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, MakeTablet, NewTablet, draw

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

State, Wipe = Device.State, Device.Wipe


def decide(tablet: Tablet, state: State, wipe: Wipe = Wipe.NONE, reason: str = "test") -> Device:
    with scope(SYSTEM, towns=[TOWN_A], reason=reason):
        return lifecycle.set_device_state(tablet.device_id, state, actor=SYSTEM, reason=reason, wipe=wipe)


def life(tablet: Tablet) -> list[str]:
    with scope(SYSTEM, towns=[TOWN_A]):
        return list(
            DeviceEvent.objects.filter(device_id=tablet.device_id)
            .order_by("at", "id")
            .values_list("what", flat=True)
        )


def note(tablet: Tablet, house: House) -> None:
    tablet.record(
        {
            "kind": "card.patch",
            "entity_id": str(house.property_id),
            "changes": {"comment": {"base": "", "new": "x"}},
        }
    )


def test_a_device_goes_through_its_life_and_each_step_stays(tablet: Tablet):
    decide(tablet, State.SUSPENDED, reason="lost?")
    decide(tablet, State.ACTIVE, reason="found")
    decide(tablet, State.REVOKED, Wipe.NOW, reason="stolen")
    assert life(tablet) == ["enrolled", "suspended", "resumed", "revoked", "wipe-asked"]
    with pytest.raises(Conflict):
        decide(tablet, State.ACTIVE)
    with scope(SYSTEM, towns=[TOWN_A]), pytest.raises(DatabaseError), transaction.atomic():
        DeviceEvent.objects.update(reason="nothing happened")


def test_an_active_tablet_is_not_wiped_at_once(tablet: Tablet):
    with pytest.raises(Invalid):
        decide(tablet, State.ACTIVE, Wipe.NOW)
    assert decide(tablet, State.ACTIVE, Wipe.AFTER_UPLOAD).wipe == "after-upload"


def test_only_who_manages_devices_decides(tablet: Tablet, cast: Cast):
    with scope(SYSTEM, towns=[TOWN_A]), pytest.raises(Forbidden):
        lifecycle.set_device_state(
            tablet.device_id, State.REVOKED, actor=cast.actor(cast.collector_a), reason="mine"
        )
    with scope(SYSTEM, towns=[TOWN_A]), pytest.raises(Forbidden):
        lifecycle.clear_copy(tablet.device_id, actor=cast.actor(cast.clerk_a), reason="x")


def test_the_decision_is_told_with_every_answer(tablet: Tablet, houses: list[House]):
    assert tablet.transport.send("GET", "packages").headers["Device-State"] == "active"
    decide(tablet, State.REVOKED, Wipe.AFTER_UPLOAD)
    with pytest.raises(ProblemAnswer) as refused:
        tablet.list_packages()
    assert (refused.value.status, refused.value.document["wipe"]) == (401, "after-upload")
    assert (refused.value.headers["Device-State"], refused.value.headers["Device-Wipe"]) == (
        "revoked",
        "after-upload",
    )
    note(tablet, houses[0])
    answer = tablet.push_batch(tablet.store.unfinished())
    assert answer["device"] == {"state": "revoked", "wipe": "after-upload", "enrol_again": False}
    lookup = tablet.transport.send("POST", "photos/lookup", json={"sha256": []})
    assert lookup.headers["Device-Wipe"] == "after-upload"


def test_a_revoked_tablet_still_deposits_and_says_that_it_was_wiped(tablet: Tablet, houses: list[House]):
    note(tablet, houses[0])
    tablet.take_photo(b"\xff\xd8\xff" + b"y" * 500, property_id=str(houses[0].property_id))
    decide(tablet, State.REVOKED, Wipe.AFTER_UPLOAD)
    tablet.transport._token = ""  # a new token too, signed by the key it has
    assert [r["code"] for r in tablet.push()] == ["device-revoked"] * 2
    assert tablet.upload_photos() == 1
    tablet.transport.send("POST", "devices/wiped", json={"pending": 0})
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Device.objects.get().wiped_at is not None
        assert Quarantine.objects.count() >= 2
    assert life(tablet)[-1] == "wiped"


def test_a_nonce_gives_one_token(tablet: Tablet, server: str):
    post = f"{server}/api/field/v1/devices/token"
    body = {"device_id": tablet.device_id, "town": TOWN_A}
    nonce = httpx.post(post, json=body).json()["nonce"]
    message = f"grandlist-token\n{tablet.device_id}\n{nonce}".encode()
    signed = {**body, "nonce": nonce, "signature": tablet.transport.key.sign(message)}
    assert httpx.post(post, json=signed).status_code == 200
    replayed = httpx.post(post, json=signed)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "proof-needed")
    fresh_signature = {**signed, "signature": tablet.transport.key.sign(message)}
    assert httpx.post(post, json=fresh_signature).status_code == 401, "nor with another signature over it"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert SpentNonce.objects.filter(digest=rules.nonce_digest(nonce)).count() == 1


def test_of_one_person_several_tablets_work(make_tablet: MakeTablet, houses: list[House], cast: Cast):
    tablets = [make_tablet(cast.collector_a) for _ in range(2)]
    for tablet, house in zip(tablets, houses, strict=False):
        note(tablet, house)
        assert [r["status"] for r in tablet.push()] == ["applied"]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Device.objects.filter(person=cast.collector_a).count() == 2


def copy_of(tablet: Tablet, new_tablet: NewTablet) -> Tablet:
    """A second tablet with the same storage, as a restored image of the first has."""
    tablet.store.close()
    target = tablet.folder.parent / "copy"
    shutil.copytree(tablet.folder, target)
    tablet.store.__init__(tablet.folder / "tablet.sqlite3")  # type: ignore[misc]
    return new_tablet("copy")


def test_a_copy_is_marked_both_bodies_are_kept_and_it_is_asked_to_enrol_again(
    tablet: Tablet, new_tablet: NewTablet, houses: list[House]
):
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    copy = copy_of(tablet, new_tablet)
    note(tablet, houses[0])
    note(copy, houses[1])
    assert [r["status"] for r in tablet.push()] == ["applied"]
    answer = copy.push_batch(copy.store.unfinished())
    assert [r["code"] for r in answer["results"]] == ["device-clone-suspected"]
    assert answer["device"]["enrol_again"] is True
    assert copy.me()["enrol_again"] is True
    with pytest.raises(ProblemAnswer) as refused:
        copy.download(str(package.id))
    assert (refused.value.status, refused.value.code) == (403, "enrol-again")
    assert refused.value.headers["Device-Enrol-Again"] == "?1"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert {str(row.entity_id) for row in Mutation.objects.filter(device_seq=1)} == {
            str(houses[0].property_id), str(houses[1].property_id),
        }  # fmt: skip
    assert life(tablet)[-1] == "copy-suspected"
    note(tablet, houses[2])
    assert [r["status"] for r in tablet.push()] == ["applied"], "what it sends is taken"
    with scope(SYSTEM, towns=[TOWN_A], reason="the copy was found"):
        lifecycle.clear_copy(tablet.device_id, actor=SYSTEM, reason="the copy was found")
    tablet.download(str(package.id))
    assert life(tablet)[-1] == "copy-cleared"


def test_an_old_app_gets_no_new_work_and_its_changes_are_taken(
    tablet: Tablet, houses: list[House], settings: SettingsWrapper
):
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    settings.FIELD_MIN_APP_VERSION = "0.2"
    with pytest.raises(ProblemAnswer) as refused:
        tablet.download(str(package.id))
    assert (refused.value.status, refused.value.code) == (426, "app-too-old")
    with pytest.raises(ProblemAnswer) as refused:
        tablet.transport.send("POST", f"packages/{package.id}/checkout")
    assert refused.value.code == "app-too-old"
    assert refused.value.document["min_app_version"] == tablet.me()["min_app_version"] == "0.2"
    note(tablet, houses[0])
    assert [r["status"] for r in tablet.push()] == ["applied"]
    tablet.pull(str(package.id))
    tablet.transport.app_version = "0.2.0"
    tablet.download(str(package.id))


@pytest.mark.parametrize(
    ("version", "least", "is_older"),
    [
        ("0.1.0", "0.1.0", False), ("0.1", "0.1.0", False), ("0.9.9", "0.10.0", True), ("1.10.2", "1.9", False),
        ("2.0.0-beta", "2.0", False), ("", "1.0", False), ("who knows", "1.0", False),
    ],
)  # fmt: skip
def test_versions_are_compared_by_their_numbers(version: str, least: str, is_older: bool):
    assert rules.is_older(version, least) is is_older


def test_the_office_sees_what_a_device_said_of_its_queue(tablet: Tablet, houses: list[House]):
    for house in houses[:3]:
        note(tablet, house)
    tablet.take_photo(b"\xff\xd8\xff" + b"z" * 497, property_id=str(houses[0].property_id))
    tablet.push_batch(tablet.store.unfinished())
    with scope(SYSTEM, towns=[TOWN_A]):
        device = Device.objects.get()
    assert (device.queue["pending"], device.queue["photos"], device.queue["bytes"]) == (4, 1, 500)
    assert device.queue["oldest_age_s"] >= 0
    assert device.queue["persisted"] is True
    assert 0 <= device.queue["quota_used"] <= 1
    assert device.app_version == "0.1.0"
    assert device.last_push_at is not None
    assert device.clock_offset_ms is not None


def test_a_device_that_only_asks_is_seen_too(tablet: Tablet):
    with scope(SYSTEM, towns=[TOWN_A]):
        enrolled = Device.objects.get().last_seen_at
    tablet.list_packages()
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Device.objects.get().last_seen_at > enrolled


def test_a_device_that_is_gone_is_asked_to_prove_itself(server: str, tablet: Tablet):
    tablet.transport.device_id = str(uuid4())
    with pytest.raises(ProblemAnswer) as refused:
        tablet.me()
    assert refused.value.code in ("proof-invalid", "reauth")


def test_buildings_are_untouched_by_what_a_revoked_tablet_sends(tablet: Tablet, houses: list[House]):
    house = houses[0]
    tablet.record(
        {
            "kind": "card.patch",
            "entity_id": str(house.property_id),
            "changes": {house.path("style"): {"base": "Colonial", "new": "Ranch"}},
        }
    )
    decide(tablet, State.SUSPENDED)
    assert [r["status"] for r in tablet.push()] == ["quarantined"]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Building.objects.get(id=house.building_id).style == "Colonial"


@pytest.mark.parametrize(
    "said",
    [
        {"queue": "full"}, {"queue": {"oldest_age_s": -1}}, {"queue": {"pending": 1.5}}, {"client_time": "noon"},
        {"client_time": "2026-10-02T10:00:00"}, {"app_version": "x" * 500}, {"app_version": 7},
    ],
)  # fmt: skip
def test_what_a_device_says_badly_of_itself_refuses_no_field_data(
    tablet: Tablet, houses: list[House], said: dict[str, object]
):
    note(tablet, houses[0])
    body = {
        "batch_id": str(uuid4()), "device_id": tablet.device_id, "schema_version": 2,
        "mutations": tablet.store.unfinished(), **said,
    }  # fmt: skip
    answer = tablet.transport.send("POST", "push", json=body).json()
    assert [result["status"] for result in answer["results"]] == ["applied"]
