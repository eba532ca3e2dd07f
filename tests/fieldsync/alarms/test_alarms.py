"""What is an alarm, who is told, and that nobody outside of a town learns more than a count."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from assessment.property.models import Photo, Property
from assessment.region.ids import new_id
from assessment.region.scope import scope
from fieldsync.alarms import rules
from fieldsync.alarms.parameters import thresholds
from fieldsync.alarms.selectors import list_alarms
from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.reconciliation.models import Statement
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast, make_cast
from tests.fieldsync.conftest import House

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
DOCS = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


def ago(**age: float) -> dt.datetime:
    return NOW - dt.timedelta(**age)


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast in the test's own transaction: nothing here needs a commit."""
    return make_cast()


@pytest.fixture
def device(cast: Cast, houses: list[House]) -> Device:
    """A tablet in good order, seen a moment ago."""
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        return Device.objects.create(
            town_id=TOWN_A, name="Tablet 7", public_key="k", enrolled_at=ago(days=99), last_seen_at=NOW,
            queue={"pending": 0, "photos": 0},
        )  # fmt: skip


def make_mutation(device: Device, **fields: object) -> Mutation:
    facts = {
        "town_id": TOWN_A, "mutation_id": new_id(), "device": device, "device_seq": 1, "batch_id": new_id(),
        "kind": "card.patch", "schema_version": 1, "body": {}, "sha256": "0" * 64, "status": "applied",
        "received_at": NOW,
    }  # fmt: skip
    return Mutation.objects.create(**{**facts, **fields})


def make_statement(device: Device, **fields: object) -> None:
    facts = {
        "town_id": TOWN_A, "device": device, "stated_at": NOW, "records_claimed": 1, "records_here": 1,
        "photos_claimed": 0, "photos_here": 0, "held_count": 0, "quarantined_count": 0,
        "open_conflict_count": 0, "is_complete": True, "is_store_lost": False, "summary": "1/1", "token": "s1",
    }  # fmt: skip
    Statement.objects.create(**{**facts, **fields})


def hold(device: Device, age_hours: float) -> None:
    make_mutation(device, status="held", held_for=new_id(), received_at=ago(hours=age_hours))


def park(device: Device, code: str, age_days: float) -> None:
    mutation = make_mutation(device, status="quarantined")
    Quarantine.objects.create(
        town_id=TOWN_A, mutation=mutation, device=device, code=code, quarantined_at=ago(days=age_days)
    )


def clash(device: Device, age_days: float) -> None:
    Conflict.objects.create(
        town_id=TOWN_A, property=Property.objects.first(), mutation=make_mutation(device), device=device,
        field="comment", base="", theirs="a", ours="b", ours_author="x", arose_at=ago(days=age_days),
    )  # fmt: skip


def change(device: Device, **fields: object) -> None:
    Device.objects.filter(id=device.id).update(**fields)


def declare(age_days: float, state: str = "declared") -> None:
    photo = Photo.objects.create(
        town_id=TOWN_A, property=Property.objects.first(), state=state, sha256=f"{int(age_days * 10):064x}"
    )
    Photo.objects.filter(id=photo.id).update(created_at=ago(days=age_days))


CASES: dict[str, tuple[Callable[[Device], None], Callable[[Device], None]]] = {
    # code: (what is an alarm, what is not yet one)
    "held-too-old": (lambda d: hold(d, 25), lambda d: hold(d, 23)),
    "quarantine-unattended": (lambda d: park(d, "invalid", 3.1), lambda d: park(d, "invalid", 2.9)),
    "clone-suspected": (lambda d: park(d, "device-clone-suspected", 0), lambda d: park(d, "invalid", 0)),
    "conflicts-unattended": (lambda d: clash(d, 15), lambda d: clash(d, 13)),
    "device-silent": (
        lambda d: change(d, queue={"pending": 3, "photos": 2}, last_seen_at=ago(hours=25)),
        lambda d: change(d, queue={"pending": 0}, last_seen_at=ago(days=40)),
    ),
    "clock-suspect": (lambda d: change(d, clock_offset_ms=-3_600_000), lambda d: change(d, clock_offset_ms=800)),
    "local-store-lost": (
        lambda d: make_statement(d, is_store_lost=True, stated_at=ago(days=6)),
        lambda d: make_statement(d, is_store_lost=True, stated_at=ago(days=8)),
    ),
    "package-checksum-mismatch": (
        lambda d: make_statement(d, stale_packages=["x"]),
        lambda d: [
            make_statement(d, stale_packages=["x"], stated_at=ago(hours=2)),
            make_statement(d, stated_at=ago(hours=1)),
        ],
    ),
    "photos-missing": (lambda d: declare(3.1), lambda d: [declare(2.9), declare(9, "verified")]),
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(CASES))
def test_each_alarm_begins_at_its_threshold(device: Device, code: str) -> None:
    alarming, not_yet = CASES[code]
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        not_yet(device)
        assert list_alarms(now=NOW) == []
        alarming(device)
        [alarm] = list_alarms(now=NOW)
    assert (alarm.code, alarm.town_code) == (code, TOWN_A)
    assert "{" not in alarm.sentence


def test_every_alarm_is_tried_here_and_in_the_manual() -> None:
    assert set(CASES) | {"disk-reserve", "disk-low"} == set(rules.KINDS)
    manual = DOCS.read_text()
    assert [code for code in rules.KINDS if f"`{code}`" not in manual] == []


def test_the_disk_is_an_alarm_before_it_is_full() -> None:
    limits = thresholds()
    gb = 1_000_000_000
    for free, code in ((30, None), (15, "disk-low"), (0.4, "disk-reserve")):
        found = rules.disk_alarms(
            free_bytes=int(free * gb), total_bytes=100 * gb, reserve_bytes=gb // 2, limits=limits
        )
        assert [alarm.code for alarm in found] == ([code] if code else [])


def test_the_command_prints_every_alarm_and_fails(
    device: Device, settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DISK_RESERVE_MB = 0
    monkeypatch.setattr("fieldsync.alarms.selectors.thresholds", _no_disk)
    call_command("check_field")
    assert capsys.readouterr().out == "No alarm.\n"
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        Device.objects.update(queue={"pending": 3}, last_seen_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(CommandError, match=r"1 alarm\."):
        call_command("check_field", town="hamden")
    said = capsys.readouterr().out
    assert said.startswith(
        "error: device-silent (Hamden, Tablet 7): It said that it holds 3 items and has not"
    )
    call_command("check_field", town="hamden", fail_on="never", json=True)
    [facts] = json.loads(capsys.readouterr().out)
    assert (facts["code"], facts["severity"], facts["device"]) == ("device-silent", "error", "Tablet 7")
    with pytest.raises(CommandError, match="no town"):
        call_command("check_field", town="atlantis")


def test_a_warning_may_be_let_pass(
    device: Device, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DISK_RESERVE_MB = 0
    monkeypatch.setattr("fieldsync.alarms.selectors.thresholds", _no_disk)
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        Device.objects.update(clock_offset_ms=9_999_999)
    call_command("check_field", fail_on="error")
    with pytest.raises(CommandError):
        call_command("check_field")


def _no_disk() -> rules.Thresholds:
    limits = thresholds()
    return rules.Thresholds(
        **{name: getattr(limits, name) for name in limits.__slots__} | {"disk_free_percent": 0}
    )


def test_health_and_metrics_count_alarms_and_name_nobody(device: Device, settings: Settings) -> None:
    settings.DISK_RESERVE_MB = 0
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        Device.objects.update(
            name="SECRET",
            queue={"pending": 3, "oldest_age_s": 60},
            last_seen_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        )
        park(device, "invalid", 99)
    assert "alarms" not in Client().get("/healthz").json()
    health = Client().get("/healthz?detail")
    assert health.json()["alarms"] | {"disk-low": 0} == {
        "device-silent": 1, "quarantine-unattended": 1, "disk-low": 0,
    }  # fmt: skip
    text = Client().get("/metrics").content.decode()
    for line in (
        'grandlist_field_alarms{code="device-silent"} 1.0',
        'grandlist_field_quarantine_items{code="invalid"} 1.0',
        'grandlist_field_devices{state="active"} 1.0',
        "grandlist_field_held_items 0.0",
        "grandlist_field_feed_unread_changes 0.0",
    ):
        assert line in text
    assert "grandlist_field_unsent_oldest_seconds" in text
    assert "SECRET" not in text + health.content.decode()
    assert "amden" not in text


def test_a_town_is_told_of_its_own_alarms_only(device: Device) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        hold(device, 99)
    with scope(SYSTEM, towns=[TOWN_B]):
        assert list_alarms(now=NOW) == []


def test_devices_that_say_nonsense_of_themselves_alarm_nobody(device: Device) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        Device.objects.update(queue={"pending": "many", "photos": None}, last_seen_at=ago(days=9))
        assert list_alarms(now=NOW) == []
        assert UUID(str(device.id))
