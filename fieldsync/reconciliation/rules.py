"""Arithmetic of the end-of-day statement: which numbers of a device's sequence are missing."""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def spans_of(numbers: Iterable[int]) -> list[Span]:
    """Return the fewest inclusive spans that hold exactly ``numbers``."""
    spans: list[Span] = []
    for number in sorted(set(numbers)):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def missing_spans(claimed: Sequence[Span], held: Sequence[Span]) -> list[Span]:
    """Return the parts of ``claimed`` that are not in ``held``, both inclusive and in any order."""
    missing: list[Span] = []
    for first, last in _joined(claimed):
        start = first
        for held_first, held_last in _joined(held):
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
