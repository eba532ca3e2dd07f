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


def test_what_was_let_go_on_purpose_is_neither_missing_nor_lost() -> None:
    found = rules.compare([(11, 20)], [(1, 20)], last_seq=20)
    assert (found.missing, found.unknown, found.claimed, found.here) == ([], [], 10, 10)


def test_numbers_above_the_last_that_a_tablet_knows_are_lost_there() -> None:
    assert rules.compare([(1, 5)], [(1, 3), (7, 9)], last_seq=8).unknown == [(9, 9)]
    assert rules.compare([], [(1, 3)], last_seq=0).unknown == [(1, 3)]
    assert rules.compare([], [(1, 3)], last_seq=None).unknown == []
    assert rules.compare([(1, 2)], [(1, 3)], last_seq=None).unknown == [(3, 3)]


def test_the_summary_names_only_what_is_there() -> None:
    said = rules.summarize(records=(412, 412), photos=(187, 187), held=0, quarantined=0, conflicts=2, lost=0)
    assert said == "412/412 records, 187/187 photos on the server, 2 conflicts for the office"
    said = rules.summarize(records=(1, 2), photos=(0, 0), held=1, quarantined=3, conflicts=1, lost=0)
    assert said == (
        "1/2 records, 0/0 photos on the server, 1 waits for something before it, 3 in quarantine, "
        "1 conflict for the office"
    )
