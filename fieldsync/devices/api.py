"""/devices: enrolment, tokens, policy."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from assessment.region.selectors import get_town
from fieldsync.devices import services
from fieldsync.devices.auth import DeviceBearer, device_scope
from fieldsync.devices.models import Device
from fieldsync.devices.schemas import EnrolIn, PolicyOut, TokenIn, TokenOut
from fieldsync.limits import current_limits

router = Router(tags=["devices"])

MIN_APP_VERSION = "0.1.0"
RETENTION_DAYS = 14


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
        min_app_version=MIN_APP_VERSION,
        retention_days=RETENTION_DAYS,
        limits=current_limits().told(),
        server_time=timezone.now(),
    )


@router.post("/enrol", response=PolicyOut, operation_id="enrol_device", auth=None)
def enrol(request: HttpRequest, body: EnrolIn) -> PolicyOut:
    """Use a one-time code to become a device of the town that made it."""
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
