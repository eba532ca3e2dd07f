"""Spans of sequence numbers."""

from uuid import UUID

import pytest
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


IDS = st.integers(0, 5).map(lambda number: UUID(int=number))
HELD = st.lists(st.tuples(st.integers(1, 12), IDS), max_size=20)


@given(st.dictionaries(st.integers(1, 12), IDS), HELD)
def test_a_number_is_here_when_it_is_with_the_very_change(
    claimed: dict[int, UUID], held: list[tuple[int, UUID]]
) -> None:
    marks = "".join(rules.mark_of(claimed[number]) for number in sorted(claimed))
    here = rules.numbers_by_marks(rules.spans_of(claimed), marks, held)
    assert set(here) == {number for number, key in claimed.items() if (number, key) in held}


@pytest.mark.parametrize("marks", ["", "0" * 15, "0" * 17, "0" * 48])
def test_marks_that_are_not_one_for_each_number_say_nothing(marks: str) -> None:
    with pytest.raises(ValueError, match="one mark"):
        rules.numbers_by_marks([(1, 2)], marks, [(1, UUID(int=0)), (2, UUID(int=0))])
    assert rules.numbers_by_marks([(2, 1)], "", [(1, UUID(int=0))]) == []
