"""Applying one mutation that was parked, because a person said so."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.errors import Invalid
from assessment.region.rules import Permission
from fieldsync.devices.models import Device
from fieldsync.problems import ITEM_CODES
from fieldsync.push import ledger
from fieldsync.push.authors import Authors, author_of
from fieldsync.push.batch import Batch
from fieldsync.push.models import Mutation
from fieldsync.push.reading import read_again
from fieldsync.push.rules import Status

# What says nothing against the mutation itself, only against when or by whom it came.
_CANNOT_BE_READ = frozenset(
    {"invalid", "kind-unknown", "schema-too-new", "schema-unknown", "unit-unknown", "unstorable"}
)


def apply_parked(row: Mutation, *, actor: Actor, reason: str) -> dict[str, Any]:
    """Apply a mutation of the ledger inside the open scope, and return its result.

    The caller has locked what stands for it, so that it is applied once. What had waited for it is applied
    in the same transaction.

    Raises
    ------
    Invalid
        It still cannot be applied; nothing was changed.
    """
    item = read_again(row)
    if item.code in _CANNOT_BE_READ:
        raise Invalid(f"It still cannot be applied: {item.detail or ITEM_CODES.get(item.code, item.code)}")
    device = Device.objects.select_related("person").get(id=row.device_id)
    batch = Batch(device.id, row.town_id, row.batch_id, (item,), timezone.now(), row.clock_offset_ms, "")
    batch.device = device
    batch.authors = Authors(device)
    saw = batch.authors.find(item)
    if saw is None or not saw.may(Permission.INSPECT, device.town_id):
        # Whoever saw it may no longer inspect here: it is applied in the name of who decides.
        batch.authors.put(author_of(item), actor.on_device(device.id))
    # A savepoint: when it fails, what it did halfway is gone although the caller's transaction goes on.
    with transaction.atomic():
        result = batch.apply_decided(item, reason=f"from quarantine: {reason}"[:400])
        if result["status"] in (Status.QUARANTINED, Status.REJECTED, Status.HELD):
            raise Invalid(f"It still cannot be applied: {result.get('detail') or result.get('code')}")
        others = {key: said for key, said in batch.final.items() if key != item.mutation_id}
        ledger.store_results(row.town_id, others)
    return result
