"""What a newer app sent waits, acknowledged, and is applied when the server has learned its version."""

from __future__ import annotations

import functools
import io
import json

import pytest
from django.core.management import call_command

from assessment.property.models import Observation
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.devices.models import Device
from fieldsync.devices.services import set_device_state
from fieldsync.push import reading, versions
from fieldsync.push.models import Quarantine
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House

NEWER = versions.CURRENT_VERSION + 1


def note(tablet: Tablet, house: House, text: str, **more: object) -> None:
    change = {"comment": {"base": "", "new": text}}
    tablet.record({"kind": "card.patch", "entity_id": str(house.property_id), "changes": change}, **more)


def reread() -> dict[str, object]:
    out = io.StringIO()
    call_command("reread_mutations", "--town", str(TOWN_A), "--json", stdout=out)
    answer: dict[str, object] = json.loads(out.getvalue())
    return answer


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of the next release, which knows one version more."""
    steps = {**versions.CONVERTERS, versions.CURRENT_VERSION: lambda body: body}
    knows_more = functools.partial(versions.up_convert, current=NEWER, converters=steps)
    monkeypatch.setattr(reading, "up_convert", knows_more)


@pytest.fixture
def waiting(tablet: Tablet, houses: list[House]) -> None:
    """Two changes of a newer app in quarantine."""
    for text in ("first", "second"):
        note(tablet, houses[0], text, schema_version=NEWER)
    results = tablet.push()
    assert [(r["status"], r["code"]) for r in results] == [("quarantined", "schema-too-new")] * 2
    assert all(r["receipt"] for r in results), "acknowledged all the same"
    assert tablet.store.unfinished() == []


def test_what_is_still_too_new_goes_on_waiting(waiting: None):
    assert reread() == {"applied": 0, "waiting": {"schema-too-new": 2}}


def test_what_was_too_new_is_applied_once_in_the_order_it_was_made(
    tablet: Tablet, waiting: None, request: pytest.FixtureRequest
):
    request.getfixturevalue("learned")
    assert reread() == {"applied": 2, "waiting": {}}
    assert reread() == {"applied": 0, "waiting": {}}
    with scope(SYSTEM, towns=[TOWN_A]):
        assert list(Observation.objects.order_by("id").values_list("value", flat=True)) == ["first", "second"]
        rows = list(Quarantine.objects.all())
    assert {row.state for row in rows} == {"applied"}
    assert f"version {versions.CURRENT_VERSION}" in rows[0].reason
    ids = list(tablet.store.results())
    told = tablet.transport.send("POST", "mutations/status", json={"ids": ids}).json()["results"]
    assert {result["status"] for result in told} == {"applied"}


def test_what_a_revoked_tablet_or_an_unknown_author_sent_waits_for_a_person(
    tablet: Tablet, houses: list[House], waiting: None, cast: Cast, request: pytest.FixtureRequest
):
    note(tablet, houses[1], "by nobody", schema_version=NEWER, actor_id=str(cast.nobody.id))
    tablet.push()
    request.getfixturevalue("learned")
    with scope(SYSTEM, towns=[TOWN_A], reason="lost"):
        set_device_state(tablet.device_id, Device.State.SUSPENDED, actor=SYSTEM, reason="lost")
    assert reread() == {"applied": 0, "waiting": {"device-revoked": 3}}
    with scope(SYSTEM, towns=[TOWN_A], reason="found"):
        set_device_state(tablet.device_id, Device.State.ACTIVE, actor=SYSTEM, reason="found")
    assert reread() == {"applied": 2, "waiting": {"person-unknown": 1}}
