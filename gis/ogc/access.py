"""Who may read the land through a GIS tool: the office's session, or a token of a person.

A token is a signed statement of who it is for; nothing is stored. It ends on its day, when the person is
no longer active, and when the person's password changes.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from assessment.region.actors import Actor
from assessment.region.errors import SignInNeeded
from assessment.region.models import Person
from assessment.region.scope import scope
from assessment.region.selectors import get_actor

_SALT: Final = "gis.ogc.access"
_FINGERPRINT: Final = 16


def make_token(person: Person, *, days: int, now: dt.datetime) -> str:
    """A token with which `person` reads the land of the own towns for `days` days."""
    statement = {
        "person": str(person.id),
        "until": (now + dt.timedelta(days=days)).isoformat(),
        "fingerprint": _fingerprint(person),
    }
    return signing.dumps(statement, salt=_SALT, compress=True)


def find_person(token: str, *, now: dt.datetime) -> Person | None:
    """The person whom a valid token is for, or None."""
    try:
        statement = signing.loads(token, salt=_SALT)
        until = dt.datetime.fromisoformat(statement["until"])
        person = Person.objects.filter(id=statement["person"], is_active=True).first()
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return None
    if person is None or now >= until:
        return None
    return person if constant_time_compare(statement["fingerprint"], _fingerprint(person)) else None


def read_token(request: HttpRequest) -> str | None:
    """The token of a request: ``Authorization: Bearer``, or the password of ``Basic`` as GIS tools send it."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip() or None
    if kind.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password or None


class TokenNeeded(SignInNeeded):
    """Neither session nor valid token; the header makes GIS tools ask their user for one."""

    headers = {"WWW-Authenticate": 'Basic realm="Grandlist"'}


def authenticate(request: HttpRequest) -> Person:
    """django-ninja's hook: the person of the session or of the token; raise `TokenNeeded` for nobody."""
    if isinstance(request.user, Person) and hasattr(request, "actor"):
        return request.user
    token = read_token(request)
    person = find_person(token, now=timezone.now()) if token else None
    if person is None:
        raise TokenNeeded("Sign in to the office first, or send a token (manage.py gis_token).")
    return person


def in_scope(view: Callable[..., Any]) -> Callable[..., Any]:
    """Run a handler in the scope of the person's towns; a session's request already is."""

    @wraps(view)
    def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if hasattr(request, "actor"):
            return view(request, *args, **kwargs)
        person = getattr(request, "auth", None)
        if not isinstance(person, Person):
            raise TokenNeeded
        with transaction.atomic():
            actor = get_actor(person, on=timezone.localdate())
            request.actor = actor  # type: ignore[attr-defined]
            with scope(actor, read_only=actor.towns, request_id=getattr(request, "request_id", "")):
                return view(request, *args, **kwargs)

    # django-ninja would look the names of the annotations up in this module, not in the handler's.
    scoped.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
    return scoped


def actor_of(request: HttpRequest) -> Actor:
    """The actor of a request inside `in_scope`."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _fingerprint(person: Person) -> str:
    return str(person.get_session_auth_hash())[:_FINGERPRINT]
