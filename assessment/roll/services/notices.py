"""Notices to owners of what their assessment was and is; issuing them is an event of its own, not a state."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import connection, transaction

from assessment.region.actors import Actor
from assessment.region.errors import Invalid
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from assessment.roll.models import GrandList, Notice
from assessment.roll.services.carrying import carried_lines
from assessment.roll.services.rows import insert_rows

_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "assessment_id": "uuid", "kind": "text", "dated_on": "date",
    "gross_before": "bigint", "gross_after": "bigint", "made_by_id": "uuid",
}  # fmt: skip
_GROSS_SQL = """
SELECT a.id, a.property_id, coalesce((SELECT sum(l.assessed) FROM assessment_assessmentline l
                                      WHERE l.assessment_id = a.id), 0)::bigint
FROM assessment_assessment a
WHERE a.town_id = %(town)s AND a.grand_list_id = %(list)s
  AND NOT EXISTS (SELECT FROM assessment_notice n WHERE n.assessment_id = a.id)
ORDER BY a.account
"""


@transaction.atomic
def issue_notices(grand_list: GrandList, *, actor: Actor, dated_on: dt.date) -> int:
    """Issue the notices that a list still owes; return how many.

    On a revaluation every account gets one; on an interim list those that rose above the last list (with
    its instruments that carry forward). An account that has a notice of this list gets no second one.

    Raises
    ------
    Invalid
        The day is before the assessment date, or there is no list before this one to compare with.
    """
    actor.require(Permission.EDIT_LIST, grand_list.town_id)
    locked = GrandList.objects.select_for_update().get(pk=grand_list.pk)
    if dated_on < locked.assessment_on:
        raise Invalid(f"Notices are dated on or after the assessment date {locked.assessment_on}.")
    is_revaluation = locked.basis == GrandList.Basis.REVALUATION
    if locked.previous is None and not is_revaluation:
        raise Invalid("There is no list before this one to compare with.")
    before = _gross_before(locked.previous) if locked.previous else {}
    kind = Notice.Kind.REVALUATION if is_revaluation else Notice.Kind.INCREASE
    with connection.cursor() as cursor:
        cursor.execute(_GROSS_SQL, {"town": locked.town_id, "list": locked.pk})
        rows = cursor.fetchall()
    return insert_rows(
        Notice._meta.db_table,
        _COLUMNS,
        (
            (new_id(), locked.town_id, key, kind, dated_on, before.get(subject, 0), gross, actor.person_id)
            for key, subject, gross in rows
            if is_revaluation or gross > before.get(subject, 0)
        ),
    )


def record_mailing(grand_list: GrandList, *, actor: Actor, mailed_on: dt.date) -> int:
    """Note that the notices of a list that were not mailed yet went out on a day; return how many."""
    actor.require(Permission.EDIT_LIST, grand_list.town_id)
    return Notice.objects.filter(
        town_id=grand_list.town_id,
        assessment__grand_list=grand_list,
        mailed_on__isnull=True,
        dated_on__lte=mailed_on,
    ).update(mailed_on=mailed_on)


def _gross_before(previous: GrandList) -> dict[UUID, int]:
    lines, _ = carried_lines(previous)
    return {key: sum(row[4] for row in rows) for key, rows in lines.items()}
