"""Putting records into a package's feed and taking them out; beginning a new epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.rules import Permission
from fieldsync.feed.models import FeedHead, FeedStep, PackageRecord, SyncEpoch
from fieldsync.feed.rules import to_signed
from fieldsync.feed.selectors import find_epoch
from fieldsync.feed.triggers import MEMBERSHIP_LOCK
from fieldsync.packages.models import Package


def add_records(package: Package, record_ids: Iterable[UUID], *, actor: Actor, kind: str = "card") -> int:
    """Put records into a package; each is a change of its feed. Returns how many were not in it.

    Takes the membership lock of the town alone, to its commit: every writer that has already looked for
    packages has then committed, and is in any snapshot read after this.
    """
    actor.require(Permission.MANAGE_PACKAGES, package.town_id)
    head = _lock_head(package)
    wanted = list(dict.fromkeys(record_ids))
    present = {
        row.record_id: row
        for row in PackageRecord.objects.filter(package=package, kind=kind, record_id__in=wanted)
    }
    fresh = []
    for record_id in wanted:
        row = present.get(record_id)
        if row is not None and row.op == PackageRecord.Op.PUT:
            continue
        head.head += 1
        if row is None:
            row = PackageRecord(town_id=package.town_id, package=package, kind=kind, record_id=record_id)
        row.seq, row.op, row.content_hash = head.head, PackageRecord.Op.PUT, None
        row.joined_seq, row.reason = head.head, ""
        fresh.append(row)
    PackageRecord.objects.bulk_create([row for row in fresh if row.record_id not in present])
    _save_numbers([row for row in fresh if row.record_id in present])
    head.save(update_fields=["head"])
    return len(fresh)


def remove_records(
    package: Package, record_ids: Iterable[UUID], *, actor: Actor, reason: str = "", kind: str = "card"
) -> int:
    """Take records out of a package; the feed tells the device so, and why. Returns how many were in it."""
    actor.require(Permission.MANAGE_PACKAGES, package.town_id)
    head = _lock_head(package)
    rows = list(
        PackageRecord.objects.filter(
            package=package, kind=kind, record_id__in=list(record_ids), op=PackageRecord.Op.PUT
        ).order_by("record_id")
    )
    for row in rows:
        head.head += 1
        row.seq, row.op, row.content_hash = head.head, PackageRecord.Op.REMOVE, None
        row.reason = reason
    _save_numbers(rows)
    head.save(update_fields=["head"])
    return len(rows)


def close_feed(package: Package) -> None:
    """Number no more changes for a package."""
    FeedHead.objects.filter(package=package).update(is_open=False)
    FeedStep.objects.filter(package=package).delete()


def begin_epoch(town_code: int, *, actor: Actor, reason: str) -> SyncEpoch:
    """Begin a new life of the town's data, as after a restore: every cursor given before is void."""
    if not actor.is_system:
        actor.require(Permission.MANAGE_REGION, town_code)
    return SyncEpoch.objects.create(town_id=town_code, began_at=timezone.now(), reason=reason[:200])


def begin_epochs(actor: Actor, town_codes: list[int], reason: str) -> str:
    """Begin a new epoch in every town that has one; a restore calls it before the first request."""
    towns = SyncEpoch.objects.filter(town_id__in=town_codes).values_list("town_id", flat=True).distinct()
    begun = [begin_epoch(code, actor=actor, reason=reason) for code in sorted(towns)]
    return f"begun anew in {len(begun)} towns"


def ensure_epoch(town_code: int) -> UUID:
    """Return the epoch in force in a town; its first begins when it is first asked for."""
    epoch = find_epoch(town_code)
    if epoch is None:
        epoch = begin_epoch(town_code, actor=Actor.system("begin the first epoch"), reason="first use").epoch
    return epoch


def keep_hashes(hashes: Mapping[UUID, tuple[int, int]]) -> None:
    """Put computed hashes beside the numbers they belong to, where no newer change has come.

    Rows that a writer holds are skipped: what is not kept now is computed again by the next reader.
    """
    if not hashes:
        return
    parameters: list[Any] = [
        list(hashes),
        [seq for seq, _ in hashes.values()],
        [to_signed(value) for _, value in hashes.values()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH known AS (SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS k(id, seq, hash)),
            free AS (
              SELECT r.id, k.hash FROM fieldsync_packagerecord r JOIN known k ON k.id = r.id AND k.seq = r.seq
              WHERE r.content_hash IS NULL FOR UPDATE OF r SKIP LOCKED)
            UPDATE fieldsync_packagerecord r SET content_hash = f.hash FROM free f WHERE r.id = f.id
            """,
            parameters,
        )


def _lock_head(package: Package) -> FeedHead:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [MEMBERSHIP_LOCK, package.town_id])
    FeedHead.objects.bulk_create([FeedHead(town_id=package.town_id, package=package)], ignore_conflicts=True)
    return FeedHead.objects.select_for_update(of=("self",)).get(package=package)


def _save_numbers(rows: Sequence[PackageRecord]) -> None:
    if rows:
        PackageRecord.objects.bulk_update(
            rows, ["seq", "joined_seq", "op", "reason", "content_hash"], batch_size=1000
        )
