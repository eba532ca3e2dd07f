"""Sixteen writers, readers every 5 ms, and kills of sessions, processes and the server: nothing is missed.

A few seconds of what `make bench ARGS=feed` does for a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests.cast import TOWN_A, make_cast
from tests.databases import TestDatabase, point_django_at
from tests.faults.feed_trial import Plan, Reader, run_trial
from tests.faults.scratch import scratch_server
from tests.fieldsync.conftest import build_houses, draw

HOUSES = 120


@pytest.fixture
def scratch(
    database_template: tuple[Any, str], django_db_setup: TestDatabase, django_db_blocker: DjangoDbBlocker
) -> Iterator[TestDatabase]:
    """A server that may be killed."""
    with django_db_blocker.unblock():
        try:
            with scratch_server(database_template) as database:
                yield database
        finally:
            point_django_at(django_db_setup)


@pytest.fixture
def plan(scratch: TestDatabase, tmp_path: Path) -> Plan:
    """Three packages that overlap, read while four writers a core write."""
    make_cast()
    return make_plan(scratch, tmp_path, HOUSES)


def make_plan(database: TestDatabase, folder: Path, count: int) -> Plan:
    """Build a town and three overlapping packages, and plan a trial of them."""
    houses = build_houses(TOWN_A, count)
    third = count // 3
    shares = [houses[: 2 * third], houses[third:], houses[third // 2 : -third // 2]]
    packages = {str(draw(share, None).id): {str(h.property_id) for h in share} for share in shares}
    pairs = [(str(house.property_id), str(house.building_id)) for house in houses]
    return Plan(database.cluster, database.name, TOWN_A, pairs, packages, folder)


def test_no_change_is_missed_lost_or_made_up_while_writers_and_the_server_are_killed(plan: Plan) -> None:
    plan.seconds, plan.every_s = 4, 0.7
    plan.kills = ("backends", "writer", "postgres", "backends", "writer", "immediately")
    verdict = run_trial(plan)
    assert verdict.troubles == [], str(verdict)
    assert verdict.kills["postgres"] >= 1
    assert verdict.kills["immediately"] >= 1
    assert verdict.acknowledged > 20
    assert verdict.commits >= verdict.acknowledged


def test_the_trial_finds_a_feed_that_numbers_before_it_locks(plan: Plan, scratch: TestDatabase) -> None:
    """The same trial, of a feed whose numbers come from a sequence: it must be seen to lose."""
    with scratch.connect("grandlist_owner") as owner:
        owner.execute("CREATE SEQUENCE naive START 1000000")
        owner.execute("GRANT USAGE ON SEQUENCE naive TO PUBLIC")
        owner.execute(NAIVE_SQL)
    plan.seconds = 3
    verdict = run_trial(plan)
    assert verdict.missed != []


NAIVE_SQL = """
CREATE OR REPLACE FUNCTION fieldsync_number_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM set_config('grandlist.feed_queued_' || NEW.town_id, '', true),
          set_config('grandlist.read_towns', NEW.town_id::text, true),
          set_config('grandlist.write_towns', NEW.town_id::text, true);
  UPDATE fieldsync_packagerecord r SET seq = nextval('naive')
  WHERE r.town_id = NEW.town_id AND r.record_id IN (
    SELECT j.property_id FROM assessment_journalentry j
    WHERE j.town_id = NEW.town_id AND j.transaction_id = NEW.transaction_id);
  RETURN NULL;
END $$
"""


def test_a_reader_that_was_passed_over_knows_it() -> None:
    reader = Reader.__new__(Reader)
    reader.places, reader.brought = [3, 5, 9], [{"a": 1, "b": 1}, {"a": 2}, {"b": 2}]
    assert not reader.passed_over("a", 2), "brought by the first poll"
    assert not reader.passed_over("b", 8), "replaced by 9 before the poll that brought 9"
    assert reader.passed_over("b", 4), "the second poll ended at 5 and did not bring it"
    assert reader.passed_over("a", 10), "no poll came so far"
