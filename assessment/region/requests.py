"""What a handler behind `TownScopeMiddleware` may rely on: who acts, and in which town."""

from __future__ import annotations

from django.http import HttpRequest

from assessment.region.actors import Actor
from assessment.region.errors import NotFound, SignInNeeded
from assessment.region.models import Town
from assessment.region.rules import Permission


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts; raise `SignInNeeded` when nobody is signed in."""
    actor = getattr(request, "actor", None)
    if not isinstance(actor, Actor):
        raise SignInNeeded
    return actor


def town_of(request: HttpRequest, *, permission: Permission = Permission.VIEW) -> tuple[Actor, Town]:
    """Return who acts and the town of the address.

    Raises
    ------
    NotFound
        The address names no town of the person's.
    Forbidden
        The person lacks the permission there.
    """
    actor, town = actor_of(request), getattr(request, "town", None)
    if not isinstance(town, Town):
        raise NotFound
    actor.require(permission, town.code)
    return actor, town
