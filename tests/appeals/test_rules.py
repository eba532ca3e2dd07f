import datetime as dt

import pytest

from assessment.appeals.rules import is_told_in_time, may_elect_not_to_hear, petition_deadline
from assessment.roll.parameters import parameter

DAYS = parameter("petition_deadline").on(dt.date(2025, 10, 1)).value


def test_petitions_are_due_on_20_february_and_a_month_later_when_the_signing_was_extended():
    # SOURCE: CGS 12-111; norwichct.org for the extension.
    assert petition_deadline(2025, DAYS, extended=False) == dt.date(2026, 2, 20)
    assert petition_deadline(2025, DAYS, extended=True) == dt.date(2026, 3, 20)


@pytest.mark.parametrize(
    ("classes", "assessed", "expected"),
    [
        ({"200"}, 1_000_001, True),
        ({"200", "800"}, 5_000_000, True),
        ({"200"}, 1_000_000, False),
        ({"100"}, 9_000_000, False),
        ({"100", "200"}, 9_000_000, False),
        (set(), 9_000_000, False),
    ],
)
def test_the_board_may_decline_large_business_property_only(classes, assessed, expected):
    assert may_elect_not_to_hear(classes, assessed, 1_000_000) is expected


def test_a_petitioner_is_told_seven_days_ahead():
    assert is_told_in_time(dt.date(2026, 3, 1), dt.date(2026, 3, 8), 7)
    assert not is_told_in_time(dt.date(2026, 3, 2), dt.date(2026, 3, 8), 7)
