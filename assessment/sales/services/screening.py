"""The screen of a town's sales: looks at all of them again and writes what it finds."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from assessment.property.bulk import insert_rows
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from assessment.sales.models import SaleFinding
from assessment.sales.parameters import screening_rules
from assessment.sales.rules.screening import Finding, ScreenedSale, screen

_SALES_SQL = """
SELECT t.id::text, t.recorded_on, t.price, t.assessed_value, b.living_area, coalesce(nullif(p.state_class, ''), 'unclassified'),
       p.neighbourhood, concat_ws(' ', t.property_type, t.residential_type), b.year_built, b.property_id IS NOT NULL,
       p.complex_id IS NOT NULL OR concat_ws(' ', p.use_description, b.words) ILIKE '%%condo%%', m.issued_on
FROM assessment_transfer t
JOIN assessment_property p ON p.town_id = t.town_id AND p.id = t.property_id
LEFT JOIN (
  SELECT property_id, sum(living_area_sqft)::float AS living_area, min(year_built) AS year_built,
         string_agg(concat_ws(' ', style, model, occupancy), ' ') AS words
  FROM assessment_building WHERE town_id = %(town)s GROUP BY property_id
) b ON b.property_id = t.property_id
LEFT JOIN LATERAL (
  SELECT min(issued_on) AS issued_on FROM assessment_permit
  WHERE town_id = %(town)s AND property_id = t.property_id AND issued_on > t.recorded_on
) m ON TRUE
WHERE t.town_id = %(town)s AND t.validity <> 'not-usable' AND t.price > 0 AND t.recorded_on > %(since)s
ORDER BY t.recorded_on, t.id
"""


@transaction.atomic
def screen_sales(town_code: int, *, actor: Actor, now: dt.datetime) -> list[Finding]:
    """Compare the recent sales of a town that are not ruled out with each other and with the record.

    The findings of before are replaced; decisions stay as they are. Again on the same record gives the same.

    Raises
    ------
    Forbidden
        The actor may not decide sales in the town.
    """
    actor.require(Permission.DECIDE_SALES, town_code)
    rules = screening_rules(now.date())
    newest = _newest(town_code)
    found: list[Finding] = []
    if newest is not None:
        since = newest - dt.timedelta(days=round(365.25 * rules.years))
        with connection.cursor() as cursor:
            cursor.execute(_SALES_SQL, {"town": town_code, "since": since})
            sales = [ScreenedSale(*row) for row in cursor.fetchall()]
        found = screen(sales, least=rules.least, limit=rules.limit)
    SaleFinding.objects.filter(town_id=town_code).delete()
    insert_rows(
        SaleFinding,
        [
            {
                "id": new_id(),
                "town_id": town_code,
                "transfer_id": each.key,
                "code": each.code,
                "figure": each.figure,
                "group": each.group,
                "n": each.n,
                "middle": each.middle,
                "deviation": each.deviation,
                "screened_at": now,
            }
            for each in found
        ],
    )
    return found


def _newest(town_code: int) -> dt.date | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(recorded_on) FROM assessment_transfer WHERE town_id = %s", [town_code])
        row = cursor.fetchone()
    return row[0] if row else None
