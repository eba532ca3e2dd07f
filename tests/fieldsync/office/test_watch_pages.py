"""A tablet's page, its statements and the alarms, as the office sees them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assessment.region.ids import new_id
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.devices.models import Device
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, draw
from tests.fieldsync.office.test_pages import FIELD, sign_in, text


@pytest.fixture
def office(cast: Cast) -> Client:
    """The assessor, signed in."""
    return sign_in(cast.assessor_a)


def test_a_tablets_page_says_how_it_is_and_what_waits(
    office: Client, tablet: Tablet, houses: list[House]
) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"})
    tablet.patch_card(str(new_id()), {"comment": "of no house"})
    tablet.sync()
    tablet.reconcile()
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        queue = {"pending": 3, "photos": 5, "oldest_age_s": 7200, "persisted": False, "quota_used": 0.31}
        Device.objects.update(queue=queue, last_seen_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    page = text(office, f"{FIELD}/devices/{tablet.device_id}/")
    for part in (
        "A tablet with work is silent", "It said that it holds 8 items", "no: it may be cleared", "31 %",
        "Route 12: 6 properties", "2/2 records, 0/0 photos on the server", "1 in quarantine", "property-unknown",
        "1 quarantined",
    ):  # fmt: skip
        assert part in page, part
    listed = text(office, f"{FIELD}/devices/")
    assert "device-silent" in listed
    assert f"{FIELD}/devices/{tablet.device_id}/" in listed
    assert "device-silent" in text(office, f"{FIELD}/alarms/")
    home = text(office, "/t/hamden/")
    assert "Alarms of the field" in home
    assert "1 needs attention today" in home


def test_a_statement_is_downloaded_as_it_was_signed(
    office: Client, tablet: Tablet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tablet.reconcile()["statement"]
    with scope(SYSTEM, towns=[TOWN_A]):
        statement = Device.objects.get().statements.get()
    answer = office.get(f"{FIELD}/statements/{statement.id}")
    assert answer.content.decode() == f"{token}\n"
    (tmp_path / "statement.txt").write_bytes(answer.content)
    call_command("verify_statement", tmp_path / "statement.txt")
    assert "not altered" in capsys.readouterr().out
    assert office.get(f"{FIELD}/statements/{new_id()}").status_code == 404


def test_whoever_may_not_manage_tablets_is_not_alarmed_on_the_home(cast: Cast, tablet: Tablet) -> None:
    assert "Alarms of the field" not in text(sign_in(cast.clerk_a), "/t/hamden/")


def test_a_tablets_page_costs_the_same_however_much_it_sent(
    office: Client,
    tablet: Tablet,
    houses: list[House],
) -> None:
    address = f"{FIELD}/devices/{tablet.device_id}/"
    costs = []
    for _ in range(2):
        for house in houses:
            tablet.patch_card(str(house.property_id), {"comment": str(new_id())})
            tablet.patch_card(str(new_id()), {"comment": "of no house"})
        tablet.push()
        tablet.reconcile()
        with CaptureQueriesContext(connection) as queries:
            text(office, address)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 24


def test_a_change_is_traced_from_the_ledger_to_the_record(
    tablet: Tablet, houses: list[House], capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {houses[0].path("style"): {"base": "Colonial", "new": "Ranch"}}
    sent = tablet.record({"kind": "card.patch", "entity_id": str(houses[0].property_id), "changes": changes})
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Mutation.objects.count() == 1
    call_command("trace_mutation", sent["mutation_id"], json=True)
    steps = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in steps][:2] == ["ledger", "observation"]
    assert steps[1]["value"] == "Ranch"
    call_command("trace_mutation", sent["mutation_id"])
    assert capsys.readouterr().out.startswith("ledger: ")
    with pytest.raises(CommandError, match="No tablet has sent"):
        call_command("trace_mutation", str(new_id()))
