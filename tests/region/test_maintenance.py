"""Maintenance: everybody is sent away, and nobody hears anything else."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import InterfaceError, OperationalError
from django.db.migrations import Migration
from django.db.models.signals import pre_migrate
from django.test import Client, RequestFactory

from assessment.management.commands.migrate import _requests_sent_away
from assessment.project.api import field_api
from assessment.region.maintenance import end_maintenance, find_maintenance, flag_path, maintenance
from tests.cast import Cast

if TYPE_CHECKING:
    pass


def command(*words: str) -> str:
    out = io.StringIO()
    call_command("maintenance", *words, stdout=out)
    return out.getvalue()


def test_while_it_is_on_programs_get_a_problem_and_people_a_page(client: Client):
    command("on", "--reason", "The database moves.")
    for path in ("/api/field/v1/push", "/api/v1/me", "/ogc/"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"], answer.json()["retry"]) == (
            503,
            "maintenance",
            "after",
        )
        assert answer.json()["detail"] == "The database moves."
        assert 60 <= int(answer["Retry-After"]) < 120
    page = client.get("/sign-in")
    assert (page.status_code, b"The database moves." in page.content) == (503, True)


def test_when_it_is_off_requests_are_answered(client: Client):
    command("on")
    assert "is off" in command("off")
    assert client.get("/api/field/v1/devices/me").json()["code"] == "reauth"


def test_its_state_is_told_as_json():
    assert json.loads(command("status", "--json")) == {"on": False}
    command("on", "--reason", "x")
    state = json.loads(command("status", "--json"))
    assert (state["on"], state["reason"], state["cause"]) == (True, "x", "operator")


def test_health_and_metrics_are_answered_still(client: Client, cast: Cast):
    command("on")
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 200


def test_a_step_that_fails_leaves_it_on_and_one_that_succeeds_ends_it():
    with pytest.raises(OSError, match="cut off"), maintenance("restoring", cause="restore"):
        raise OSError("cut off")
    state = find_maintenance()
    assert state is not None
    assert state.cause == "restore"
    with maintenance("restoring again", cause="restore"):
        assert find_maintenance() is not None
    assert find_maintenance() is None


def test_a_step_does_not_end_what_the_operator_began():
    command("on", "--reason", "until Monday")
    with maintenance("migrating", cause="migrate"):
        pass
    state = find_maintenance()
    assert state is not None
    assert state.reason == "until Monday"


def test_a_flag_that_cannot_be_read_counts_as_on():
    flag_path().write_text("{")
    assert find_maintenance() is not None
    assert end_maintenance()
    assert not end_maintenance()


def test_a_migration_of_a_database_in_use_sends_requests_away_and_a_first_one_does_not():
    app = apps.get_app_config("assessment")
    first, later = Migration("0001_x", "assessment"), Migration("0099_x", "assessment")
    first.initial = True
    for plan, sends_away in ([(first, False), (later, False)], False), ([], False), ([(later, False)], True):
        with _requests_sent_away():
            pre_migrate.send(sender=app, plan=plan)
            pre_migrate.send(sender=app, plan=plan)
            assert (find_maintenance() is not None) is sends_away
        assert find_maintenance() is None


def test_what_a_migration_left_that_was_cut_off_ends_with_the_next_one():
    with pytest.raises(KeyboardInterrupt), maintenance("migrating", cause="migrate"):
        raise KeyboardInterrupt
    assert find_maintenance() is not None
    with _requests_sent_away():
        pass  # as `migrate --plan`, which takes no step
    assert find_maintenance() is not None
    with _requests_sent_away():
        pre_migrate.send(sender=apps.get_app_config("assessment"), plan=[])
    assert find_maintenance() is None


def test_a_database_that_is_away_is_told_as_busy():
    request = RequestFactory().get("/api/field/v1/packages")
    for error in (OperationalError("terminating connection"), InterfaceError("connection is closed")):
        answer = field_api.on_exception(request, error)
        document = json.loads(answer.content)
        assert (answer.status_code, document["code"], document["retry"]) == (503, "busy", "after")
        assert int(answer["Retry-After"]) >= 5
