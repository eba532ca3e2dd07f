"""The end-of-day statement: what a device claims against what the server holds."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Sequence
from uuid import UUID

from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device
from fieldsync.feed import rules as feed_rules
from fieldsync.feed import selectors as feed
from fieldsync.keys import statement_key
from fieldsync.packages.selectors import list_packages_of_device
from fieldsync.photos.services import known_hashes
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.rules import Status
from fieldsync.reconciliation.rules import missing_spans, spans_of
from fieldsync.reconciliation.schemas import PackageState, ReconcileIn, ReconcileOut


def reconcile(device: Device, claim: ReconcileIn, *, now: dt.datetime) -> ReconcileOut:
    """Compare a device's inventory with the server's. Changes nothing; to be called in one moment."""
    numbers = Mutation.objects.filter(device=device, device_seq__gt=0).values_list("device_seq", flat=True)
    missing = missing_spans(claim.seq_ranges, spans_of(numbers.iterator(chunk_size=20_000)))
    known = set(known_hashes(device.town_id, claim.photo_hashes))
    unfinished = Mutation.objects.filter(device=device)
    stale = _stale_packages(device, claim.packages)
    answer = ReconcileOut(
        missing_mutations=missing,
        missing_photos=sorted(set(claim.photo_hashes) - known),
        held=list(unfinished.filter(status=Status.HELD).values_list("mutation_id", flat=True)),
        quarantined=list(
            Quarantine.objects.filter(device=device, state=Quarantine.State.WAITING)
            .order_by("quarantined_at")
            .values_list("mutation__mutation_id", flat=True)
        ),
        open_conflicts=list(
            Conflict.objects.filter(device=device, state=Conflict.State.OPEN)
            .order_by("arose_at")
            .values_list("id", flat=True)
        ),
        checksums_ok=not stale,
        stale_packages=stale,
        statement="",
    )
    answer.statement = _sign(device, answer, now)
    return answer


def _stale_packages(device: Device, claimed: Sequence[PackageState]) -> list[UUID]:
    """Return the packages whose rows on the device are not those of the server at the device's own place."""
    heads = {package.id for package in list_packages_of_device(device.id)}
    stale = []
    for state in claimed:
        if state.id not in heads:
            stale.append(state.id)
            continue
        try:
            cursor = feed_rules.Cursor.read(state.cursor)
        except feed_rules.BadCursor:
            stale.append(state.id)
            continue
        if cursor.seq < feed.get_head(state.id):
            continue  # the device is only behind; its next pull compares
        page = feed.read_page(state.id, after=cursor.seq, limit=1)
        if state.checksum != feed_rules.spell_checksum(page.checksum or 0):
            stale.append(state.id)
    return stale


def _sign(device: Device, answer: ReconcileOut, now: dt.datetime) -> str:
    """Return ``s1.<facts>.<Ed25519 signature>``: anyone with the server's public key can check it."""
    facts = {
        "device": str(device.id),
        "at": now.isoformat(),
        "missing_mutations": answer.missing_mutations,
        "missing_photos": len(answer.missing_photos),
        "held": len(answer.held),
        "quarantined": len(answer.quarantined),
        "open_conflicts": len(answer.open_conflicts),
        "checksums_ok": answer.checksums_ok,
    }
    body = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    signature = statement_key().sign(body)
    return ".".join(
        ["s1", *(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (body, signature))]
    )
