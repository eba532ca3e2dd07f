"""Fresh planner statistics after a bulk import.

Right after 20,000 rows came into an empty table the planner still believes it empty, and joins by nested
loops over whole tables: counting unplaced properties took 250 s instead of 0.05. Autovacuum notices after
a minute; the import cannot wait. ANALYZE needs the owner's right, hence the function.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

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

IMPORTED_TABLES: Final = (
    "gis_parcel",
    "gis_parcelproperty",
    "assessment_property",
    "assessment_propertyalias",
)


def analyze(tables: tuple[str, ...] = IMPORTED_TABLES) -> None:
    """Refresh the planner's statistics of `tables`, inside the running transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT grandlist_analyze(%s)", [list(tables)])
