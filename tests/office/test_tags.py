"""How values are written on the pages."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from assessment.office import tags

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "$1,234,567"),
        (0, "$0"),
        (-50, f"{MINUS}$50"),
        (None, DASH),
        ("", DASH),
    ],
)
def test_dollars_are_whole_and_nothing_is_not_zero(value: int | None, text: str) -> None:
    assert tags.dollars(value) == text


def test_a_difference_shows_its_sign() -> None:
    assert [tags.signed_dollars(value) for value in (1500, -1500, 0)] == [
        "+$1,500",
        f"{MINUS}$1,500",
        "$0",
    ]


def test_half_a_dollar_is_rounded_away_from_zero() -> None:
    assert tags.dollars(0.5) == "$1"


def test_numbers_that_are_none_or_not_numbers_are_a_dash() -> None:
    assert {tags.number(value) for value in (None, "", "n/a", float("nan"), float("inf"))} == {DASH}


def test_an_instant_is_shown_in_the_office_s_time() -> None:
    just_after_utc_midnight = dt.datetime(2025, 10, 2, 0, 30, tzinfo=ZoneInfo("UTC"))
    assert tags.moment(just_after_utc_midnight) == "Oct 1, 2025, 8:30 PM"
    assert tags.day(just_after_utc_midnight) == "Oct 1, 2025"


def test_noon_and_midnight_are_twelve() -> None:
    zone = ZoneInfo("America/New_York")
    assert tags.moment(dt.datetime(2025, 10, 1, 12, 5, tzinfo=zone)).endswith("12:05 PM")
    assert tags.moment(dt.datetime(2025, 10, 1, 0, 5, tzinfo=zone)).endswith("12:05 AM")


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (65, "1 min 5 s"), (7260, "2 h 1 min"), (None, DASH)]
)
def test_durations_are_read_at_a_glance(seconds: int | None, text: str) -> None:
    assert tags.duration(seconds) == text


def test_a_badge_escapes_what_it_shows() -> None:
    assert "<b>" not in tags.badge("<b>")


def test_a_badge_says_its_state_in_a_word_and_not_only_by_colour() -> None:
    assert tags.badge("after_board") == '<span class="badge badge--good">After board</span>'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("after_board", "After board"),
        ("not-usable", "Not usable"),
        ("SMITH-JONES", "SMITH-JONES"),
        ("", DASH),
    ],
)
def test_codes_become_words_and_names_stay_as_they_are(value: str, text: str) -> None:
    assert tags.words(value) == text
