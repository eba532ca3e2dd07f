"""Reading towns, people and roles."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.models import Person, RoleAssignment, Town
from assessment.region.rules import Role

# Every push asks these: as text they cost a tenth of what building them from the models does.
_POLICY_SQL = """
SELECT value FROM assessment_townpolicy WHERE town_id = %s AND key = %s AND valid_from <= %s
ORDER BY valid_from DESC LIMIT 1
"""
_ROLES_SQL = """
SELECT role FROM assessment_roleassignment
WHERE town_id = %s AND person_id = %s AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
"""


def get_town(key: str | int) -> Town:
    """Return the town with this number, slug or name; raise `NotFound` naming the key otherwise."""
    text = str(key).strip()
    query = Q(slug=text.lower()) | Q(name__iexact=text)
    # Not isdigit: a raised two is a digit and no number.
    if text.isdecimal() and len(text) <= 4:
        query |= Q(code=int(text))
    # Bytes of a terminal that are no text cannot be asked of the database.
    town = Town.objects.defer("boundary").filter(query).first() if text.isprintable() else None
    if town is None:
        raise NotFound(f"There is no town {text!r}: give its number, its name or its slug (west-hartford).")
    return town


def list_towns(codes: tuple[int, ...]) -> list[Town]:
    """Return the towns with these codes, by name."""
    return list(Town.objects.defer("boundary").filter(code__in=codes))


def get_actor(person: Person, *, on: dt.date) -> Actor:
    """Return ``person`` as an actor with the roles held on a day.

    Must run inside a transaction. Reads the person's own role rows, which is all that a transaction
    without a town may read of them.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('grandlist.actor', %s, true)", [str(person.id)])
    held: dict[int, set[Role]] = defaultdict(set)
    if person.is_active:
        rows = RoleAssignment.objects.filter(_in_force(on), person=person).values_list("town_id", "role")
        for code, role in rows:
            held[code].add(Role(role))
    roles = MappingProxyType({code: frozenset(roles) for code, roles in held.items()})
    return Actor(person_id=person.id, name=person.name, roles=roles)


def get_person(person_id: UUID) -> Person:
    """Return the person; raise `NotFound`."""
    try:
        return Person.objects.get(id=person_id)
    except Person.DoesNotExist as error:
        raise NotFound("There is no such person.") from error


def get_person_with_roles(person_id: UUID, town_code: int, *, on: dt.date) -> tuple[Person, frozenset[Role]]:
    """Return a person with the roles held in the town on a day.

    Unlike `get_actor` it leaves the transaction's own actor alone. Somebody without a role in the town is
    answered as if there were nobody.

    Raises
    ------
    NotFound
        There is no such person, it is not active, or has no role there.
    """
    roles = list_roles(person_id, town_code, on=on)
    person = Person.objects.filter(id=person_id, is_active=True).first() if roles else None
    if person is None:
        raise NotFound("There is no such person.")
    return person, roles


def list_roles(person_id: UUID, town_code: int, *, on: dt.date) -> frozenset[Role]:
    """Return the roles that a person holds in the town on a day, in a scope of the town."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLES_SQL, [town_code, person_id, on, on])
        return frozenset(Role(role) for (role,) in cursor.fetchall())


def list_people(town_code: int, *, on: dt.date) -> list[tuple[Person, list[RoleAssignment]]]:
    """Return those who hold a role in the town on a day, with their roles there."""
    people: dict[UUID, tuple[Person, list[RoleAssignment]]] = {}
    rows = RoleAssignment.objects.filter(_in_force(on), town_id=town_code).select_related("person")
    for row in rows.order_by("person__name", "role"):
        people.setdefault(row.person_id, (row.person, []))[1].append(row)
    return list(people.values())


def find_policy(town_code: int, key: str, *, on: dt.date, default: Any = None) -> Any:
    """Return the value of the town's policy in force on a day, or ``default``."""
    with connection.cursor() as cursor:
        cursor.execute(_POLICY_SQL, [town_code, key, on])
        row = cursor.fetchone()
    return default if row is None else json.loads(row[0])


def _in_force(on: dt.date) -> Q:
    return Q(valid_from__lte=on) & (Q(valid_to__isnull=True) | Q(valid_to__gt=on))
