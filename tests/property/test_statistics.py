"""The planner learns of an import at once, and only of tables that it changed noticeably."""

from __future__ import annotations

from django.db import connection

from assessment.property.bulk import insert_rows
from assessment.property.models import Building, Complex, Property
from assessment.property.statistics import analyze_after, analyze_grown, reading_whole_town
from assessment.region.ids import new_id
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A, Cast, make_cast
from tests.databases import TestDatabase


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


def test_a_town_that_joins_a_large_region_is_made_known_though_it_is_a_small_share(
    committed_db: TestDatabase,
) -> None:
    # A database of its own: what ANALYZE believes of a table is not taken back with the transaction.
    make_cast()
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        insert_rows(
            Property, [{"id": new_id(), "town_id": TOWN_A, "account_number": str(n)} for n in range(21_000)]
        )
        analyze_after({Property: 21_000})
        assert believed("assessment_property") >= 21_000
        assert analyze_after({Property: 1_999}) == ()
        assert analyze_after({Property: 2_000}) == ("assessment_property",)


def test_a_whole_town_is_read_without_nested_loops_and_what_follows_as_the_planner_likes(cast: Cast) -> None:
    joined = (
        "EXPLAIN SELECT 1 FROM assessment_property p LEFT JOIN "
        "(SELECT property_id, count(*) FROM assessment_landline WHERE town_id = 1 GROUP BY 1) l ON l.property_id = p.id"
    )

    def plan() -> str:
        with connection.cursor() as cursor:
            cursor.execute(joined)
            return "\n".join(row[0] for row in cursor.fetchall())

    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        with reading_whole_town():
            assert "Nested Loop" not in plan()
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_nestloop")
            assert cursor.fetchone() == ("on",)


def test_an_import_that_changed_nothing_analyses_nothing(cast: Cast) -> None:
    assert analyze_after({Property: 0, Building: 0}) == ()


def test_a_table_that_many_small_pieces_filled_is_analysed_when_it_has_grown(cast: Cast) -> None:
    # Complexes: hardly a test has any, and what other tests have undone still lies in a table's file.
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        analyze_grown(Complex)
        for first in range(0, 8000, 400):
            row = {"name": "x" * 100, "address": "y" * 150, "town_id": TOWN_A}
            insert_rows(Complex, [{"id": new_id(), "code": str(n), **row} for n in range(first, first + 400)])
        # Other tests may have let the buildings' file grow too.
        assert "assessment_complex" in analyze_grown(Complex, Building)
        assert believed("assessment_complex") >= 8000
        assert analyze_grown(Complex, Building) == ()
