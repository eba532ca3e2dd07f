"""The people of the tests: an office in town A, one in town B, and somebody with no role at all."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.models import Person, Town
from assessment.region.rules import Role
from assessment.region.scope import scope
from assessment.region.selectors import get_actor
from assessment.region.services import assign_role, create_person

SYSTEM = Actor.system("tests")
TOWN_A, TOWN_B = 62, 155  # Hamden and West Hartford
PASSWORD = "correct horse battery staple"
SINCE = dt.date(2020, 1, 1)


@dataclass(frozen=True)
class Cast:
    """Two towns and those who work for them."""

    town_a: Town
    town_b: Town
    assessor_a: Person
    deputy_a: Person
    collector_a: Person
    clerk_a: Person
    assessor_b: Person
    collector_b: Person
    coordinator: Person
    nobody: Person

    def actor(self, person: Person) -> Actor:
        """Return the person as an actor of today; call inside a test with a database."""
        with transaction.atomic():
            return get_actor(person, on=timezone.localdate())


def make_cast() -> Cast:
    """Create the cast (through the services, with real roles) in the current database."""
    town_a, town_b = Town.objects.get(code=TOWN_A), Town.objects.get(code=TOWN_B)

    def make(name: str, *roles: tuple[Town, Role], **fields: object) -> Person:
        email = f"{name.replace(' ', '.').lower()}@example.org"
        person = create_person(email, actor=SYSTEM, name=name, password=PASSWORD, **fields)
        for town, role in roles:
            with scope(SYSTEM, towns=[town.code], reason="the tests' cast"):
                assign_role(person, actor=SYSTEM, town=town, role=role, valid_from=SINCE)
        return person

    certified = {
        "certificate_level": "CCMA II",
        "certificate_number": "1234",
        "certificate_expires_on": dt.date(2099, 1, 1),
    }
    return Cast(
        town_a=town_a,
        town_b=town_b,
        assessor_a=make("Ada Assessor", (town_a, Role.ASSESSOR), **certified),
        deputy_a=make("Dan Deputy", (town_a, Role.DEPUTY)),
        collector_a=make("Cora Collector", (town_a, Role.DATA_COLLECTOR)),
        clerk_a=make("Cleo Clerk", (town_a, Role.CLERK)),
        assessor_b=make("Bea Assessor", (town_b, Role.ASSESSOR), **certified),
        collector_b=make("Ben Collector", (town_b, Role.DATA_COLLECTOR)),
        coordinator=make("Rae Coordinator", (town_a, Role.COORDINATOR), (town_b, Role.COORDINATOR)),
        nobody=make("Nora Nobody"),
    )
