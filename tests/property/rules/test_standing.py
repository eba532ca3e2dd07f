"""Which entries of a card's journal bear on a day, and in what order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from assessment.property.rules.standing import (
    AREAS_REASON,
    Conversion,
    bears_from,
    rows_on,
)

HOUSE, BARN, CLERK = UUID(int=1), UUID(int=2), UUID(int=9)
FIRST = dt.date(2025, 10, 1)
KNOWN = dt.date(2024, 10, 1)


@dataclass(frozen=True)
class Line:
    """A journal entry, as far as the rule reads it."""

    id: int
    effective_on: dt.date
    after: Any = None
    table_name: str = "assessment_building"
    row_id: UUID = HOUSE
    operation: str = "U"
    at: dt.datetime = dt.datetime(2025, 12, 1, tzinfo=dt.UTC)
    transaction_id: int = 0
    actor_id: UUID | None = CLERK
    reason: str = "t"


OPENED = Line(1, KNOWN, {"id": str(HOUSE), "condition": "A", "bedrooms": 3}, operation="I")


def house_on(day: dt.date, *lines: Line, conversion: Conversion | None = None) -> dict[str, Any] | None:
    """Return the house as it stood on a day."""
    return rows_on([OPENED, *lines], day, conversion=conversion).get("building", {}).get(str(HOUSE))


def observation(number: int, *, day: dt.date, list_year: int, state: str = "accepted", tx: int) -> Line:
    """Return what journals an observation of the house."""
    row = {"target_id": str(HOUSE), "observed_on": day.isoformat(), "list_year": list_year, "state": state}
    return Line(
        number, day, row, table_name="assessment_observation", row_id=UUID(int=100 + number), operation="I",
        transaction_id=tx,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen_on", "list_year", "stands_on"),
    [
        (dt.date(2025, 6, 3), 2025, dt.date(2025, 6, 3)),
        (dt.date(2025, 10, 1), 2025, dt.date(2025, 10, 1)),
        (dt.date(2025, 11, 20), 2025, dt.date(2025, 10, 1)),
        (dt.date(2025, 11, 20), 2026, dt.date(2025, 11, 20)),
        (dt.date(2025, 9, 20), 2026, dt.date(2025, 10, 2)),
    ],
)
def test_what_was_seen_stands_by_the_list_on_which_it_bears(
    seen_on: dt.date, list_year: int, stands_on: dt.date
) -> None:
    assert bears_from(seen_on, list_year) == stands_on


def test_what_is_effective_later_does_not_count_and_what_was_entered_later_does() -> None:
    november = Line(2, dt.date(2025, 11, 3), {"bedrooms": 5})
    late_report = Line(3, dt.date(2025, 9, 20), {"condition": "G"})
    assert house_on(FIRST, november, late_report) == {"id": str(HOUSE), "condition": "G", "bedrooms": 3}
    assert house_on(dt.date(2026, 10, 1), november, late_report) == {
        "id": str(HOUSE), "condition": "G", "bedrooms": 5,
    }  # fmt: skip


def test_a_correction_effective_before_the_row_was_loaded_still_corrects_it() -> None:
    assert house_on(KNOWN, Line(2, dt.date(2023, 5, 1), {"bedrooms": 4})) == {
        "id": str(HOUSE), "condition": "A", "bedrooms": 4,
    }  # fmt: skip


def test_of_two_changes_the_later_effective_one_holds_in_whatever_order_they_came() -> None:
    later = Line(2, dt.date(2025, 9, 1), {"condition": "F"})
    earlier = Line(3, dt.date(2025, 3, 1), {"condition": "G"})
    assert (house_on(FIRST, later, earlier) or {})["condition"] == "F"
    assert (house_on(FIRST, earlier, later) or {})["condition"] == "F"


def test_field_work_of_a_list_counts_for_it_although_it_was_done_in_november() -> None:
    seen_on = dt.date(2025, 11, 20)
    change = Line(3, seen_on, {"bedrooms": 4}, transaction_id=7)
    for_this = observation(2, day=seen_on, list_year=2025, tx=7)
    for_next = observation(2, day=seen_on, list_year=2026, tx=7)
    assert (house_on(FIRST, for_this, change) or {})["bedrooms"] == 4
    assert (house_on(FIRST, for_next, change) or {})["bedrooms"] == 3
    assert (house_on(dt.date(2026, 10, 1), for_next, change) or {})["bedrooms"] == 4


def test_a_decision_taken_back_takes_back_what_bore_on_the_list() -> None:
    seen_on = dt.date(2025, 11, 20)
    seen = observation(2, day=seen_on, list_year=2025, tx=7)
    reopened = Line(
        4, dt.date(2025, 12, 1), {"state": "conflict"}, table_name=seen.table_name, row_id=seen.row_id,
        transaction_id=8,
    )  # fmt: skip
    change = Line(3, seen_on, {"bedrooms": 4}, transaction_id=7)
    back = Line(5, seen_on, {"bedrooms": 3}, transaction_id=8)
    assert (house_on(FIRST, seen, change, reopened, back) or {})["bedrooms"] == 3


def test_areas_by_a_sketch_stand_from_the_day_of_the_sketch() -> None:
    drawn = Line(
        2, dt.date(2025, 9, 12), {"id": "s"}, table_name="assessment_section", row_id=BARN, operation="I",
        transaction_id=5,
    )  # fmt: skip
    areas = Line(3, dt.date(2025, 12, 1), {"living_area_sqft": 1900}, transaction_id=5, reason=AREAS_REASON)
    assert (house_on(FIRST, drawn, areas) or {})["living_area_sqft"] == 1900


def test_a_row_torn_down_later_still_stood_and_one_built_later_did_not() -> None:
    gone = Line(2, dt.date(2025, 11, 1), operation="D")
    barn = Line(3, dt.date(2025, 11, 1), {"id": str(BARN)}, row_id=BARN, operation="I")
    rows = rows_on([OPENED, gone, barn], FIRST)["building"]
    assert set(rows) == {str(HOUSE)}
    assert set(rows_on([OPENED, gone, barn], dt.date(2025, 11, 1))["building"]) == {str(BARN)}


def test_what_a_conversion_loaded_stood_on_the_first_list() -> None:
    loaded = Line(2, dt.date(2025, 12, 1), {"condition": "G"}, actor_id=None)
    of_a_file = Line(3, dt.date(2025, 12, 1), {"bedrooms": 4}, reason="import of cards.csv")
    by_hand = Line(4, dt.date(2025, 12, 1), {"style": "Cape"})
    expected = {"id": str(HOUSE), "condition": "G", "bedrooms": 4}
    whole = (loaded, of_a_file, by_hand)
    for until in (None, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)):
        assert house_on(FIRST, *whole, conversion=Conversion(FIRST, until)) == expected
    before = Conversion(FIRST, dt.datetime(2025, 11, 1, tzinfo=dt.UTC))
    assert house_on(FIRST, *whole, conversion=before) == OPENED.after
