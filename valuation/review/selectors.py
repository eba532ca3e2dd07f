"""What waits for a reviewer, and two runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from assessment.region.errors import NotFound
from valuation.review.errors import OverrideNotFound
from valuation.review.models import Closing, Override
from valuation.runs.models import Conclusion, Run

if TYPE_CHECKING:
    import pandas as pd

ORDERS = {
    "change": "abs(c.value - b.appraised) / nullif(b.appraised, 0)::float DESC NULLS LAST, "
    "abs(m.value - c.value) / nullif(c.value, 0)::float DESC NULLS LAST, c.property_id",
    "value": "c.value DESC, c.property_id",
    "address": "p.address, c.property_id",
    "market": "abs(m.value - c.value) / nullif(c.value, 0)::float DESC NULLS LAST, c.property_id",
}
_STATES = {
    "": "TRUE",
    "open": "c.reviewed_at IS NULL",
    "reviewed": "c.reviewed_at IS NOT NULL",
    "overridden": "o.state = 'in_force'",
    "waiting": "o.state = 'waiting'",
}
_QUEUE_SQL = """
WITH before AS (
  SELECT a.property_id, sum(l.appraised) AS appraised FROM assessment_assessment a
  JOIN assessment_assessmentline l ON l.town_id = a.town_id AND l.assessment_id = a.id
  WHERE a.town_id = %(town)s AND a.grand_list_id = (
    SELECT id FROM assessment_grandlist WHERE town_id = %(town)s AND kind = 'real' AND year < %(year)s
    ORDER BY year DESC LIMIT 1)
  GROUP BY a.property_id
)
SELECT c.id, c.property_id, p.address, p.account_number, p.neighbourhood, p.state_class, c.value, b.appraised,
       m.value, e.low, e.high, c.flags, c.reviewed_at, o.state, count(*) OVER ()
FROM valuation_conclusion c
JOIN assessment_property p ON p.town_id = c.town_id AND p.id = c.property_id
LEFT JOIN before b ON b.property_id = c.property_id
LEFT JOIN valuation_estimate m ON m.town_id = c.town_id AND m.run_id = c.run_id AND m.property_id = c.property_id
  AND m.approach = 'market'
LEFT JOIN valuation_estimate e ON e.town_id = c.town_id AND e.run_id = c.run_id AND e.property_id = c.property_id
  AND e.approach = 'cost'
LEFT JOIN valuation_override o ON o.town_id = c.town_id AND o.conclusion_id = c.id
  AND o.state IN ('waiting', 'in_force')
WHERE c.town_id = %(town)s AND c.run_id = %(run)s
  AND (%(flag)s = '' OR c.flags @> jsonb_build_array(%(flag)s::text))
  AND (%(place)s = '' OR p.neighbourhood = %(place)s)
  AND {state}
ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
"""


@dataclass(frozen=True)
class QueueRow:
    """One conclusion as the queue lists it; amounts in dollars, None where there is none."""

    conclusion_id: UUID
    property_id: UUID
    address: str
    account_number: str
    neighbourhood: str
    state_class: str
    value: int
    before: int | None
    market: int | None
    low: int | None
    high: int | None
    flags: list[str]
    is_reviewed: bool
    override: str

    @property
    def change_percent(self) -> float | None:
        """Return the change from the last list, in percent."""
        return None if not self.before else 100 * (self.value / self.before - 1)


def list_review_queue(
    run: Run,
    *,
    flag: str = "",
    state: str = "",
    neighbourhood: str = "",
    order: str = "change",
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[QueueRow], int]:
    """Return a page of a run's conclusions with what a reviewer looks at, and how many there are.

    Parameters
    ----------
    flag
        A flag of the run; all when empty.
    state
        ``open``, ``reviewed``, ``overridden``, ``waiting``; all when empty.
    order
        ``change`` from the last list, gap to the ``market`` model, ``value`` or ``address``.
    """
    sql = _QUEUE_SQL.format(state=_STATES.get(state, "TRUE"), order=ORDERS.get(order, ORDERS["change"]))
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "town": run.town_id,
                "run": run.pk,
                "year": run.list_year,
                "flag": flag,
                "place": neighbourhood,
                "limit": limit,
                "offset": offset,
            },
        )
        found = cursor.fetchall()
    rows = [
        QueueRow(
            conclusion_id=key,
            property_id=property_id,
            address=address,
            account_number=account,
            neighbourhood=place,
            state_class=state_class,
            value=value,
            before=None if before is None else int(before),
            market=market,
            low=low,
            high=high,
            flags=_flags(flags),
            is_reviewed=seen is not None,
            override=decided or "",
        )
        for (
            key,
            property_id,
            address,
            account,
            place,
            state_class,
            value,
            before,
            market,
            low,
            high,
            flags,
            seen,
            decided,
            _,
        ) in found
    ]
    return rows, int(found[0][14]) if found else 0


def _flags(plain: Any) -> list[str]:

    return list(json.loads(plain)) if isinstance(plain, str) else list(plain)


def get_conclusion(conclusion_id: UUID, *, town_code: int) -> Conclusion:
    """Return a conclusion with its run, property and reviewer; raise `NotFound`."""
    found = (
        Conclusion.objects.filter(id=conclusion_id, town_id=town_code)
        .select_related("run__spec", "property", "reviewer")
        .first()
    )
    if found is None:
        raise NotFound("There is no such conclusion.")
    return found


def get_override(override_id: UUID, *, town_code: int) -> Override:
    """Return an override; raise `OverrideNotFound`."""
    found = Override.objects.filter(id=override_id, town_id=town_code).first()
    if found is None:
        raise OverrideNotFound("There is no such override.")
    return found


def overrides_of(conclusion: Conclusion) -> list[Override]:
    """Return every override of one conclusion, newest first."""
    return list(Override.objects.filter(conclusion=conclusion))


def find_closing(run: Run) -> Closing | None:
    """Return the newest closing of a run."""
    return Closing.objects.filter(run=run).first()


def next_to_review(run: Run, after: UUID) -> UUID | None:
    """Return the conclusion that follows in the order of open ones, by largest change from the last list."""
    rows, _ = list_review_queue(run, state="open", limit=2)
    return next((row.conclusion_id for row in rows if row.conclusion_id != after), None)


def count_review(run: Run) -> Mapping[str, int]:
    """Return counts of a run's conclusions: all, reviewed, and the overrides by state."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(reviewed_at) FROM valuation_conclusion WHERE town_id = %s AND run_id = %s",
            [run.town_id, run.pk],
        )
        every, reviewed = cursor.fetchone() or (0, 0)
        cursor.execute(
            "SELECT state, count(*) FROM valuation_override WHERE town_id = %s AND run_id = %s GROUP BY state",
            [run.town_id, run.pk],
        )
        return {"all": every, "reviewed": reviewed, **dict(cursor.fetchall())}


_COMPARED_SQL = """
SELECT c.property_id, c.value, p.address, p.account_number, p.neighbourhood, p.state_class, p.location_x_ft,
       p.location_y_ft
FROM valuation_conclusion c JOIN assessment_property p ON p.town_id = c.town_id AND p.id = c.property_id
WHERE c.town_id = %s AND c.run_id = %s ORDER BY c.property_id
"""


def conclusions_frame(run: Run) -> pd.DataFrame:
    """Return a run's concluded values with each property's words and place, by ``property_id``."""
    import pandas as pd

    with connection.cursor() as cursor:
        cursor.execute(_COMPARED_SQL, [run.town_id, run.pk])
        names = [
            "property_id",
            "value",
            "address",
            "account_number",
            "neighbourhood",
            "state_class",
            "x",
            "y",
        ]
        return pd.DataFrame(cursor.fetchall(), columns=names).set_index("property_id")
