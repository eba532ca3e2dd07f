"""The three-way merge of one field."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.property import merge
from assessment.property.merge import Outcome, merge_field

POLICIES = [
    merge.CONFLICT,
    merge.FIELD_WINS,
    merge.OFFICE_WINS,
    merge.within(5),
]
words = st.lists(st.sampled_from(["deck", "pool", "barn", "shed", "porch"]), unique=True)
figures = st.one_of(st.none(), st.integers(0, 40))
notes = st.text(alphabet="ab \n", max_size=8)


def test_a_value_that_is_already_there_changes_nothing() -> None:
    result = merge_field(merge.CONFLICT, 1820, 1846, 1846.0)
    assert (result.outcome, result.value) == (Outcome.NOOP, 1846.0)


def test_a_value_the_office_did_not_touch_is_taken() -> None:
    result = merge_field(merge.CONFLICT, 1820, 1846, 1820)
    assert (result.outcome, result.value, result.loser) == (Outcome.TAKEN, 1846, None)


def test_two_different_values_wait_for_a_person_and_both_are_kept() -> None:
    result = merge_field(merge.CONFLICT, 1820, 1846, 1900)
    assert (result.outcome, result.value, result.loser) == (Outcome.CONFLICT, 1900, 1846)
    assert result.parked


def test_a_field_the_device_left_alone_never_undoes_the_office() -> None:
    result = merge_field(merge.FIELD_WINS, "A", "A", "G")
    assert (result.outcome, result.value) == (Outcome.NOOP, "G")


def test_a_set_takes_what_each_side_added_and_removed() -> None:
    result = merge_field(merge.SET, ["deck", "shed"], ["deck", "pool"], ["deck", "shed", "barn"])
    assert result.outcome is Outcome.MERGED_SET
    assert result.value == ["deck", "barn", "pool"]


def test_a_set_the_office_did_not_touch_is_taken() -> None:
    result = merge_field(merge.SET, ["deck"], ["deck", "pool"], ["deck"])
    assert (result.outcome, result.value) == (Outcome.TAKEN, ["deck", "pool"])


def test_notes_of_both_are_kept_with_who_wrote_what() -> None:
    result = merge_field(
        merge.APPEND, "New roof", "New roof\nDog in yard", "New roof 2024", signature="J. Rowe, 22 Nov"
    )
    assert result.outcome is Outcome.APPENDED
    assert result.value == "New roof 2024\n\nJ. Rowe, 22 Nov: Dog in yard"


def test_a_note_sent_twice_is_there_once() -> None:
    once = merge_field(merge.APPEND, "", "Dog", "Roof", signature="J")
    twice = merge_field(merge.APPEND, "", "Dog", once.value, signature="J")
    assert (twice.outcome, twice.value) == (Outcome.NOOP, once.value)


@pytest.mark.parametrize(
    ("new", "outcome"), [(1004, Outcome.WITHIN_TOLERANCE), (Decimal("1005.1"), Outcome.CONFLICT)]
)
def test_figures_closer_than_the_tolerance_do_not_disagree(new: object, outcome: Outcome) -> None:
    result = merge_field(merge.within(5), 900, new, 1000)
    assert (result.outcome, result.value, result.loser) == (outcome, 1000, new)


def test_the_field_wins_only_with_what_it_saw_after_the_office() -> None:
    later = merge_field(merge.FIELD_WINS, "A", "P", "G", seen_later=True)
    earlier = merge_field(merge.FIELD_WINS, "A", "P", "G", seen_later=False)
    assert (later.outcome, later.value, later.loser) == (Outcome.FIELD_WON, "P", "G")
    assert (earlier.outcome, earlier.value, earlier.loser) == (Outcome.CONFLICT, "G", "P")


def test_a_legal_field_stays_as_the_office_has_it_and_says_what_was_proposed() -> None:
    result = merge_field(merge.OFFICE_WINS, "101", "102", "103")
    assert (result.outcome, result.value, result.loser) == (Outcome.OFFICE_KEPT, "103", "102")


def test_true_is_not_the_number_one_of_a_figure() -> None:
    assert merge.same("", None)
    assert merge.same(Decimal("0.250"), 0.25)
    assert not merge.same("01", "1")


def test_a_negative_tolerance_is_refused() -> None:
    with pytest.raises(ValueError, match="tolerance"):
        merge.within(-1)


@given(st.sampled_from(POLICIES), figures, figures, figures)
def test_nothing_is_lost(policy: merge.MergePolicy, base: object, new: object, server: object) -> None:
    result = merge_field(policy, base, new, server)
    assert any(merge.same(result.value, side) for side in (new, server))
    if not merge.same(new, base) and not merge.same(result.value, new):
        assert merge.same(result.loser, new)


@given(st.sampled_from(POLICIES), figures, figures, figures)
def test_a_change_merged_twice_has_the_value_of_once(
    policy: merge.MergePolicy, base: object, new: object, server: object
) -> None:
    once = merge_field(policy, base, new, server)
    assert merge.same(merge_field(policy, base, new, once.value).value, once.value)


@given(words, words, words)
def test_a_set_merged_twice_has_the_value_of_once(base: list[str], new: list[str], server: list[str]) -> None:
    once = merge_field(merge.SET, base, new, server)
    again = merge_field(merge.SET, base, new, once.value)
    assert (again.outcome, again.value) == (Outcome.NOOP, once.value)


@given(words, words, words)
def test_two_devices_reach_the_same_set_in_either_order(
    base: list[str], one: list[str], two: list[str]
) -> None:
    first = merge_field(merge.SET, base, two, merge_field(merge.SET, base, one, base).value).value
    second = merge_field(merge.SET, base, one, merge_field(merge.SET, base, two, base).value).value
    assert sorted(first) == sorted(second)


@given(notes, notes, notes)
def test_a_note_merged_twice_has_the_value_of_once(base: str, new: str, server: str) -> None:
    once = merge_field(merge.APPEND, base, new, server, signature="J")
    again = merge_field(merge.APPEND, base, new, once.value, signature="J")
    assert again.value == once.value
