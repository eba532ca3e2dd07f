"""Which fields people changed since they were imported: the journal knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from assessment.property.rules.standing import IMPORT_REASON as IMPORT_REASON

_SQL = """
SELECT row_id, array_agg(DISTINCT name)
FROM assessment_journalentry, LATERAL jsonb_object_keys(after) AS name
WHERE town_id = %s AND row_id = ANY(%s) AND operation = 'U' AND reason NOT LIKE %s
GROUP BY row_id
"""


def edited_fields(town_code: int, row_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    """Return, for rows of the record, the columns that were updated by anything but an import."""
    if not row_ids:
        return {}
    found: dict[UUID, frozenset[str]] = defaultdict(frozenset)
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [town_code, list(row_ids), f"{IMPORT_REASON}%"])
        for row_id, names in cursor.fetchall():
            found[row_id] = frozenset(names)
    return found
