"""Fresh planner statistics after a bulk import, and reads of whole towns that do not depend on them.

Right after 20,000 rows came into an empty table the planner still believes it empty, and joins by nested
loops over whole tables: counting unplaced properties took 250 s instead of 0.05. Autovacuum notices after
a minute; whoever opens the next page cannot wait. ANALYZE needs the owner's right, hence the function.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from django.db import connection, models

FUNCTION_SQL: Final = """
CREATE OR REPLACE FUNCTION grandlist_analyze(tables text[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY tables LOOP
    EXECUTE format('ANALYZE public.%I', name);
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION grandlist_analyze(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION grandlist_analyze(text[]) TO grandlist_app;
"""
DROP_SQL: Final = "DROP FUNCTION IF EXISTS grandlist_analyze(text[]);"

# As autovacuum has it: a tenth of the rows the planner knows of, and more than a handful.
_SHARE: Final = 0.1
_AT_LEAST: Final = 500
# A town that joins a large region is a small share of its rows, and still the planner must know of it: else it
# expects none for that town. To analyse a table costs under a second, however large it is.
_ALWAYS: Final = 2_000

# The count that the planner goes by; a table never analysed says -1.
_BELIEVED_SQL = "SELECT relname, reltuples FROM pg_class WHERE oid = ANY(%s::regclass[])"


# What is in a table's file by now, against what the planner last saw of it. Some pages are read at no cost.
_GROWN_SQL = """
SELECT relname FROM pg_class
WHERE oid = ANY(%s::regclass[]) AND pg_relation_size(oid) > 2 * (relpages + 10) * current_setting('block_size')::bigint
"""


def analyze(tables: tuple[str, ...]) -> None:
    """Refresh the planner's statistics of `tables`; inside a transaction, with what it has written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT grandlist_analyze(%s)", [list(tables)])


def analyze_after(written: Mapping[type[models.Model], int]) -> tuple[str, ...]:
    """Refresh the statistics of the tables of which an import wrote a noticeable share, or a town's worth.

    Call it when the import's transaction has ended: ANALYZE keeps its lock until the end of its own.

    Parameters
    ----------
    written
        By model, how many rows were inserted or updated.

    Returns
    -------
    tuple of str
        The tables that were analysed.
    """
    rows = {model._meta.db_table: count for model, count in written.items() if count >= _AT_LEAST}
    if not rows:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(_BELIEVED_SQL, [list(rows)])
        stale = tuple(
            sorted(
                name
                for name, believed in cursor.fetchall()
                if rows[name] > believed * _SHARE or rows[name] >= _ALWAYS
            )
        )
    if stale:
        analyze(stale)
    return stale


@contextmanager
def reading_whole_town() -> Iterator[None]:
    """Join without nested loops what is read inside, in the running transaction.

    Every row of a town is wanted, and a planner that does not know of the town yet takes it for ten rows: the
    facts of 2,000 properties took 2 s, those of 20,000 three minutes. Hashing is right however many there are.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield
        # An error in between ends the transaction or its savepoint, and the setting with it.
        cursor.execute("SET LOCAL enable_nestloop = on")


def analyze_grown(*models_: type[models.Model]) -> tuple[str, ...]:
    """Refresh the statistics of tables that have more than doubled since they were last taken.

    For tables that many small pieces of work fill, none of which is a noticeable share. Call it outside of a
    transaction, as `analyze_after`. Returns the tables that were analysed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GROWN_SQL, [[model._meta.db_table for model in models_]])
        grown = tuple(sorted(name for (name,) in cursor.fetchall()))
    if grown:
        analyze(grown)
    return grown
