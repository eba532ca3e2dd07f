"""What a database holds: a count and a hash for each table, and its walls, rights and triggers as text.

Taken of the original and of the restored copy, and compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

# Whatever the server's own settings are, the same row must have the same text.
_PLAIN_TEXT = """
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'
"""
# Expressions of constraints and indexes are left out: PostgreSQL prints the same one differently after a restore.
_STRUCTURE = {
    "walls": """
        SELECT format('%s rls=%s forced=%s owner=%s', c.relname, c.relrowsecurity, c.relforcerowsecurity,
                      c.relowner::regrole)
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1""",
    "policies": """
        SELECT format('%s.%s %s %s to %s using %s check %s', tablename, policyname, permissive, cmd, roles, qual,
                      with_check)
        FROM pg_policies WHERE schemaname = 'public' ORDER BY 1""",
    "rights": """
        SELECT format('%s %s %s %s', c.relname, coalesce(a.grantee::regrole::text, 'everybody'), a.privilege_type,
                      a.is_grantable)
        FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'S', 'v') ORDER BY 1""",
    "triggers": """
        SELECT format('%s %s', tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT tgisinternal ORDER BY 1""",
    "constraints": """
        SELECT format('%s %s %s (%s) to %s validated=%s deferrable=%s', conrelid::regclass, conname, contype,
                      (SELECT string_agg(attname, ', ' ORDER BY attname) FROM pg_attribute
                       WHERE attrelid = conrelid AND attnum = ANY (conkey)),
                      nullif(confrelid, 0)::regclass, convalidated, condeferrable)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 ORDER BY 1""",
    "indexes": """
        SELECT format('%s %s (%s) unique=%s valid=%s partial=%s', i.indexrelid::regclass, a.amname,
                      (SELECT string_agg(attname, ', ' ORDER BY attname) FROM pg_attribute
                       WHERE attrelid = i.indrelid AND attnum = ANY (i.indkey)),
                      i.indisunique, i.indisvalid, i.indpred IS NOT NULL)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
        WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1""",
    "functions": """
        SELECT format('%s owner=%s definer=%s %s', p.oid::regprocedure, p.proowner::regrole, p.prosecdef,
                      md5(p.prosrc))
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1""",
}


@dataclass(frozen=True)
class TableSurvey:
    """Rows of one table: how many, and the sum of their hashes, which does not depend on their order."""

    rows: int
    hash: str


@dataclass(frozen=True)
class Survey:
    """What one database holds."""

    tables: dict[str, TableSurvey]
    structure: dict[str, list[str]]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())


def take_survey(connection: psycopg.Connection) -> Survey:
    """Survey the database of a connection that sees past the walls, in its current transaction."""
    connection.execute(_PLAIN_TEXT)
    names = [
        name
        for (name,) in connection.execute(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
    ]
    tables = {}
    for name in names:
        row = connection.execute(
            sql.SQL(
                "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} t"
            ).format(sql.Identifier("public", name))
        ).fetchone()
        assert row is not None
        tables[name] = TableSurvey(rows=row[0], hash=row[1])
    structure = {
        kind: [str(text) for (text,) in connection.execute(query)] for kind, query in _STRUCTURE.items()
    }
    return Survey(tables=tables, structure=structure)


def compare_surveys(original: Survey, copy: Survey) -> list[str]:
    """Return one line for each difference; none means that the copy is the original."""
    differences = []
    for name in sorted({*original.tables, *copy.tables}):
        before, after = original.tables.get(name), copy.tables.get(name)
        if before is None or after is None:
            differences.append(f"table {name} is only in the {'copy' if before is None else 'backup'}")
        elif before.rows != after.rows:
            differences.append(f"table {name} has {after.rows} rows instead of {before.rows}")
        elif before.hash != after.hash:
            differences.append(f"table {name} has other contents")
    for kind, lines in original.structure.items():
        found = copy.structure.get(kind, [])
        differences += [f"{kind}: missing: {line[:160]}" for line in lines if line not in found]
        differences += [f"{kind}: added: {line[:160]}" for line in found if line not in lines]
    return differences
