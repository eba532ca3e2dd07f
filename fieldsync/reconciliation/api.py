"""/reconcile: the end-of-day comparison."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from fieldsync.devices.auth import DeviceBearer, device_scope
from fieldsync.feed.snapshot import one_moment
from fieldsync.problems import OtherDevice
from fieldsync.reconciliation import services
from fieldsync.reconciliation.schemas import ReconcileIn, ReconcileOut

router = Router(tags=["reconciliation"], auth=DeviceBearer())


@router.post("/reconcile", response=ReconcileOut, operation_id="reconcile")
def reconcile(request: HttpRequest, body: ReconcileIn) -> ReconcileOut:
    """Say what the server lacks of what the device claims, what waits, and whether the packages agree."""
    with one_moment(), device_scope(request, may_be_revoked=True) as device:
        if body.device_id != device.id:
            raise OtherDevice
        return services.reconcile(device, body, now=timezone.now())
