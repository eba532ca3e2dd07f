"""Reading a feed: the epoch, a page of changes, the checksum of a package."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from fieldsync.feed.models import FeedHead, PackageRecord, SyncEpoch
from fieldsync.feed.patches import Patch, find_changed_fields, make_patch
from fieldsync.feed.rules import SUM_MODULUS, Behind, Snapshot, checksum, hash_of_text
from fieldsync.packages.cards import render_texts
from fieldsync.packages.models import Package
from fieldsync.quality.selectors import mask_cards

_HASH_CHUNK = 1000
_IS_PUT = Q(op=PackageRecord.Op.PUT)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a feed. ``text`` is the record in canonical JSON; of a removal, why there is none."""

    seq: int
    op: str
    kind: str
    record_id: UUID
    text: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Changes behind a number, in order; the checksum is of the whole package, and only on the last page.

    ``last`` is the number that the page reaches.
    """

    changes: list[Change]
    patches: list[Patch]
    head: int
    last: int
    has_more: bool
    records: int | None
    checksum: int | None
    hashes: dict[UUID, tuple[int, int]]


class _Row(NamedTuple):
    id: UUID
    record_id: UUID
    kind: str
    op: str
    seq: int
    joined_seq: int
    reason: str
    content_hash: int | None


def find_epoch(town_code: int) -> UUID | None:
    """Return the epoch in force, or None when the town never had a device."""
    rows = SyncEpoch.objects.filter(town_id=town_code).order_by("-began_at", "-id")
    return rows.values_list("epoch", flat=True).first()


def get_head(package_id: UUID) -> int:
    """Return the highest number given in a package's feed; 0 before its first record."""
    return FeedHead.objects.filter(package_id=package_id).values_list("head", flat=True).first() or 0


def count_behind(package_id: UUID, after: int) -> Behind:
    """Return how many entries lie behind a number."""
    counted = PackageRecord.objects.filter(package_id=package_id, seq__gt=after).aggregate(
        puts=Count("id", filter=_IS_PUT), removes=Count("id", filter=~_IS_PUT)
    )
    return Behind(counted["puts"], counted["removes"])


def find_snapshot(package: Package) -> Snapshot | None:
    """Return what a package's build is and costs, as far as its records go; None before the first."""
    manifest = package.manifest
    if not manifest:
        return None
    records = next((part for part in manifest["parts"] if part["kind"] == "records"), None)
    if records is None:
        return None
    return Snapshot(int(manifest["head_seq"]), int(records["count"]), int(records["bytes"]))


def read_page(package: Package, *, after: int, limit: int, as_patches: bool = False) -> Page:
    """Return the changes numbered above ``after``, at most ``limit``.

    To be called in one moment (`fieldsync.feed.snapshot.one_moment`), so that every record is as it was
    when the highest number seen was given.

    Parameters
    ----------
    as_patches
        Tell by fields where that is known; never of a package whose cards hide something.
    """
    head = get_head(package.id)
    found = PackageRecord.objects.filter(package_id=package.id, seq__gt=after).order_by("seq")
    rows = [_Row(*row) for row in found.values_list(*_Row._fields)[: limit + 1]]
    has_more = len(rows) > limit
    rows = rows[:limit]
    cards = render(package, [row.record_id for row in rows if row.op == PackageRecord.Op.PUT])
    patches = _patches(package, rows, cards, after) if as_patches and not package.is_blind else {}
    changes = [_change(row, cards) for row in rows if row.id not in patches]
    hashes = _hashes(rows, cards)
    last = rows[-1].seq if has_more else head
    if has_more:
        return Page(changes, list(patches.values()), head, last, True, None, None, hashes)
    records, total, hashes = _sum(package, hashes)
    return Page(changes, list(patches.values()), head, last, False, records, total, hashes)


def read_checksum(package: Package) -> int:
    """Return the checksum of a package as it is now."""
    return _sum(package, {})[1]


def render(package: Package, property_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return cards as this package shows them: a re-check hides what the first collector entered."""
    cards = render_texts(property_ids)
    return mask_cards(package.id, cards) if package.is_blind else cards


def _patches(
    package: Package, rows: Sequence[_Row], cards: Mapping[UUID, str], after: int
) -> dict[UUID, Patch]:
    known = [row for row in rows if row.record_id in cards and row.joined_seq <= after]
    changed = find_changed_fields(package.town_id, package.id, [row.record_id for row in known], after=after)
    made = {
        row.id: make_patch(row.seq, row.record_id, cards[row.record_id], changed[row.record_id])
        for row in known
        if row.record_id in changed
    }
    return {key: patch for key, patch in made.items() if patch is not None}


def _change(row: _Row, cards: Mapping[UUID, str]) -> Change:
    text = cards.get(row.record_id)
    if text is not None:
        return Change(row.seq, PackageRecord.Op.PUT.value, row.kind, row.record_id, text)
    # A property that is gone from the record altogether was never taken out of the package.
    reason = row.reason if row.op == PackageRecord.Op.REMOVE else "gone"
    return Change(row.seq, PackageRecord.Op.REMOVE.value, row.kind, row.record_id, None, reason)


def _hashes(rows: Sequence[_Row], cards: Mapping[UUID, str]) -> dict[UUID, tuple[int, int]]:
    return {
        row.id: (row.seq, hash_of_text(row.kind, row.record_id, cards[row.record_id]))
        for row in rows
        if row.content_hash is None and row.record_id in cards
    }


def _sum(
    package: Package, hashes: dict[UUID, tuple[int, int]]
) -> tuple[int, int, dict[UUID, tuple[int, int]]]:
    """Return how many records the package has, their checksum, and the hashes that had to be made for it."""
    puts = PackageRecord.objects.filter(_IS_PUT, package_id=package.id)
    counted = puts.aggregate(known=Count("content_hash"), total=Sum("content_hash"), rows=Count("id"))
    if counted["rows"] > counted["known"] + len(hashes):
        hashes = hashes | _missing_hashes(package, puts.filter(content_hash__isnull=True), hashes)
    made = checksum(value for _, value in hashes.values())
    # The signed sum and the unsigned are the same number modulo 2**64.
    total = (int(counted["total"] or 0) + made) % SUM_MODULUS
    return counted["known"] + len(hashes), total, hashes


def _missing_hashes(
    package: Package, unhashed: QuerySet[PackageRecord], known: Collection[UUID]
) -> dict[UUID, tuple[int, int]]:
    """Hash the records whose change somebody numbered and nobody has read since."""
    rows = [_Row(*row) for row in unhashed.values_list(*_Row._fields)]
    rows = [row for row in rows if row.id not in known]
    found: dict[UUID, tuple[int, int]] = {}
    for start in range(0, len(rows), _HASH_CHUNK):
        some = rows[start : start + _HASH_CHUNK]
        found |= _hashes(some, render(package, [row.record_id for row in some]))
    return found
