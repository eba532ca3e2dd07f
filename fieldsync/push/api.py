"""/push and /mutations: what tablets send, and what became of it."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import ValidationError

from fieldsync.devices.auth import DeviceBearer, device_scope, token_of
from fieldsync.devices.gates import notice_of
from fieldsync.devices.pacing import PUSH_SLOTS, current_hints
from fieldsync.devices.rules import clock_offset_ms
from fieldsync.limits import Limits, current_limits
from fieldsync.problems import BadBatch, BadJson, BatchTooLarge, OtherDevice, UnsupportedMedia
from fieldsync.push import ledger, rules, services
from fieldsync.push.schemas import PushIn, PushOut, StatusIn, StatusOut

router = Router(tags=["push"], auth=DeviceBearer())

_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": PushIn.model_json_schema()}}}
}


@router.post("/push", response=PushOut, operation_id="push_mutations", openapi_extra=_BODY, exclude_none=True)
def push(request: HttpRequest) -> dict[str, Any]:
    """Take a batch: 200 whenever the batch was understood, with a result for each item.

    The body may be gzipped. A batch that is not understood at all changes nothing.
    """
    batch = read_batch(request, current_limits())
    token = token_of(request)
    if batch.device_id != token.device_id:
        raise OtherDevice
    now = timezone.now()
    offset = _offset_ms(batch, now)
    with PUSH_SLOTS.one():
        taken = services.take_batch(
            token.device_id,
            token.town_code,
            batch,
            now=now,
            clock_offset_ms=offset,
            request_id=getattr(request, "request_id", ""),
        )
    noted = services.note_push(
        token.device_id,
        token.town_code,
        batch,
        now=now,
        clock_offset_ms=offset,
        fresh_numbers=taken.fresh_numbers,
    )
    notice = notice_of(noted.state, noted.wipe, is_copied=noted.is_copied)
    request.device_notice = notice  # type: ignore[attr-defined]
    return {
        "batch_id": batch.batch_id,
        "server_time": now,
        "clock_offset_ms": offset,
        "results": taken.results,
        "ack_device_seq": noted.acknowledged_seq,
        "device": {"state": noted.state, "wipe": noted.wipe, "enrol_again": noted.is_copied},
        "hints": current_hints(),
    }


@router.post("/mutations/status", response=StatusOut, operation_id="list_results", exclude_none=True)
def status(request: HttpRequest, body: StatusIn) -> dict[str, Any]:
    """Return results again, for answers that were lost and for what was held."""
    with device_scope(request, may_be_revoked=True) as device:
        known = ledger.find_known(device.town_id, body.ids, device_id=device.id)
    return {
        "results": [row.result for row in known.values()],
        "unknown": [key for key in body.ids if key not in known],
    }


def read_batch(request: HttpRequest, limits: Limits) -> PushIn:
    """Return the batch in a request's body, within the limits of size and depth.

    Raises
    ------
    UnsupportedMedia, BatchTooLarge, BadJson, BadBatch
        Nothing was read as a mutation.
    """
    if request.content_type != "application/json":
        raise UnsupportedMedia("Send application/json.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > limits.max_bytes:
        raise BatchTooLarge(max_bytes=limits.max_bytes, max_items=limits.max_items)
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    content = request.body
    if encoding == "gzip":
        content = _inflate(content, limits.max_inflated_bytes)
    elif encoding != "identity":
        raise UnsupportedMedia("Send the body as it is or gzipped.")
    try:
        raw = json.loads(content, parse_constant=_refuse_constant)
        rules.refuse_deep(raw, limits.max_nesting)
    except rules.TooDeep as error:
        raise BadJson(f"The body is nested more than {limits.max_nesting} deep.") from error
    except (ValueError, RecursionError) as error:
        raise BadJson from error
    sent = raw.get("mutations") if isinstance(raw, dict) else None
    if isinstance(sent, list) and len(sent) > limits.max_items:
        raise BatchTooLarge(max_items=limits.max_items, max_bytes=limits.max_bytes)
    try:
        return PushIn.model_validate(raw)
    except ValidationError as error:
        fields = [{"where": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()[:20]]
        raise BadBatch(errors=fields) from error


def _inflate(content: bytes, most: int) -> bytes:
    """Return gzipped content, stopping at the limit: a few bytes can stand for gigabytes."""
    reader = zlib.decompressobj(wbits=31)
    try:
        plain = reader.decompress(content, most)
    except zlib.error as error:
        raise BadJson("The body is not gzip.") from error
    if reader.unconsumed_tail:
        raise BatchTooLarge(max_inflated_bytes=most)
    if not reader.eof:
        raise BadJson("The gzipped body ends early.")
    return plain


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _offset_ms(batch: PushIn, now: dt.datetime) -> int | None:
    if batch.client_time is None:
        return None
    return clock_offset_ms(batch.client_time.timestamp() * 1000, now.timestamp() * 1000)
