"""What a device is told of one mutation, and the ledger keeps."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from fieldsync.keys import key_for
from fieldsync.problems import ITEM_CODES
from fieldsync.push.effects import Effect
from fieldsync.push.reading import Item
from fieldsync.push.rules import receipt

Result = dict[str, Any]


def make_result(item: Item, effect: Effect, *, device_id: UUID, now: dt.datetime) -> Result:
    """Return the result of a mutation, with the receipt that proves it years later."""
    result: Result = {"mutation_id": str(item.mutation_id), "status": effect.status.value}
    if effect.code:
        result["code"] = effect.code
        result["detail"] = effect.detail or ITEM_CODES.get(effect.code, "")
    if item.flags:
        result["flags"] = item.flags
    if effect.version is not None:
        result["version"] = effect.version
    if effect.fields:
        result["fields"] = effect.fields
    if effect.held_for is not None:
        result["held_for"] = str(effect.held_for)
        result["held_since"] = (item.held_since or now).isoformat()
    if effect.is_soft:
        result["soft"] = True
    if effect.needs_upload is not None:
        result["upload"] = {"needed": effect.needs_upload, "url": "/api/field/v1/uploads"}
    result["receipt"] = receipt(
        device_id=device_id,
        mutation_id=item.mutation_id,
        sha256=item.sha256,
        status=effect.status.value,
        key=key_for("receipt"),
    )
    return result
