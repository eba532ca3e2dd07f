"""Many rows in one statement: what comes back is what was given, however it is spelt."""

from __future__ import annotations

import datetime as dt
import gc
from decimal import Decimal
from typing import Any

import pytest

from assessment.property.bulk import insert_rows, rare_collection, update_rows
from assessment.property.models import Building, JournalEntry, Owner, Ownership, Property
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.scope import scope
from tests.cast import SYSTEM

pytestmark = pytest.mark.django_db

ODD_TEXTS = (
    "",
    " ",
    "NULL",
    "null",
    'said "no"',
    "back\\slash",
    'both \\" of them',
    "{braces}",
    "a,comma",
    "O'BRIEN",
    "%s and %(name)s",
    "two\nlines",
    "\ttab",
    "Ångström 東京 🏠",
    "\\N",
)


@pytest.fixture
def town_code() -> int:
    """A town in whose scope nothing has been written."""
    return Town.objects.values_list("code", flat=True).order_by("code")[0]


def property_row(town_code: int, n: int, **values: Any) -> dict[str, Any]:
    """What an insert needs at least."""
    return {"id": new_id(), "town_id": town_code, "account_number": f"{n:06d}", **values}


def test_texts_come_back_as_they_were_given(town_code: int) -> None:
    rows = [property_row(town_code, n, address=text) for n, text in enumerate(ODD_TEXTS)]
    with scope(SYSTEM, towns=[town_code], reason="test"):
        assert insert_rows(Property, rows) == len(ODD_TEXTS)
        held = dict(Property.objects.values_list("account_number", "address"))
    assert held == {row["account_number"]: row["address"] for row in rows}


def test_each_kind_of_value_comes_back(town_code: int) -> None:
    rows = [
        property_row(
            town_code,
            1,
            total_acres=Decimal("0.2500"),
            land_sqft=None,
            location_x_ft=1_012_345.678901,
            user_fields={"1": 'a "b" \\ {c}', "2": "é"},
            is_retired=True,
        ),
        property_row(town_code, 2, total_acres=None, land_sqft=2**40, location_x_ft=None, user_fields={}),
    ]
    names = ("id", "total_acres", "land_sqft", "location_x_ft", "user_fields", "is_retired")
    with scope(SYSTEM, towns=[town_code], reason="test"):
        insert_rows(Property, rows)
        held = list(Property.objects.order_by("account_number").values(*names))
    assert held == [
        {"is_retired": False, **{name: row[name] for name in names if name in row}} for row in rows
    ]


def test_days_come_back_and_rows_that_state_no_id_get_one_each(town_code: int) -> None:
    day = dt.date(1850, 2, 28)
    with scope(SYSTEM, towns=[town_code], reason="test"):
        account = property_row(town_code, 1)
        insert_rows(Property, [account])
        owners = [{"id": new_id(), "town_id": town_code, "name": name} for name in ("A", "B")]
        insert_rows(Owner, owners)
        begun = {"town_id": town_code, "property_id": account["id"]}
        insert_rows(
            Ownership,
            [
                {**begun, "owner_id": owners[0]["id"], "valid_from": day, "valid_to": dt.date(9999, 12, 31)},
                {**begun, "owner_id": owners[1]["id"], "valid_from": day + dt.timedelta(1), "valid_to": None},
            ],
        )
        held = Ownership.objects.order_by("valid_from").values_list("id", "valid_from", "valid_to")
        first, second = held
    assert first[1:] == (day, dt.date(9999, 12, 31))
    assert second[1:] == (day + dt.timedelta(1), None)
    assert len({first[0], second[0], account["id"]}) == 3


def test_an_update_sets_what_is_given_and_nothing_else(town_code: int) -> None:
    rows = [property_row(town_code, n, address=f"{n} ELM ST", zoning="R-1") for n in range(3)]
    with scope(SYSTEM, towns=[town_code], reason="test"):
        insert_rows(Property, rows)
        changed = [{**row, "address": text} for row, text in zip(rows, ('"', "\\", "NULL"), strict=True)]
        assert update_rows(Property, changed, ["address"]) == 3
        held = Property.objects.order_by("account_number").values_list("address", "zoning")
        assert list(held) == [('"', "R-1"), ("\\", "R-1"), ("NULL", "R-1")]


def test_the_journal_holds_each_row_once_with_its_property(town_code: int) -> None:
    with scope(SYSTEM, towns=[town_code], reason="test"):
        account = property_row(town_code, 1, address='5 "MAIN" ST')
        insert_rows(Property, [account])
        stated = {"town_id": town_code, "property_id": account["id"], "year_built": 1900}
        insert_rows(Building, [{**stated, "building_number": n} for n in (1, 2)])
        buildings = set(Building.objects.values_list("id", flat=True))
        Building.objects.filter(building_number=2).delete()
        entries = JournalEntry.objects.filter(town_id=town_code, property_id=account["id"]).order_by("id")
        held = [(e.table_name, e.operation, e.row_id, e.before or {}, e.after or {}) for e in entries]
    assert [row[:2] for row in held] == [
        ("assessment_property", "I"),
        ("assessment_building", "I"),
        ("assessment_building", "I"),
        ("assessment_building", "D"),
    ]
    assert held[0][4]["address"] == '5 "MAIN" ST'
    assert {row[2] for row in held[1:3]} == buildings
    assert all(row[3] == {} and row[4]["year_built"] == 1900 for row in held[1:3])
    assert held[3][3]["building_number"] == 2
    assert held[3][4] == {}
    assert len({entry.transaction_id for entry in entries}) == 1


def test_the_collector_works_as_before_when_the_rows_are_written() -> None:
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), rare_collection():
        assert gc.get_threshold() != before
        _ = 1 / 0
    assert gc.get_threshold() == before
