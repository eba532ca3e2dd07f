"""Tables leave as rows and come back the same."""

from __future__ import annotations

import json

import pytest

from tests.valuation.cost.test_land_lines import LAND
from valuation.cost.rules import Schedule
from valuation.schedules.rows import RowsRefused, as_csv, changed_rows, from_csv, rows_of, with_rows

PLAIN = json.loads(json.dumps(LAND.as_json()))


def test_tables_survive_a_trip_through_csv() -> None:
    back = with_rows(PLAIN, from_csv(as_csv(PLAIN)))
    assert Schedule.from_json(back) == LAND
    assert changed_rows(PLAIN, back) == []


def test_a_table_that_is_named_is_replaced_and_the_others_stay() -> None:
    after = with_rows(
        PLAIN, [("factors.grade", "C", 1.0), ("factors.grade", "A", 1.5), ("primary_sqft", "", 20_000)]
    )
    assert after["factors"]["grade"] == {"C": 1.0, "A": 1.5}
    assert after["factors"]["condition"] == PLAIN["factors"]["condition"]
    assert changed_rows(PLAIN, after) == [
        ("Primary site up to, square feet", "", "43,560", "20,000"),
        ("Factors of grade", "B", "1.2", ""),
        ("Factors of grade", "A", "", "1.5"),
    ]


def test_points_come_back_in_rising_order() -> None:
    after = with_rows(PLAIN, [("percent_good", "50", 0.4), ("percent_good", "0", 1.0)])
    assert after["percent_good"] == [[0.0, 1.0], [50.0, 0.4]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "first line"),
        ("table,level,amount\nland,5000,much\n", "line 2"),
        ("table,level,amount\nland,5000\n", "2 cells"),
        ("table,level,amount\n", "no rows"),
        ("table,level,amount\ncastle,x,1\n", "no table"),
        ("table,level,amount\nland,wide,1\n", "Lot-size"),
        ("table,level,amount\nbase_rate,Ranch,1\nbase_rate,Ranch,2\n", "twice"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(RowsRefused, match=words):
        with_rows(PLAIN, from_csv(text))


def test_every_table_of_a_schedule_has_rows() -> None:
    named = {table for table, _, _ in rows_of(PLAIN)}
    tables = {
        name if name not in PLAIN["factors"] else f"factors.{name}"
        for name, table in LAND.tables().items()
        if table
    }
    assert tables <= named
