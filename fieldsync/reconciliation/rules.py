"""Arithmetic of the end-of-day statement: which numbers of a device's sequence are missing, on which side."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

Span = tuple[int, int]

#: How long a tablet keeps what was acknowledged, and never before its package is closed: as long as the
#: server could have to be restored from a backup that does not have it.
KEEP_DAYS = 14
MARK_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Inventory:
    """A device's numbers against the ledger's.

    Attributes
    ----------
    missing
        Spans that the device holds and the ledger does not.
    unknown
        Spans that the ledger holds above the last number that the device knows to have given: its own
        store was lost, or was put back from an older copy.
    claimed, here
        How many numbers the device holds, and how many of them the ledger has.
    """

    missing: list[Span]
    unknown: list[Span]
    claimed: int
    here: int


def compare(claimed: Sequence[Span], held: Sequence[Span], *, last_seq: int | None) -> Inventory:
    """Compare what a device claims with what the ledger holds.

    Parameters
    ----------
    last_seq
        The highest number that the device ever gave; what it gave and no longer holds it has let go on
        purpose. None when it does not say: then the end of its claim stands for it, if it claims anything.
    """
    missing = missing_spans(claimed, held)
    last = max((end for _, end in claimed), default=None) if last_seq is None else last_seq
    unknown = [] if last is None else [(max(first, last + 1), end) for first, end in held if end > last]
    count = count_of(claimed)
    return Inventory(missing, unknown, count, count - count_of(missing))


def numbers_by_marks(claimed: Sequence[Span], marks: str, held: Iterable[tuple[int, UUID]]) -> list[int]:
    """Return the claimed numbers that the ledger holds with the very changes of the claim.

    A number alone does not tell: a copy of the tablet may have given it to another change, and after a restore
    that one may have come first.

    Parameters
    ----------
    marks
        `mark_of` each change that the device holds, in the order of the claimed numbers, run together.
    held
        The device's numbers in the ledger with the ids of their changes; a number may come twice.

    Raises
    ------
    ValueError
        There are more marks than numbers, or fewer.
    """
    if len(marks) != MARK_DIGITS * count_of(claimed):
        raise ValueError("there is one mark of 16 digits for each number that is claimed")
    numbers = (number for first, last in _joined(claimed) for number in range(first, last + 1))
    marked = {
        (number, marks[place : place + MARK_DIGITS])
        for number, place in zip(numbers, range(0, len(marks), MARK_DIGITS), strict=True)
    }
    return [number for number, mutation_id in held if (number, mark_of(mutation_id)) in marked]


def mark_of(mutation_id: UUID) -> str:
    """Return the last 16 hexadecimal digits of an id: of a UUID's those that are drawn at random."""
    return mutation_id.hex[-MARK_DIGITS:]


def spans_of(numbers: Iterable[int]) -> list[Span]:
    """Return the fewest inclusive spans that hold exactly ``numbers``."""
    spans: list[Span] = []
    for number in sorted(set(numbers)):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def count_of(spans: Iterable[Span]) -> int:
    """Return how many numbers spans hold, those in two of them once."""
    return sum(last - first + 1 for first, last in _joined(spans))


def missing_spans(claimed: Sequence[Span], held: Sequence[Span]) -> list[Span]:
    """Return the parts of ``claimed`` that are not in ``held``, both inclusive and in any order."""
    missing: list[Span] = []
    have = _joined(held)
    for first, last in _joined(claimed):
        start = first
        for held_first, held_last in have:
            if held_last < start or held_first > last:
                continue
            if held_first > start:
                missing.append((start, held_first - 1))
            start = max(start, held_last + 1)
        if start <= last:
            missing.append((start, last))
    return missing


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for first, last in sorted(span for span in spans if span[0] <= span[1]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def digest_of(hashes: Iterable[str]) -> str:
    """Return the SHA-256 of hashes, each once, in order, a line each: by it both ends name one set of photos."""
    return hashlib.sha256("".join(f"{value}\n" for value in sorted(set(hashes))).encode()).hexdigest()


def summarize(
    *,
    records: tuple[int, int],
    photos: tuple[int, int],
    held: int,
    quarantined: int,
    conflicts: int,
    lost: int,
) -> str:
    """Return the statement in one line for a person: ``412/412 records, 187/187 photos on the server, …``."""
    parts = [f"{records[0]}/{records[1]} records", f"{photos[0]}/{photos[1]} photos on the server"]
    for count, one, many in (
        (held, "waits for something before it", "wait for something before them"),
        (quarantined, "in quarantine", "in quarantine"),
        (conflicts, "conflict for the office", "conflicts for the office"),
        (lost, "lost on the tablet and kept here", "lost on the tablet and kept here"),
    ):
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    return ", ".join(parts)
