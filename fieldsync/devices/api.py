"""/devices: enrolment, tokens, policy."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from assessment.region.selectors import get_town
from fieldsync.devices import lifecycle, services
from fieldsync.devices.auth import DeviceBearer, device_scope
from fieldsync.devices.door import admit_unproven
from fieldsync.devices.models import Device
from fieldsync.devices.rules import b64
from fieldsync.devices.schemas import (
    EnrolIn,
    PersonOut,
    PinPolicy,
    PolicyOut,
    SessionEndIn,
    SessionEndOut,
    SessionOut,
    SignInIn,
    TokenIn,
    TokenOut,
    WipedIn,
)
from fieldsync.devices.sessions import end_session, sign_in
from fieldsync.keys import grant_key
from fieldsync.limits import current_limits
from fieldsync.push.versions import CURRENT_VERSION, OLDEST_VERSION

router = Router(tags=["devices"])

people = Router(tags=["people"], auth=DeviceBearer())

RETENTION_DAYS = 14
PIN = PinPolicy(min_length=6, tries=5)


def describe(device: Device) -> PolicyOut:
    """Return the policy document of a device."""
    return PolicyOut(
        device_id=device.id,
        town=device.town_id,
        town_name=get_town(device.town_id).name,
        name=device.name,
        state=device.state,
        wipe=device.wipe,
        person=device.person.name if device.person else None,
        acknowledged_seq=device.acknowledged_seq,
        enrol_again=device.copied_at is not None,
        schema_current=CURRENT_VERSION,
        schema_oldest=OLDEST_VERSION,
        grant_public_key=b64(grant_key().public_key().public_bytes_raw()),
        min_app_version=settings.FIELD_MIN_APP_VERSION,
        retention_days=RETENTION_DAYS,
        limits=current_limits().told(),
        server_time=timezone.now(),
    )


@router.post("/enrol", response=PolicyOut, operation_id="enrol_device", auth=None)
def enrol(request: HttpRequest, body: EnrolIn) -> PolicyOut:
    """Use a one-time code to become a device of the town that made it."""
    admit_unproven(request, "enrol", body.public_key)
    device = services.enrol_device(
        body.code,
        public_key=body.public_key,
        signature=body.signature,
        name=body.name,
        app_version=body.app_version,
    )
    return describe(device)


@router.post("/token", response=TokenOut, operation_id="issue_device_token", auth=None)
def token(request: HttpRequest, body: TokenIn) -> TokenOut:
    """Get a token of 15 minutes: the first answer (401 ``proof-needed``) has the nonce to sign."""
    admit_unproven(request, "token", str(body.device_id))
    now = timezone.now()
    if not body.nonce:
        raise services.offer_nonce(body.device_id, body.town, now=now)
    text, life_s = services.issue_token(
        body.device_id, body.town, nonce=body.nonce, signature=body.signature, now=now
    )
    return TokenOut(token=text, expires_in_s=life_s)


@router.get("/me", response=PolicyOut, operation_id="get_own_device", auth=DeviceBearer())
def me(request: HttpRequest) -> PolicyOut:
    """Return what the server asks of this device; a revoked one is told whether to wipe."""
    with device_scope(request) as device:
        return describe(device)


@router.post("/wiped", response=PolicyOut, operation_id="report_wiped", auth=DeviceBearer())
def wiped(request: HttpRequest, body: WipedIn) -> PolicyOut:
    """Say that the device has wiped itself; the last thing that it does."""
    with device_scope(request, may_be_revoked=True) as device:
        lifecycle.note_wiped(device, pending=body.pending, now=timezone.now())
        return describe(device)


@people.post("/sessions", response=SessionOut, operation_id="begin_session")
def post_session(request: HttpRequest, body: SignInIn) -> SessionOut:
    """Sign a person in on this device; the grant lets them work on it offline until it expires."""
    signed = sign_in(request, email=body.email, password=body.password, now=timezone.now())
    return SessionOut(
        session_id=signed.session.id,
        person=PersonOut(id=signed.grant.person_id, name=signed.grant.name),
        town=signed.grant.town_code,
        roles=list(signed.grant.roles),
        grant=signed.text,
        began_at=signed.session.began_at,
        expires_at=signed.session.expires_at,
        pin=PIN,
    )


@people.post("/sessions/end", response=SessionEndOut, operation_id="end_session")
def post_session_end(request: HttpRequest, body: SessionEndIn) -> SessionEndOut:
    """End a session: the app locks for that person, and nothing that was captured goes."""
    with device_scope(request, may_be_revoked=True) as device:
        session = end_session(device, body.session_id, now=timezone.now())
    assert session.ended_at is not None
    return SessionEndOut(session_id=session.id, ended_at=session.ended_at)
