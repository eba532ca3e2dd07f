"""A whole town is read in a time that goes with its properties, whatever the planner knows of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection

from tests.valuation.runs.conftest import HOUSES, Bureau
from valuation.review.evidence import sold_conclusions
from valuation.review.factors import Area, list_areas, preview_factor
from valuation.runs import reading

pytestmark = pytest.mark.django_db


def plans_of(read: Callable[[], Any]) -> list[str]:
    """Return how the database goes about each query that joins tables."""
    plans: list[str] = []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "JOIN" in sql and not sql.startswith("EXPLAIN"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        read()
    return plans


@pytest.mark.parametrize("read", [reading.facts_frame, reading.features_frame, reading.land_lines_frame])
def test_facts_that_the_planner_has_not_heard_of_are_not_joined_row_by_row(
    bureau: Bureau, read: Callable[[int], Any]
) -> None:
    (plan,) = plans_of(lambda: read(bureau.town.code))
    assert "Nested Loop" not in plan
    assert len(reading.facts_frame(bureau.town.code)) > HOUSES


def test_values_of_a_run_that_the_planner_has_not_heard_of_are_not_joined_row_by_row(bureau: Bureau) -> None:
    run = bureau.run()
    plans = [
        *plans_of(lambda: list_areas(run)),
        *plans_of(lambda: preview_factor(run, area=Area("N1"), factor=Fraction(11, 10), effect=False)),
        *plans_of(lambda: sold_conclusions(run)),
    ]
    assert len(plans) == 4
    assert [plan for plan in plans if "Nested Loop" in plan] == []
