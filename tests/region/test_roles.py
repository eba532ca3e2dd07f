"""Roles by town and date, and what they allow."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, NotFound
from assessment.region.models import Person
from assessment.region.rules import ROLE_PERMISSIONS, Permission, Role, permissions_of
from assessment.region.scope import scope
from assessment.region.selectors import find_policy, get_actor, get_town, list_people
from assessment.region.services import assign_role, set_policy
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast

NOBODY = Actor(person_id=None, name="nobody")


@pytest.mark.parametrize("permission", list(Permission))
def test_nobody_may_nothing(permission):
    assert not NOBODY.may(permission, TOWN_A)
    with pytest.raises(Forbidden):
        NOBODY.require(permission, TOWN_A)


def test_only_an_assessor_signs():
    assert [r for r in Role if Permission.SIGN_LIST in ROLE_PERMISSIONS[r]] == [Role.ASSESSOR]


def test_a_collector_sees_and_inspects_and_nothing_more():
    assert permissions_of(frozenset({Role.DATA_COLLECTOR})) == {Permission.VIEW, Permission.INSPECT}


def test_a_role_counts_in_its_town_only(cast: Cast):
    actor = cast.actor(cast.assessor_a)
    assert actor.may(Permission.SIGN_LIST, TOWN_A)
    assert not actor.may(Permission.VIEW, TOWN_B)


def test_a_role_ends_on_its_day(cast: Cast):
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        assign_role(
            cast.nobody, actor=SYSTEM, town=cast.town_a, role=Role.VIEWER,
            valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2026, 7, 1),
        )  # fmt: skip
    held = {}
    for day in (dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 6, 30), dt.date(2026, 7, 1)):
        with transaction.atomic():
            held[day.isoformat()] = get_actor(cast.nobody, on=day).towns
    assert held == {"2025-12-31": (), "2026-01-01": (62,), "2026-06-30": (62,), "2026-07-01": ()}


def test_an_inactive_person_has_no_role(cast: Cast):
    Person.objects.filter(id=cast.assessor_a.id).update(is_active=False)
    cast.assessor_a.refresh_from_db()
    assert cast.actor(cast.assessor_a).towns == ()


def test_a_deputy_gives_no_roles(cast: Cast):
    actor = cast.actor(cast.deputy_a)
    with scope(actor, towns=[TOWN_A], reason="test"), pytest.raises(Forbidden):
        assign_role(
            cast.nobody, actor=actor, town=cast.town_a, role=Role.VIEWER, valid_from=dt.date(2026, 1, 1)
        )


def test_the_people_of_a_town_are_listed_with_their_roles(cast: Cast):
    with scope(SYSTEM, towns=[TOWN_A, TOWN_B]):
        names = {p.name: [r.role for r in roles] for p, roles in list_people(TOWN_A, on=dt.date(2026, 1, 1))}
    assert names["Ada Assessor"] == ["assessor"]
    assert "Bea Assessor" not in names


def test_a_policy_is_in_force_from_its_day(cast: Cast):
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        for day, unit in ((dt.date(2020, 10, 1), 10), (dt.date(2025, 10, 1), 100)):
            set_policy(cast.town_a, actor=SYSTEM, key="rounding", value={"unit": unit}, valid_from=day)
        assert find_policy(TOWN_A, "rounding", on=dt.date(2025, 9, 30)) == {"unit": 10}
        assert find_policy(TOWN_A, "rounding", on=dt.date(2025, 10, 1)) == {"unit": 100}
        assert find_policy(TOWN_A, "rounding", on=dt.date(2019, 1, 1), default="none") == "none"


@pytest.mark.django_db
@pytest.mark.parametrize("key", [155, "155", "west-hartford", "West Hartford", "WEST HARTFORD"])
def test_a_town_is_found_by_number_name_or_slug(key):
    assert get_town(key).code == 155


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "0", "170", "99999999999", "Springfield", "-1"])
def test_an_unknown_town_is_named_in_the_refusal(key):
    with pytest.raises(NotFound, match="There is no town"):
        get_town(key)


@pytest.mark.django_db
class TestAddPerson:
    def test_adds_somebody_with_a_role(self, capsys):
        call_command(
            "add_person", "--email", "New@Example.org", "--name", "Nia New", "--town", "hamden",
            "--role", "assessor", "--generate-password",
        )  # fmt: skip
        person = Person.objects.get(email="new@example.org")
        password = capsys.readouterr().out.split("shown once): ")[1].split()[0]
        assert person.check_password(password)

    def test_refuses_an_unknown_town_and_leaves_nothing(self):
        with pytest.raises(CommandError, match="no town 'atlantis'"):
            call_command(
                "add_person", "--email", "x@example.org", "--name", "X", "--town", "atlantis", "--role", "viewer",
                "--generate-password",
            )  # fmt: skip
        assert not Person.objects.filter(email="x@example.org").exists()

    def test_asks_for_the_name_of_somebody_new(self):
        with pytest.raises(CommandError, match="--name"):
            call_command("add_person", "--email", "x@example.org", "--town", "hamden", "--role", "viewer")
