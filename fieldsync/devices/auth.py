"""Who calls: a device with a token, and the transaction that acts for its town and no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from assessment.region.actors import Actor
from assessment.region.models import Person
from assessment.region.scope import scope
from assessment.region.selectors import list_roles
from fieldsync.devices import rules
from fieldsync.devices.gates import notice_of
from fieldsync.devices.models import Device
from fieldsync.devices.pacing import admit
from fieldsync.devices.services import TOKEN_KIND
from fieldsync.keys import key_for
from fieldsync.problems import DeviceRevoked, Reauth


class DeviceBearer(HttpBearer):
    """The device's short token in ``Authorization: Bearer``."""

    def __call__(self, request: HttpRequest) -> rules.DeviceToken:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Reauth("Send the device's token in the header Authorization.")
        return self.authenticate(request, token)

    def authenticate(self, request: HttpRequest, token: str) -> rules.DeviceToken:
        try:
            opened = rules.open_token(TOKEN_KIND, token.strip(), key_for("token"), timezone.now().timestamp())
        except rules.BadToken as error:
            raise Reauth from error
        admit(opened.device_id, opened.town_code)
        return opened


def token_of(request: HttpRequest) -> rules.DeviceToken:
    """Return the token that the request was let in with."""
    token: rules.DeviceToken = request.auth  # type: ignore[attr-defined]
    return token


@contextmanager
def device_scope(request: HttpRequest, *, may_be_revoked: bool = False) -> Iterator[Device]:
    """Open a transaction in the device's town and give the device.

    Raises
    ------
    Reauth
        The device is gone, as after a restore of an older backup.
    DeviceRevoked
        It was suspended or revoked, unless ``may_be_revoked``; tells it whether to wipe.
    """
    token = token_of(request)
    actor = Actor(person_id=None, name="device", device_id=token.device_id)
    request_id = getattr(request, "request_id", "")
    with scope(actor, towns=[token.town_code], request_id=request_id):
        device = Device.objects.filter(id=token.device_id).first()
        if device is None:
            raise Reauth("This device is not known here.")
        notice = notice_of(device.state, device.wipe, is_copied=device.copied_at is not None)
        request.device_notice = notice  # type: ignore[attr-defined]
        if device.state != Device.State.ACTIVE and not may_be_revoked:
            raise DeviceRevoked(wipe=device.wipe, state=device.state)
        yield device


def collector_on(device: Device, person: Person | None) -> Actor:
    """Return who acts through a device: the person with today's roles in its town, or the device alone.

    Runs in a scope of that town. Roles elsewhere are left out: the device acts in no other town.
    """
    if person is None:
        return Actor(person_id=None, name=f"device {device.name}", device_id=device.id)
    roles = (
        list_roles(person.id, device.town_id, on=timezone.localdate()) if person.is_active else frozenset()
    )
    held = {device.town_id: roles} if roles else {}
    return Actor(person_id=person.id, name=person.name, roles=MappingProxyType(held), device_id=device.id)
