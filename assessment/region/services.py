"""Writing people, roles, policies and test towns."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.text import slugify

from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Invalid
from assessment.region.models import Person, RoleAssignment, Town, TownPolicy
from assessment.region.rules import Permission, Role


def create_person(
    email: str, *, actor: Actor, name: str, password: str | None = None, **fields: Any
) -> Person:
    """Create somebody who can sign in; only those who manage people somewhere may.

    Raises
    ------
    Forbidden
        The actor manages people in no town.
    Invalid
        The address is taken.
    """
    if not actor.is_system and not any(actor.may(Permission.MANAGE_PEOPLE, code) for code in actor.towns):
        raise Forbidden("Only an assessor or the operator may add people.")
    if Person.objects.filter(email=email.lower()).exists():
        raise Invalid(f"{email} is already known.", email=email)
    return Person.objects.create_person(email, name=name, password=password, **fields)


def assign_role(
    person: Person,
    *,
    actor: Actor,
    town: Town,
    role: Role,
    valid_from: dt.date,
    valid_to: dt.date | None = None,
) -> RoleAssignment:
    """Give ``person`` a role in a town from a day; the same assignment again changes nothing."""
    actor.require(Permission.MANAGE_PEOPLE, town.code)
    assignment, _ = RoleAssignment.objects.get_or_create(
        town=town, person=person, role=role.value, valid_from=valid_from, defaults={"valid_to": valid_to}
    )
    return assignment


def set_policy(
    town: Town, *, actor: Actor, key: str, value: Any, valid_from: dt.date, note: str = ""
) -> TownPolicy:
    """Set a town's policy from a day on; an earlier value stays in force before that day."""
    actor.require(Permission.MANAGE_PEOPLE, town.code)
    policy, _ = TownPolicy.objects.update_or_create(
        town=town, key=key, valid_from=valid_from, defaults={"value": value, "note": note}
    )
    return policy


def create_test_town(code: int, *, actor: Actor, name: str, state: str = "CT") -> Town:
    """Create a town outside of the 169, for tests and foreign data; known ones are returned as they are."""
    if not actor.is_system:
        raise Forbidden("Only the operator may add a test town.")
    if code < 900:
        raise Invalid("A test town's number is 900 or above.", code=code)
    if Town.objects.filter(name__iexact=name).exclude(code=code).exists():
        raise Invalid(f"There is a town {name} already: give the test town another name.", name=name)
    town, _ = Town.objects.get_or_create(
        code=code, defaults={"name": name, "slug": slugify(name), "state": state, "is_test": True}
    )
    return town
