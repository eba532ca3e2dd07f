"""The planner learns of an import at once, and only of tables that it changed noticeably."""

from __future__ import annotations

from django.db import connection

from assessment.property.bulk import insert_rows
from assessment.property.models import Building, Property
from assessment.property.statistics import analyze_after
from assessment.region.ids import new_id
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A, Cast


def believed(table: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
        return float(cursor.fetchone()[0])


def test_a_table_that_an_import_filled_is_analysed_once(cast: Cast) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        insert_rows(
            Property, [{"id": new_id(), "town_id": TOWN_A, "account_number": str(n)} for n in range(600)]
        )
        assert analyze_after({Property: 600, Building: 3}) == ("assessment_property",)
        assert believed("assessment_property") >= 600
        assert analyze_after({Property: 50, Building: 0}) == ()


def test_an_import_that_changed_nothing_analyses_nothing(cast: Cast) -> None:
    assert analyze_after({Property: 0, Building: 0}) == ()
