"""The cards of a whole town as they stood on a day: today's rows, and rebuilt ones where the journal says so."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from assessment.property.rules.standing import (
    AREAS_REASON,
    IMPORT_REASON,
    Conversion,
    Row,
    rows_by_entry,
    rows_on,
)
from assessment.region.errors import Invalid

STANDING_TABLES = ("property", "building", "landline", "feature")
_BATCH = 2_000
_COUNTERS = ("version", "updated_at")

# An entry's own day, moved back to the first list's where a conversion loaded it; what only counts up is left out.
_CHANGES = """
WITH changes AS MATERIALIZED (
  SELECT id, property_id, row_id, operation, transaction_id, reason,
         row_number() OVER (PARTITION BY row_id ORDER BY id) AS place,
         CASE WHEN at <= %(until)s AND (actor_id IS NULL OR starts_with(reason, %(load)s))
              THEN least(effective_on, %(converted_on)s) ELSE effective_on END AS stands_on
  FROM assessment_journalentry
  WHERE town_id = %(town)s AND table_name = ANY(%(tables)s)
    AND CASE WHEN table_name = 'assessment_property' AND operation = 'U'
             THEN after - %(counters)s::text[] <> '{}'::jsonb ELSE true END
)
"""
# Wider than need be where that is cheaper to tell; never narrower: a test rebuilds every property beside it.
_TOUCHED_SQL = f"""{_CHANGES}, followed AS (
  SELECT property_id, stands_on, max(stands_on) OVER (PARTITION BY row_id ORDER BY id) AS latest_on
  FROM changes WHERE place > 1
), seen AS (
  -- Stands from another day than that on which it was seen, so its order among other changes may be another.
  SELECT property_id, list_year FROM assessment_observation
  WHERE town_id = %(town)s AND observed_on <= %(day)s
    AND observed_on NOT BETWEEN make_date(list_year - 1, 10, 2) AND make_date(list_year, 10, 1)
)
SELECT property_id FROM changes WHERE stands_on > %(day)s
UNION SELECT property_id FROM followed WHERE latest_on > stands_on
UNION SELECT property_id FROM seen WHERE make_date(list_year - 1, 10, 2) > %(day)s
UNION SELECT property_id FROM changes WHERE property_id IN (SELECT property_id FROM seen) AND place > 1
      GROUP BY property_id HAVING count(*) > 1
UNION SELECT property_id FROM changes WHERE place > 1 GROUP BY property_id
      HAVING bool_or(reason = %(areas)s) AND count(DISTINCT transaction_id) > 1
"""  # noqa: S608  texts of this module
_OPENED_SQL = f"""{_CHANGES}
SELECT property_id, stands_on FROM changes WHERE place = 1 AND operation = 'I' AND row_id = property_id
"""  # noqa: S608  texts of this module
_BEGINS_SQL = f"SELECT min(stands_on) FROM ({_OPENED_SQL}) opened"  # noqa: S608  texts of this module
_LATER_SQL = f"SELECT property_id FROM ({_OPENED_SQL}) opened WHERE stands_on > %(day)s"  # noqa: S608  texts of this module
_SINCE_SQL = """
SELECT DISTINCT property_id FROM assessment_journalentry
WHERE town_id = %(town)s AND at > %(since)s AND table_name = ANY(%(tables)s) AND property_id IS NOT NULL
"""
_ENTRIES_SQL = """
SELECT id, property_id, table_name, row_id, operation, at, effective_on, transaction_id, actor_id, reason, after
FROM assessment_journalentry
WHERE town_id = %s AND property_id = ANY(%s) AND table_name = ANY(%s)
ORDER BY property_id, id
"""


class RecordBeginsLater(Invalid):
    """The record is asked for as of a day before the town's journal begins."""

    code, title = "record-begins-later", "The record does not reach back that far"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a town's record differs, or may differ, between today and a day in the past.

    Attributes
    ----------
    rebuilt
        The properties whose rows `rows` holds; those of all others are today's.
    rows
        Rebuilt rows by table (``property``, ``building``, ``landline``, ``feature``), as the journal has them.
    differ
        How many of the rebuilt properties stood otherwise than today.
    not_yet
        Properties that were not on record yet.
    """

    town_code: int
    day: dt.date
    begins_on: dt.date
    rebuilt: Sequence[UUID] = ()
    rows: dict[str, list[Row]] = field(default_factory=dict)
    differ: int = 0
    not_yet: Sequence[UUID] = ()

    def source(self, table: str) -> tuple[str, dict[str, Any]]:
        """Return SQL that stands for a table as it was, and its parameters.

        The types are the table's own, so that a rebuilt row reads like one that is there.
        """
        key = "id" if table == "property" else "property_id"
        name = f"assessment_{table}"
        sql = (
            f"(SELECT * FROM {name} WHERE town_id = %(standing_town)s AND {key} <> ALL(%(rebuilt)s) "  # noqa: S608  tables of ours
            f"UNION ALL SELECT * FROM jsonb_populate_recordset(NULL::{name}, %(rebuilt_{table})s::jsonb))"
        )
        return sql, {
            "standing_town": self.town_code,
            "rebuilt": list(self.rebuilt),
            f"rebuilt_{table}": json.dumps(self.rows.get(table, [])),
        }


class _Entry(NamedTuple):
    id: int
    property_id: UUID
    table_name: str
    row_id: UUID
    operation: str
    at: dt.datetime
    effective_on: dt.date
    transaction_id: int
    actor_id: UUID | None
    reason: str
    after: Any


def find_beginning(town_code: int, *, conversion: Conversion | None = None) -> dt.date | None:
    """Return the first day for which a town's record knows an account; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGINS_SQL, _parameters(town_code, dt.date.max, conversion))
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


def list_opened_later(town_code: int, day: dt.date, *, conversion: Conversion | None = None) -> list[UUID]:
    """Return the accounts that were not on record yet on a day."""
    with connection.cursor() as cursor:
        cursor.execute(_LATER_SQL, _parameters(town_code, day, conversion))
        return [row[0] for row in cursor.fetchall()]


def list_changed_since(
    town_code: int, moment: dt.datetime, day: dt.date, *, conversion: Conversion | None = None
) -> list[UUID]:
    """Return the properties that stand otherwise on a day by what was entered after a moment."""
    with connection.cursor() as cursor:
        cursor.execute(_SINCE_SQL, {"town": town_code, "since": moment, "tables": _table_names()})
        ids = sorted(row[0] for row in cursor.fetchall())
    changed = []
    for property_id, entries in _journals(town_code, ids):
        before = rows_on([each for each in entries if each.at <= moment], day, conversion=conversion)
        now = rows_on(entries, day, conversion=conversion)
        if _told(_kept(before)) != _told(_kept(now)):
            changed.append(property_id)
    return changed


def standing_on(town_code: int, day: dt.date, *, conversion: Conversion | None = None) -> Standing:
    """Return how a town's record stood on a day, by all that is known now.

    Properties that no entry of the journal sets apart keep today's rows; only the others are rebuilt, so
    that the time goes with the number of entries and not with that of properties times queries.

    Raises
    ------
    RecordBeginsLater
        The day is before the first one for which an account is on record.
    """
    begins_on = find_beginning(town_code, conversion=conversion)
    if begins_on is None or day < begins_on:
        first = f"begins on {begins_on}" if begins_on else "is empty"
        raise RecordBeginsLater(
            f"The record of the town {first}: it cannot be read as of {day}.", begins_on=str(begins_on or "")
        )
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED_SQL, _parameters(town_code, day, conversion))
        touched = sorted(row[0] for row in cursor.fetchall() if row[0] is not None)
    rows: dict[str, list[Row]] = {name: [] for name in STANDING_TABLES}
    differ, not_yet = 0, []
    for property_id, entries in _journals(town_code, touched):
        then = _kept(rows_on(entries, day, conversion=conversion))
        differ += _told(then) != _told(_kept(rows_by_entry(entries)))
        if not then["property"]:
            not_yet.append(property_id)
            continue
        for name in STANDING_TABLES:
            rows[name].extend(then[name].values())
    return Standing(town_code, day, begins_on, touched, rows, differ, not_yet)


def _parameters(town_code: int, day: dt.date, conversion: Conversion | None) -> dict[str, Any]:
    if conversion is None:
        until: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)
    else:
        until = conversion.until or dt.datetime.max.replace(tzinfo=dt.UTC)
    return {
        "town": town_code, "day": day, "until": until, "load": IMPORT_REASON, "areas": AREAS_REASON,
        "converted_on": conversion.on if conversion else day, "counters": list(_COUNTERS),
        "tables": _table_names(),
    }  # fmt: skip


def _table_names(*more: str) -> list[str]:
    return [f"assessment_{name}" for name in (*STANDING_TABLES, *more)]


def _journals(town_code: int, property_ids: Sequence[UUID]) -> Iterator[tuple[UUID, list[_Entry]]]:
    tables = _table_names("section", "observation")
    for first in range(0, len(property_ids), _BATCH):
        with connection.cursor() as cursor:
            cursor.execute(_ENTRIES_SQL, [town_code, list(property_ids[first : first + _BATCH]), tables])
            entries = [_Entry._make((*row[:-1], _read(row[-1]))) for row in cursor.fetchall()]
        for property_id, group in groupby(entries, key=attrgetter("property_id")):
            yield property_id, list(group)


def _read(after: Any) -> Any:
    return json.loads(after) if isinstance(after, str) else after


def _kept(tables: dict[str, dict[str, Row]]) -> dict[str, dict[str, Row]]:
    return {name: tables.get(name, {}) for name in STANDING_TABLES}


def _told(tables: dict[str, dict[str, Row]]) -> dict[str, dict[str, Row]]:
    return {
        name: {key: {c: v for c, v in row.items() if c not in _COUNTERS} for key, row in rows.items()}
        for name, rows in tables.items()
    }
