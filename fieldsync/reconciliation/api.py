"""/reconcile: the end-of-day comparison."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from fieldsync.devices.auth import DeviceBearer, device_scope
from fieldsync.feed.snapshot import one_moment
from fieldsync.keys import statement_key
from fieldsync.problems import OtherDevice
from fieldsync.reconciliation import services, signing
from fieldsync.reconciliation.schemas import ReconcileIn, ReconcileOut, StatementKeyOut

router = Router(tags=["reconciliation"], auth=DeviceBearer())


@router.post("/reconcile", response=ReconcileOut, operation_id="reconcile")
def reconcile(request: HttpRequest, body: ReconcileIn) -> ReconcileOut:
    """Say what the server lacks of what the device claims, what waits, and whether the packages agree."""
    with one_moment(), device_scope(request, may_be_revoked=True) as device:
        if body.device_id != device.id:
            raise OtherDevice
        return services.reconcile(device, body, now=timezone.now())


@router.get("/statement-key", response=StatementKeyOut, operation_id="get_statement_key", auth=None)
def get_statement_key(request: HttpRequest) -> StatementKeyOut:
    """Return the public key by which anybody can check a statement, also offline and years later."""
    key = statement_key().public_key()
    return StatementKeyOut(key=signing.key_id(key), public_key_pem=signing.spell_key(key))
