"""The scope of a transaction: what is stated is seen, and nothing outlives it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from assessment.property.models import Building, Code, JournalEntry, Property
from assessment.region.actors import Actor
from assessment.region.scope import because, current_scope, scope, speaking

pytestmark = pytest.mark.django_db

HAMDEN, NEW_HAVEN = 62, 93
SYSTEM = Actor.system("test")


def make_property(town_code: int, account: str = "1") -> Property:
    return Property.objects.create(town_id=town_code, account_number=account, address="1 MAIN ST")


def test_a_row_is_seen_for_its_town_only():
    with scope(SYSTEM, towns=[HAMDEN, NEW_HAVEN], reason="test"):
        make_property(HAMDEN)
        make_property(NEW_HAVEN)
    with scope(SYSTEM, towns=[HAMDEN]):
        assert list(Property.objects.values_list("town_id", flat=True)) == [HAMDEN]
    assert Property.objects.count() == 0


def test_a_row_cannot_be_written_for_a_town_that_is_not_stated():
    with pytest.raises(DatabaseError, match="row-level security"), scope(SYSTEM, towns=[HAMDEN]):
        make_property(NEW_HAVEN)


def test_a_read_only_town_is_read_and_not_written():
    with scope(SYSTEM, towns=[NEW_HAVEN], reason="test"):
        make_property(NEW_HAVEN)
    with scope(SYSTEM, towns=[HAMDEN], read_only=[NEW_HAVEN]):
        assert Property.objects.count() == 1
        assert Property.objects.filter(town_id=NEW_HAVEN).update(zoning="X") == 0


def test_a_child_cannot_hang_on_a_parent_of_another_town():
    with scope(SYSTEM, towns=[HAMDEN, NEW_HAVEN], reason="test"):
        other = make_property(NEW_HAVEN)
    with (
        pytest.raises(IntegrityError, match="in_town"),
        scope(SYSTEM, towns=[HAMDEN, NEW_HAVEN], reason="test"),
    ):
        Building.objects.create(town_id=HAMDEN, property=other)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_an_inner_scope_gives_the_outer_one_back():
    with scope(SYSTEM, towns=[HAMDEN], reason="outer"):
        with scope(SYSTEM, towns=[NEW_HAVEN], reason="inner"):
            make_property(NEW_HAVEN)
            assert Property.objects.count() == 1
        assert Property.objects.count() == 0
        assert current_scope().reason == "outer"
        make_property(HAMDEN)
        assert JournalEntry.objects.get().reason == "outer"
    assert current_scope() is None


def test_after_a_rolled_back_inner_scope_the_outer_one_is_in_force():
    with scope(SYSTEM, towns=[HAMDEN], reason="outer"):
        with pytest.raises(ZeroDivisionError), scope(SYSTEM, towns=[NEW_HAVEN]):
            1 / 0  # noqa: B018
        make_property(HAMDEN)
        assert Property.objects.count() == 1


class TestJournal:
    def test_an_update_tells_who_when_why_before_and_after(self):
        with scope(SYSTEM, towns=[HAMDEN], reason="import"):
            made = make_property(HAMDEN)
            with because("zoning map of 2025", effective_on=dt.date(2025, 10, 1)):
                Property.objects.filter(id=made.id).update(zoning="R2")
            entry = JournalEntry.objects.get(operation="U")
        assert (entry.actor_name, entry.reason, entry.effective_on) == (
            "system: test", "zoning map of 2025", dt.date(2025, 10, 1)
        )  # fmt: skip
        assert (entry.before, entry.after) == ({"zoning": ""}, {"zoning": "R2"})
        assert entry.property_id == made.id

    def test_bulk_sql_is_journaled_row_by_row(self):
        with scope(SYSTEM, towns=[HAMDEN], reason="test"):
            Property.objects.bulk_create([Property(town_id=HAMDEN, account_number=str(n)) for n in range(50)])
            with connection.cursor() as cursor:
                cursor.execute("UPDATE assessment_property SET zoning = 'C1' WHERE account_number::int < 20")
                cursor.execute("DELETE FROM assessment_property WHERE account_number::int >= 45")
            counts = [JournalEntry.objects.filter(operation=op).count() for op in "IUD"]
        assert counts == [50, 20, 5]

    def test_an_update_that_changes_nothing_leaves_no_entry(self):
        with scope(SYSTEM, towns=[HAMDEN], reason="test"):
            made = make_property(HAMDEN)
            Property.objects.filter(id=made.id).update(address="1 MAIN ST")
            assert JournalEntry.objects.filter(operation="U").count() == 0

    def test_a_change_by_nobody_is_refused(self):
        with scope(SYSTEM, towns=[HAMDEN], reason="test"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('grandlist.actor_name', '', true)")
            with pytest.raises(DatabaseError, match="who acts"), transaction.atomic():
                Code.objects.create(town_id=HAMDEN, table="use", code="101")

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE assessment_journalentry SET reason = 'x'",
            "DELETE FROM assessment_journalentry",
            "TRUNCATE assessment_journalentry",
            "INSERT INTO assessment_journalentry (town_id) VALUES (62)",
            "ALTER TABLE assessment_property DISABLE TRIGGER ALL",
            "ALTER TABLE assessment_property DISABLE ROW LEVEL SECURITY",
            "DROP TRIGGER journal_update ON assessment_property",
            "SET session_replication_role = replica",
        ],
    )
    def test_the_application_cannot_alter_the_journal_or_its_triggers(self, sql):
        with scope(SYSTEM, towns=[HAMDEN], reason="test"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql)

    def test_the_id_and_the_town_of_a_record_never_change(self):
        with scope(SYSTEM, towns=[HAMDEN, NEW_HAVEN], reason="test"):
            make_property(HAMDEN)
            with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
                Property.objects.update(town_id=NEW_HAVEN)


def test_speaking_states_who_and_why_and_puts_it_back_without_a_savepoint():
    collector = Actor(person_id=None, name="Cora Collector")
    with scope(SYSTEM, towns=[HAMDEN], reason="outer"):
        with speaking(actor=collector, reason="inner", effective_on=dt.date(2026, 10, 1)):
            made = make_property(HAMDEN)
        Property.objects.filter(id=made.id).update(zoning="X")
        said = JournalEntry.objects.filter(row_id=made.id).order_by("id")
        assert list(said.values_list("actor_name", "reason")) == [
            ("Cora Collector", "inner"),
            ("system: test", "outer"),
        ]
        first = said.first()
        assert first is not None
        assert first.effective_on == dt.date(2026, 10, 1)
    with pytest.raises(RuntimeError, match="nobody acts"), speaking(reason="x"):
        pass
