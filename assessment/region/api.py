"""Towns and people over HTTP."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from assessment.region.actors import Actor
from assessment.region.errors import SignInNeeded
from assessment.region.models import Person, Town
from assessment.region.requests import actor_of, town_of
from assessment.region.rules import permissions_of
from assessment.region.schemas import MeOut, PersonOut, RoleOut, TownOut
from assessment.region.selectors import list_people, list_towns

router = Router(tags=["region"])


@router.get("/me", response=MeOut, operation_id="get_me")
def get_me(request: HttpRequest) -> MeOut:
    """Return who is signed in, with towns, roles and permissions of today."""
    person, actor = _signed_in(request)
    towns = [_town(town, actor) for town in list_towns(actor.towns)]
    return MeOut(id=person.id, name=person.name, email=person.email, towns=towns)


@router.get("/towns/{slug:town}/people", response=list[PersonOut], operation_id="list_people")
def get_people(request: HttpRequest, town: str) -> list[PersonOut]:
    """Return those who hold a role in the town today."""
    _, here = town_of(request)
    return [
        PersonOut(
            id=person.id,
            name=person.name,
            email=person.email,
            certificate_level=person.certificate_level,
            certificate_expires_on=person.certificate_expires_on,
            roles=[RoleOut(role=r.role, valid_from=r.valid_from, valid_to=r.valid_to) for r in roles],
        )
        for person, roles in list_people(here.code, on=timezone.localdate())
    ]


def _signed_in(request: HttpRequest) -> tuple[Person, Actor]:
    person = request.user
    if not isinstance(person, Person):
        raise SignInNeeded
    return person, actor_of(request)


def _town(town: Town, actor: Actor) -> TownOut:
    roles = actor.roles.get(town.code, frozenset())
    return TownOut(
        code=town.code,
        name=town.name,
        slug=town.slug,
        planning_region=town.planning_region_name,
        roles=sorted(roles),
        permissions=sorted(permissions_of(roles)),
    )
