"""The walls as PostgreSQL knows them: read from its catalogue, not from our models."""

from __future__ import annotations

import pytest
from django.db import connection

from assessment.region.short_list import UNWALLED_TABLES

pytestmark = pytest.mark.django_db

TABLES_SQL = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, r.rolname AS owner
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""


def rows(sql: str, *params: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def walled_tables() -> list[str]:
    return [name for name, *_ in rows(TABLES_SQL) if name not in UNWALLED_TABLES]


def test_the_application_role_cannot_pass_the_walls():
    ((name, is_super, bypasses, creates_roles),) = rows(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    assert (name, is_super, bypasses, creates_roles) == ("grandlist_app", False, False, False)
    assert (
        rows(
            "SELECT r.rolname FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER') AND r.rolname <> current_user"
        )
        == []
    )


def test_the_application_role_owns_nothing():
    assert (
        rows(
            "SELECT relname FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
        )
        == []
    )


def test_every_table_is_behind_forced_walls_or_on_the_short_list():
    found = rows(TABLES_SQL)
    assert len(found) > 20
    open_tables = [
        n for n, enabled, forced, _ in found if n not in UNWALLED_TABLES and not (enabled and forced)
    ]
    assert open_tables == []
    assert set(UNWALLED_TABLES) - {n for n, *_ in found} == set(), (
        "the short list names tables that do not exist"
    )


def test_every_walled_table_has_a_town_that_is_never_null():
    having = {
        name
        for (name,) in rows(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND column_name = 'town_id' AND is_nullable = 'NO' AND data_type = 'smallint'"
        )
    }
    assert [t for t in walled_tables() if t not in having] == []


def test_every_policy_reads_the_stated_towns_and_nothing_else():
    exceptions = {("assessment_roleassignment", "own_roles")}
    policies = rows(
        "SELECT tablename, policyname, cmd, qual, with_check, roles::text[] FROM pg_policies WHERE schemaname = 'public'"
    )
    reads, inserts = set(), set()
    for table, name, command, using, check, roles in policies:
        if roles == ["grandlist_search"]:
            continue  # its functions filter by the stated towns themselves, and are tested one by one
        if (table, name) not in exceptions:
            for clause in filter(None, (using, check)):
                wanted = "grandlist_read_towns()" if command == "SELECT" else "grandlist_write_towns()"
                assert "town_id = ANY" in clause, (table, name)
                assert wanted in clause, (table, name)
                assert " OR " not in clause, (table, name)
        reads |= {table} if command in ("SELECT", "ALL") else set()
        inserts |= {table} if command in ("INSERT", "ALL") else set()
    assert set(walled_tables()) - reads == set()
    assert set(walled_tables()) - inserts == set()


def test_every_reference_between_walled_tables_holds_the_town_too():
    references = rows(
        """
        SELECT con.conrelid::regclass::text, con.confrelid::regclass::text,
               array(SELECT attname::text FROM pg_attribute WHERE attrelid = con.conrelid AND attnum = ANY (con.conkey))
        FROM pg_constraint con JOIN pg_namespace n ON n.oid = con.connamespace
        WHERE con.contype = 'f' AND n.nspname = 'public'
        """
    )
    walled = set(walled_tables())
    crossing = [
        (t, to, cols) for t, to, cols in references if t in walled and to in walled and "town_id" not in cols
    ]
    assert crossing == []
    assert sum(t in walled and to in walled for t, to, _ in references) > 15


def test_every_reference_in_the_models_is_held_by_the_database():
    from django.apps import apps
    from django.db.models import ForeignKey

    held = {
        (table, column)
        for table, columns in rows(
            """
            SELECT con.conrelid::regclass::text,
                   array(SELECT attname::text FROM pg_attribute WHERE attrelid = con.conrelid AND attnum = ANY (con.conkey))
            FROM pg_constraint con WHERE con.contype = 'f'
            """
        )
        for column in columns
    }
    missing = [
        (model._meta.db_table, field.column)
        for label in ("assessment", "gis", "valuation", "fieldsync")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey) and (model._meta.db_table, field.column) not in held
    ]
    assert missing == []


def test_with_no_scope_no_walled_table_shows_or_takes_a_row():
    for table in walled_tables():
        assert rows(f'SELECT count(*) FROM "{table}"') == [(0,)], table


def test_functions_that_run_as_another_role_fix_their_search_path():
    loose = rows(
        """
        SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public' AND p.prosecdef
          AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%%')
        """
    )
    assert loose == []
