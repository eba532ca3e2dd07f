"""Spans of sequence numbers."""

from hypothesis import given
from hypothesis import strategies as st

from fieldsync.reconciliation import rules

NUMBERS = st.sets(st.integers(1, 60), max_size=30)


def numbers_of(spans: list[rules.Span]) -> set[int]:
    return {number for first, last in spans for number in range(first, last + 1)}


@given(NUMBERS)
def test_spans_hold_exactly_the_numbers(numbers: set[int]) -> None:
    assert numbers_of(rules.spans_of(numbers)) == numbers


@given(NUMBERS, NUMBERS)
def test_what_is_missing_is_what_is_claimed_and_not_held(claimed: set[int], held: set[int]) -> None:
    missing = rules.missing_spans(rules.spans_of(claimed), rules.spans_of(held))
    assert numbers_of(missing) == claimed - held


def test_a_span_that_ends_before_it_begins_claims_nothing() -> None:
    assert rules.missing_spans([(5, 4)], []) == []
