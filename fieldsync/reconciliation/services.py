"""The end-of-day statement: what a device claims against what the server holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from assessment.region.errors import Invalid
from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device
from fieldsync.feed import rules as feed_rules
from fieldsync.feed import selectors as feed
from fieldsync.keys import statement_key
from fieldsync.measures import STATEMENTS
from fieldsync.packages.selectors import list_packages_of_device
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.rules import Status
from fieldsync.reconciliation import selectors, signing
from fieldsync.reconciliation.models import Statement
from fieldsync.reconciliation.rules import (
    KEEP_DAYS,
    Inventory,
    compare,
    count_of,
    digest_of,
    numbers_by_marks,
    spans_of,
    summarize,
)
from fieldsync.reconciliation.schemas import PackageState, ReconcileIn, ReconcileOut

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Packages:
    """The packages of a claim: those whose rows differ, those that are no longer the device's, those compared."""

    stale: list[UUID]
    gone: list[UUID]
    compared: list[UUID]


def reconcile(device: Device, claim: ReconcileIn, *, now: dt.datetime) -> ReconcileOut:
    """Compare a device's inventory with the server's, and keep and return a signed statement of it.

    To be called in one moment. Nothing else is changed: what is missing the device sends again itself.

    Raises
    ------
    Invalid
        The claim names its changes by ids, and not one for each number.
    """
    inventory = _compare_changes(device, claim)
    missing_photos = selectors.list_missing_photos(device, claim.photo_hashes)
    claimed_photos = set(claim.photo_hashes)
    packages = _compare_packages(device, claim.packages)
    answer = ReconcileOut(
        missing_mutations=inventory.missing,
        missing_photos=missing_photos,
        unknown_to_device=inventory.unknown,
        held=list(
            Mutation.objects.filter(device=device, status=Status.HELD).values_list("mutation_id", flat=True)
        ),
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
        checksums_ok=not packages.stale,
        stale_packages=packages.stale,
        gone_packages=packages.gone,
        is_complete=not (inventory.missing or missing_photos or inventory.unknown or packages.stale),
        is_store_lost=bool(inventory.unknown),
        last_seq=max([claim.last_seq or 0, *(end for _, end in claim.seq_ranges), *(end for _, end in inventory.unknown)]),
        epoch=feed.find_epoch(device.town_id),
        keep_days=KEEP_DAYS,
        server_time=now,
        summary="",
        statement="",
    )  # fmt: skip
    here = claimed_photos - set(missing_photos)
    photos_here = len(here)
    answer.summary = summarize(
        records=(inventory.here, inventory.claimed),
        photos=(photos_here, len(claimed_photos)),
        held=len(answer.held),
        quarantined=len(answer.quarantined),
        conflicts=len(answer.open_conflicts),
        lost=count_of(inventory.unknown),
    )
    facts = {
        "device": str(device.id),
        "town": device.town_id,
        "at": now.isoformat(),
        "epoch": str(answer.epoch) if answer.epoch else None,
        "claimed": spans_of_claim(claim),
        "ids": digest_of([claim.id_marks]) if claim.id_marks is not None else None,
        "records": {"claimed": inventory.claimed, "here": inventory.here},
        "photos": {
            "claimed": len(claimed_photos),
            "here": photos_here,
            "digest": digest_of(claimed_photos),
            "here_digest": digest_of(here),
        },
        "missing_mutations": answer.missing_mutations,
        "missing_photos": len(missing_photos),
        "unknown_to_device": answer.unknown_to_device,
        "held": len(answer.held),
        "quarantined": len(answer.quarantined),
        "open_conflicts": len(answer.open_conflicts),
        "checksums_ok": answer.checksums_ok,
        "packages_compared": sorted(str(key) for key in packages.compared),
        "is_complete": answer.is_complete,
        "summary": answer.summary,
    }
    answer.statement = signing.sign(facts, statement_key())
    _keep(
        device,
        answer,
        now,
        records=(inventory.here, inventory.claimed),
        photos=(photos_here, len(claimed_photos)),
    )
    return answer  # fmt: skip


def _compare_changes(device: Device, claim: ReconcileIn) -> Inventory:
    """Compare by the ids of the changes, where the claim names them; else by their numbers alone."""
    held = list(selectors.list_numbered(device.id))
    inventory = compare(claim.seq_ranges, spans_of(number for number, _ in held), last_seq=claim.last_seq)
    if claim.id_marks is None:
        return inventory
    try:
        same = numbers_by_marks(claim.seq_ranges, claim.id_marks, held)
    except ValueError as error:
        raise Invalid(f"In id_marks {error}.") from error
    by_ids = compare(claim.seq_ranges, spans_of(same), last_seq=claim.last_seq)
    return replace(by_ids, unknown=inventory.unknown)


def spans_of_claim(claim: ReconcileIn) -> list[tuple[int, int]]:
    """Return the claimed spans in order."""
    return sorted(claim.seq_ranges)


def _compare_packages(device: Device, claimed: Sequence[PackageState]) -> _Packages:
    """Hold the checksum of a device's own rows against the server's, where both stand at the same place."""
    own = {package.id: package for package in list_packages_of_device(device.id)}
    epoch = feed.find_epoch(device.town_id)
    found = _Packages([], [], [])
    for state in claimed:
        if state.id not in own:
            found.gone.append(state.id)
            continue
        try:
            cursor = feed_rules.Cursor.read(state.cursor)
        except feed_rules.BadCursor:
            found.stale.append(state.id)
            continue
        if cursor.epoch != epoch or cursor.seq < feed.get_head(state.id):
            continue  # the device is only behind; its next pull compares
        found.compared.append(state.id)
        if state.checksum != feed_rules.spell_checksum(feed.read_checksum(own[state.id])):
            found.stale.append(state.id)
    return found


def _keep(
    device: Device,
    answer: ReconcileOut,
    now: dt.datetime,
    *,
    records: tuple[int, int],
    photos: tuple[int, int],
) -> None:
    Statement.objects.create(
        town_id=device.town_id,
        device=device,
        stated_at=now,
        epoch=answer.epoch,
        records_here=records[0],
        records_claimed=records[1],
        photos_here=photos[0],
        photos_claimed=photos[1],
        missing_mutations=answer.missing_mutations,
        missing_photos=answer.missing_photos,
        unknown_to_device=answer.unknown_to_device,
        held_count=len(answer.held),
        quarantined_count=len(answer.quarantined),
        open_conflict_count=len(answer.open_conflicts),
        stale_packages=[str(key) for key in answer.stale_packages],
        is_complete=answer.is_complete,
        is_store_lost=answer.is_store_lost,
        summary=answer.summary,
        token=answer.statement,
    )
    STATEMENTS.labels("yes" if answer.is_complete else "no").inc()
    if answer.is_store_lost:
        log.error("a tablet lost its own store", device=str(device.id), spans=answer.unknown_to_device)
    if answer.stale_packages:
        log.error(
            "a package's rows differ on a tablet",
            device=str(device.id),
            packages=[str(key) for key in answer.stale_packages],
        )
