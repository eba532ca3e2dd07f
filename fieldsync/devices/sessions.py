"""People on tablets: signing in on a shared one, the grant to work offline, and locking it again.

The device proves itself by its key; who holds it in their hands is another question. What is captured
belongs to the device, so ending a session removes nothing: it locks the app for that person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate, user_logged_in
from django.http import HttpRequest
from django.utils import timezone

from assessment.region.errors import NotFound
from assessment.region.models import Person
from assessment.region.selectors import find_policy
from fieldsync.devices.auth import collector_on, device_scope
from fieldsync.devices.grants import Grant, doubt_about, open_grant, seal_grant
from fieldsync.devices.lifecycle import note_event
from fieldsync.devices.models import Device, DeviceEvent, PersonSession
from fieldsync.devices.rules import BadToken
from fieldsync.keys import grant_key
from fieldsync.problems import PersonWithoutRole, SignInRefused

# What a town does with work whose author is not proven: accept, flag or quarantine. Never refuse.
AUTHOR_POLICY = "field_author_proof"
GRANTS_READ_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that began, and its grant."""

    session: PersonSession
    grant: Grant
    text: str


def sign_in(request: HttpRequest, *, email: str, password: str, now: dt.datetime) -> SignedIn:
    """Sign a person in on the device that asks, and return the grant by which they work offline.

    The password is checked outside of any transaction of ours, so that a failed attempt is counted and
    stays counted.

    Raises
    ------
    DeviceRevoked
        The device is suspended or revoked: nobody signs in on it.
    SignInRefused
        Wrong password, unknown address and closed account are told apart by nothing.
    PersonWithoutRole
        The person holds no role in the device's town today.
    """
    with device_scope(request):
        pass
    person = authenticate(request, username=email.strip().lower(), password=password)
    if not isinstance(person, Person):
        raise SignInRefused
    user_logged_in.send(sender=Person, request=request, user=person)
    with device_scope(request) as device:
        actor = collector_on(device, person)
        roles = actor.roles.get(device.town_id, frozenset())
        if not roles:
            raise PersonWithoutRole
        session = PersonSession.objects.create(
            town_id=device.town_id,
            device=device,
            person=person,
            began_at=now,
            expires_at=now + dt.timedelta(hours=settings.FIELD_GRANT_HOURS),
        )
        note_event(device, DeviceEvent.What.SIGNED_IN, by=actor, now=now)
    grant = Grant(
        session_id=session.id,
        person_id=person.id,
        name=person.name,
        device_id=device.id,
        town_code=device.town_id,
        roles=tuple(sorted(roles)),
        began_s=int(now.timestamp()),
        expires_s=int(session.expires_at.timestamp()),
    )
    return SignedIn(session, grant, seal_grant(grant, grant_key()))


def end_session(device: Device, session_id: UUID, *, now: dt.datetime) -> PersonSession:
    """End a session of this device; again changes nothing, and whatever was captured stays.

    Raises
    ------
    NotFound
        The device has no such session.
    """
    session = PersonSession.objects.select_related("person").filter(device=device, id=session_id).first()
    if session is None:
        raise NotFound("There is no such session on this device.")
    if session.ended_at is None:
        session.ended_at = now
        session.save(update_fields=["ended_at"])
        note_event(device, DeviceEvent.What.SIGNED_OUT, by=collector_on(device, session.person), now=now)
    return session


class Proofs:
    """What the grants that came with a batch prove of who made its items."""

    def __init__(self, device: Device, texts: Iterable[object], *, clock_offset_ms: int | None) -> None:
        self._device = device
        self._texts = [text for text in list(texts)[:GRANTS_READ_AT_MOST] if isinstance(text, str)]
        self._offset_s = (clock_offset_ms or 0) / 1000
        self._grants: list[Grant] | None = None
        self._policy: str | None = None

    def doubt(self, author: UUID | None, captured_at: dt.datetime | None) -> str:
        """Return why an item's author is not proven, one of the codes of items, or nothing.

        Who carries the device is proven by the device's own key.
        """
        if author is None or author == self._device.person_id:
            return ""
        if self._grants is None:
            self._grants = self._read()
        captured_s = captured_at.timestamp() - self._offset_s if captured_at else None
        return doubt_about(author, captured_s, self._grants)

    @property
    def policy(self) -> str:
        """What the town does with such items: ``accept``, ``flag`` (as shipped) or ``quarantine``."""
        if self._policy is None:
            stated = find_policy(self._device.town_id, AUTHOR_POLICY, on=timezone.localdate(), default="flag")
            self._policy = stated if stated in ("accept", "quarantine") else "flag"
        return self._policy

    def _read(self) -> list[Grant]:
        public, grants = grant_key().public_key(), []
        for text in self._texts:
            try:
                grant = open_grant(text, public)
            except BadToken:
                continue  # proves nothing; what it came with is taken all the same
            if grant.device_id == self._device.id:
                grants.append(grant)
        ended = dict(
            PersonSession.objects.filter(
                id__in=[grant.session_id for grant in grants], ended_at__isnull=False
            ).values_list("id", "ended_at")
        )
        return [_until(grant, ended.get(grant.session_id)) for grant in grants]


def _until(grant: Grant, ended_at: dt.datetime | None) -> Grant:
    if ended_at is None:
        return grant
    return replace(grant, expires_s=min(grant.expires_s, int(ended_at.timestamp())))
