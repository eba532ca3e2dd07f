"""Reading a feed: the epoch, a page of changes, the checksum of a package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fieldsync.feed.models import FeedHead, PackageRecord, SyncEpoch
from fieldsync.feed.rules import checksum, hash_of_text, to_unsigned
from fieldsync.packages.cards import render_texts

_HASH_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a feed. ``text`` is the record in canonical JSON, None for a removal."""

    seq: int
    op: str
    kind: str
    record_id: UUID
    text: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Changes behind a number, in order; the checksum is of the whole package, and only on the last page."""

    changes: list[Change]
    head: int
    has_more: bool
    records: int | None
    checksum: int | None
    hashes: dict[UUID, tuple[int, int]]


def find_epoch(town_code: int) -> UUID | None:
    """Return the epoch in force, or None when the town never had a device."""
    rows = SyncEpoch.objects.filter(town_id=town_code).order_by("-began_at", "-id")
    return rows.values_list("epoch", flat=True).first()


def get_head(package_id: UUID) -> int:
    """Return the highest number given in a package's feed; 0 before its first record."""
    return FeedHead.objects.filter(package_id=package_id).values_list("head", flat=True).first() or 0


def read_page(package_id: UUID, *, after: int, limit: int) -> Page:
    """Return the changes numbered above ``after``, at most ``limit``.

    To be called in one moment (`fieldsync.feed.snapshot.one_moment`), so that every record is as it was
    when the highest number seen was given.
    """
    head = get_head(package_id)
    rows = list(
        PackageRecord.objects.filter(package_id=package_id, seq__gt=after).order_by("seq")[: limit + 1]
    )
    has_more = len(rows) > limit
    rows = rows[:limit]
    cards = render_texts([row.record_id for row in rows if row.op == PackageRecord.Op.PUT])
    changes = [_change(row, cards) for row in rows]
    hashes = _hashes(rows, cards)
    if has_more:
        return Page(changes, head, True, None, None, hashes)
    hashes |= _missing_hashes(package_id, hashes)
    records, total = _sum(package_id, hashes)
    return Page(changes, head, False, records, total, hashes)


def _change(row: PackageRecord, cards: dict[UUID, str]) -> Change:
    text = cards.get(row.record_id)
    op = PackageRecord.Op.PUT if text is not None else PackageRecord.Op.REMOVE
    return Change(row.seq, op.value, row.kind, row.record_id, text)


def _hashes(rows: Sequence[PackageRecord], cards: dict[UUID, str]) -> dict[UUID, tuple[int, int]]:
    return {
        row.id: (row.seq, hash_of_text(row.kind, row.record_id, cards[row.record_id]))
        for row in rows
        if row.content_hash is None and row.record_id in cards
    }


def _missing_hashes(package_id: UUID, known: dict[UUID, tuple[int, int]]) -> dict[UUID, tuple[int, int]]:
    """Hash the records whose change somebody numbered and nobody has read since."""
    rows = [
        row
        for row in PackageRecord.objects.filter(
            package_id=package_id, op=PackageRecord.Op.PUT, content_hash__isnull=True
        )
        if row.id not in known
    ]
    found: dict[UUID, tuple[int, int]] = {}
    for start in range(0, len(rows), _HASH_CHUNK):
        some = rows[start : start + _HASH_CHUNK]
        found |= _hashes(some, render_texts([row.record_id for row in some]))
    return found


def _sum(package_id: UUID, hashes: dict[UUID, tuple[int, int]]) -> tuple[int, int]:
    kept = PackageRecord.objects.filter(
        package_id=package_id, op=PackageRecord.Op.PUT, content_hash__isnull=False
    ).values_list("content_hash", flat=True)
    known = [to_unsigned(value) for value in kept if value is not None]
    return len(known) + len(hashes), checksum([*known, *(value for _, value in hashes.values())])
