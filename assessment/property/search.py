"""Finding properties as one types: by address, account, identifier or owner, behind the walls.

With forced row-level security PostgreSQL uses no trigram index and, since LIKE is not leakproof either, no
prefix index: at 380,000 properties a search would read them all. So it goes through one function of a
role that nobody can sign in as. The function filters by the towns that the transaction states, and keeps
the names of confidential owners out of the search in towns where the caller may not see them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from assessment.property.models import Ownership, Property
from assessment.region.actors import Actor
from assessment.region.rules import Permission

SEARCH_ROLE: Final = "grandlist_search"
FUNCTION: Final = "grandlist_search_properties"
_SIGNATURE = f"{FUNCTION}(text, integer, smallint[])"
MATCHES: Final = {
    1: "account",
    2: "identifier",
    3: "address",
    4: "street",
    5: "owner",
    6: "address",
    7: "owner",
}
SUPPRESSED = "Confidential (CGS 1-217)"

_OWNER = "upper(name || ' ' || co_name)"
# The list of pending entries, which every search reads whole, is kept short: a megabyte, 2 ms.
_INDEXES = {
    "property_by_account_prefix": "assessment_property (town_id, upper(account_number) text_pattern_ops)",
    "property_by_address_prefix": "assessment_property (town_id, upper(address) text_pattern_ops)",
    "property_by_street_prefix": "assessment_property (town_id, upper(street_name) text_pattern_ops)",
    "property_by_address_part": "assessment_property USING gin (town_id, upper(address) gin_trgm_ops) WITH (gin_pending_list_limit = 1024)",
    "alias_by_prefix": "assessment_propertyalias (town_id, upper(value) text_pattern_ops)",
    "owner_by_prefix": f"assessment_owner (town_id, ({_OWNER}) text_pattern_ops)",
    "owner_by_part": f"assessment_owner USING gin (town_id, ({_OWNER}) gin_trgm_ops) WITH (gin_pending_list_limit = 1024)",
}

# Each stage is a range or trigram scan of one index for each town, in the order of the index, that stops at
# the limit: `town_id = ANY (...)` would read and sort all that fits. A later stage runs only when
# the earlier ones found too little. The upper bound of a prefix is the prefix and the highest letter.
_FUNCTION_SQL = """
CREATE OR REPLACE FUNCTION grandlist_search_properties(wanted text, most integer, open_towns smallint[])
RETURNS TABLE (property_id uuid, stage smallint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- A town just imported has no statistics yet; every stage has its index and is to use it.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  towns smallint[] := grandlist_read_towns();
  low text := upper(wanted);
  high text := upper(wanted) || U&'\\FFFF';
  parts text[] := ARRAY(SELECT '%' || p || '%' FROM regexp_split_to_table(upper(wanted), '[^[:alnum:]]+') p
                        WHERE p <> '');
  -- The index finds the two longest parts; LIKE ALL alone could not use it. Fewer than three letters make no
  -- trigram: such a search ends with the prefixes.
  longest text := (SELECT p FROM unnest(parts) p WHERE length(p) >= 5 ORDER BY length(p) DESC LIMIT 1);
  next_longest text := coalesce(
    (SELECT p FROM unnest(parts) p WHERE length(p) >= 5 ORDER BY length(p) DESC OFFSET 1 LIMIT 1), longest);
  found uuid[] := '{}';
  more uuid[];
BEGIN
  IF length(low) = 0 OR cardinality(towns) = 0 THEN RETURN; END IF;
  FOR step IN 1..7 LOOP
    EXIT WHEN cardinality(found) >= most;
    CASE step
    WHEN 1 THEN
      SELECT array_agg(id) INTO more FROM (
        SELECT s.id FROM unnest(towns) t, LATERAL (
          SELECT p.id, upper(p.account_number) AS key FROM assessment_property p
          WHERE p.town_id = t AND upper(p.account_number) ~>=~ low AND upper(p.account_number) ~<~ high
          ORDER BY upper(p.account_number) USING ~<~ LIMIT most) s
        ORDER BY s.key USING ~<~ LIMIT most) r;
    WHEN 2 THEN
      SELECT array_agg(id) INTO more FROM (
        SELECT s.id FROM unnest(towns) t, LATERAL (
          SELECT a.property_id AS id, upper(a.value) AS key FROM assessment_propertyalias a
          WHERE a.town_id = t AND upper(a.value) ~>=~ low AND upper(a.value) ~<~ high AND a.valid_to IS NULL
          ORDER BY upper(a.value) USING ~<~ LIMIT most) s
        ORDER BY s.key USING ~<~ LIMIT most) r;
    WHEN 3 THEN
      SELECT array_agg(id) INTO more FROM (
        SELECT s.id FROM unnest(towns) t, LATERAL (
          SELECT p.id, upper(p.address) AS key FROM assessment_property p
          WHERE p.town_id = t AND upper(p.address) ~>=~ low AND upper(p.address) ~<~ high
          ORDER BY upper(p.address) USING ~<~ LIMIT most) s
        ORDER BY s.key USING ~<~ LIMIT most) r;
    WHEN 4 THEN
      SELECT array_agg(id) INTO more FROM (
        SELECT s.id FROM unnest(towns) t, LATERAL (
          SELECT p.id, upper(p.street_name) AS key FROM assessment_property p
          WHERE p.town_id = t AND upper(p.street_name) ~>=~ low AND upper(p.street_name) ~<~ high
          ORDER BY upper(p.street_name) USING ~<~ LIMIT most) s
        ORDER BY s.key USING ~<~ LIMIT most) r;
    WHEN 5 THEN
      SELECT array_agg(id) INTO more FROM (
        SELECT s.id FROM unnest(towns) t, LATERAL (
          SELECT s.property_id AS id, @OWNER@ AS key FROM assessment_owner o JOIN assessment_ownership s
            ON s.town_id = o.town_id AND s.owner_id = o.id AND s.valid_to IS NULL
          WHERE o.town_id = t AND @OWNER@ ~>=~ low AND @OWNER@ ~<~ high
            AND (NOT s.is_confidential OR s.town_id = ANY (open_towns))
          ORDER BY @OWNER@ USING ~<~ LIMIT most) s
        ORDER BY s.key USING ~<~ LIMIT most) r;
    WHEN 6 THEN
      CONTINUE WHEN longest IS NULL;
      SELECT array_agg(id) INTO more FROM (
        SELECT s.id FROM unnest(towns) t, LATERAL (
          SELECT p.id FROM assessment_property p
          WHERE p.town_id = t AND upper(p.address) LIKE longest AND upper(p.address) LIKE next_longest
            AND upper(p.address) LIKE ALL (parts)
          LIMIT most) s
        LIMIT most) r;
    ELSE
      CONTINUE WHEN longest IS NULL;
      SELECT array_agg(id) INTO more FROM (
        SELECT s.id FROM unnest(towns) t, LATERAL (
          SELECT s.property_id AS id FROM assessment_owner o JOIN assessment_ownership s
            ON s.town_id = o.town_id AND s.owner_id = o.id AND s.valid_to IS NULL
          WHERE o.town_id = t AND @OWNER@ LIKE longest AND @OWNER@ LIKE next_longest AND @OWNER@ LIKE ALL (parts)
            AND (NOT s.is_confidential OR s.town_id = ANY (open_towns)) LIMIT most) s
        LIMIT most) r;
    END CASE;
    FOR i IN 1..coalesce(cardinality(more), 0) LOOP
      CONTINUE WHEN more[i] = ANY (found);
      found := found || more[i];
      property_id := more[i];
      stage := step;
      RETURN NEXT;
      EXIT WHEN cardinality(found) >= most;
    END LOOP;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION @SIGNATURE@ FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @SIGNATURE@ TO grandlist_app;
GRANT SELECT ON assessment_property, assessment_propertyalias, assessment_owner, assessment_ownership TO @ROLE@;
ALTER FUNCTION @SIGNATURE@ OWNER TO @ROLE@;
"""

FUNCTION_SQL: Final = (
    _FUNCTION_SQL.replace("@OWNER@", _OWNER).replace("@SIGNATURE@", _SIGNATURE).replace("@ROLE@", SEARCH_ROLE)
)
REPLACE_SQL: Final = f"DROP FUNCTION IF EXISTS {_SIGNATURE};\n" + FUNCTION_SQL
SEARCH_SQL: Final = "".join(f"CREATE INDEX {name} ON {on};\n" for name, on in _INDEXES.items()) + FUNCTION_SQL
DROP_SQL: Final = f"DROP FUNCTION IF EXISTS {_SIGNATURE};\n" + "".join(
    f"DROP INDEX IF EXISTS {name};\n" for name in _INDEXES
)


@dataclass(frozen=True, slots=True)
class FoundProperty:
    """One property that a search found.

    Attributes
    ----------
    matched
        What matched: account, identifier, address, street or owner.
    owner
        The present owner, suppressed where the actor may not see a confidential one.
    """

    property_id: UUID
    town_code: int
    account_number: str
    address: str
    owner: str
    use_description: str
    matched: str


def search_properties(
    text: str, *, actor: Actor, towns: Iterable[int], limit: int = 10
) -> list[FoundProperty]:
    """Return the properties in scope that fit what was typed, best first; three queries, however many.

    Parameters
    ----------
    text
        The beginning of an account number, identifier, address, street or owner, or parts of an address
        or owner of at least three letters each.
    towns
        The towns of the scope; where the actor may not see confidential owners, they are not searched.
    """
    wanted = " ".join(text.split())[:80]
    if not wanted:
        return []
    towns = list(towns)
    open_towns = [code for code in towns if actor.may(Permission.VIEW_CONFIDENTIAL, code)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {FUNCTION}(%s, %s, %s::smallint[])", [wanted, limit, open_towns])  # noqa: S608
        stages: dict[UUID, int] = dict(cursor.fetchall())
    rows = {row.id: row for row in Property.objects.filter(id__in=stages, town_id__in=towns)}
    owners = list_owner_names(rows, open_towns=open_towns)
    return [
        FoundProperty(
            row.id, row.town_id, row.account_number, row.address, owners.get(row.id, ""),
            row.use_description or row.use_code, MATCHES[stages[row.id]],
        )
        for row in (rows[each] for each in stages if each in rows)
    ]  # fmt: skip


def list_owner_names(property_ids: Iterable[UUID], *, open_towns: Iterable[int]) -> dict[UUID, str]:
    """Return the present owner of each property; a confidential one only in ``open_towns``."""
    shown = set(open_towns)
    rows = (
        Ownership.objects.filter(property_id__in=list(property_ids), valid_to=None)
        .order_by("valid_from", "id")
        .values_list("property_id", "town_id", "is_confidential", "owner__name", "owner__co_name")
    )
    names: dict[UUID, str] = {}
    for property_id, town_code, is_confidential, name, co_name in rows:
        if is_confidential and town_code not in shown:
            names[property_id] = SUPPRESSED
        else:
            names[property_id] = f"{name} & {co_name}" if co_name else name
    return names
