"""Taking the overrides of an earlier run to a new one: which can be, which cannot and why, and asking for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db import connection, transaction

from assessment.property.models import JournalEntry
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from valuation.long_work import Tell, tell_nobody
from valuation.review.asking import Wanted, ask
from valuation.review.errors import OverrideInvalid, RunPosted
from valuation.runs.models import Run

Verdict = Literal["same", "look", "refused", "done"]
_VALUED_TABLES = {
    "assessment_property": "property", "assessment_building": "building", "assessment_landline": "land",
    "assessment_feature": "feature", "assessment_section": "section",
}  # fmt: skip
_KEPT_BY_MACHINE = {"version", "updated_at"}
# Three plain reads that are put together here: right after a run the database has no statistics of its rows, and
# would join them one by one (20,000 overrides took 80 s).
_OVERRIDES_SQL = """
SELECT o.id, o.property_id, p.address, p.account_number, o.value_after, o.reason_code, o.note, o.batch,
       o.conclusion_id
FROM valuation_override o JOIN assessment_property p ON p.town_id = o.town_id AND p.id = o.property_id
WHERE o.town_id = %(town)s AND o.run_id = %(source)s AND o.state = 'in_force'
ORDER BY p.address, o.property_id
"""
_MACHINE_SQL = """
SELECT DISTINCT ON (conclusion_id) conclusion_id, value_before FROM valuation_override
WHERE town_id = %(town)s AND run_id = %(source)s AND state IN ('in_force', 'superseded')
ORDER BY conclusion_id, proposed_at, id
"""
_NOW_SQL = (
    "SELECT property_id, id, value FROM valuation_conclusion WHERE town_id = %(town)s AND run_id = %(run)s"
)
_TAKEN_SQL = """
SELECT DISTINCT conclusion_id FROM valuation_override
WHERE town_id = %(town)s AND run_id = %(run)s AND state IN ('waiting', 'in_force')
"""


@dataclass(frozen=True)
class CarryRow:
    """One override of the earlier run, and whether it can be taken along.

    Attributes
    ----------
    then, now
        What the machine concluded in the earlier run and concludes in this one, whole dollars; None: nothing.
    verdict
        ``same``: nothing changed; ``look``: the record changed since, though the machine concludes the same;
        ``refused``: it concludes otherwise; ``done``: this run has an override of the value already.
    why
        For ``look`` and ``refused``.
    """

    override_id: UUID
    property_id: UUID
    address: str
    account_number: str
    then: int
    now: int | None
    after: int
    reason_code: str
    note: str
    batch: UUID | None
    conclusion_id: UUID | None
    verdict: Verdict
    why: str

    @property
    def may_carry(self) -> bool:
        """Return whether it can be taken along."""
        return self.verdict in ("same", "look")


def find_source(run: Run) -> Run | None:
    """Return the finished run that was started last before this one, from which one would carry."""
    done = Run.objects.filter(town_id=run.town_id, state__in=(Run.State.DONE, Run.State.POSTED))
    return done.filter(started_at__lt=run.started_at).order_by("-started_at").first()


def plan_carry(run: Run, *, source: Run) -> list[CarryRow]:
    """Return every override in force of an earlier run with what would become of it, by address.

    Raises
    ------
    OverrideInvalid
        The two runs are one, or of different towns.
    """
    if source.pk == run.pk or source.town_id != run.town_id:
        raise OverrideInvalid("Overrides are taken from another run of the same town.")
    given = {"town": run.town_id, "run": run.pk, "source": source.pk}
    found = _read(_OVERRIDES_SQL, given)
    if not found:
        return []
    machine = dict(_read(_MACHINE_SQL, given))
    now = {key: (conclusion_id, value) for key, conclusion_id, value in _read(_NOW_SQL, given)}
    taken = {key for (key,) in _read(_TAKEN_SQL, given)}
    changes = _changes(run, source, [row[1] for row in found])
    return [
        _judged(row, machine[row[8]], *now.get(row[1], (None, None)), taken, changes.get(row[1], ""))
        for row in found
    ]


def _read(sql: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _judged(
    row: tuple[Any, ...],
    then: int,
    conclusion_id: UUID | None,
    now: int | None,
    taken: Collection[UUID],
    changes: str,
) -> CarryRow:
    key, property_id, address, account, after, reason, note, batch, _ = row
    verdict: Verdict
    if conclusion_id is None:
        verdict, why = "refused", "the property is not in this run"
    elif conclusion_id in taken:
        verdict, why = "done", ""
    elif now != then and changes:
        verdict, why = "refused", f"the record changed: {changes}"
    elif now != then:
        verdict, why = "refused", "the record is the same, but tables or level of the run are not"
    elif changes:
        verdict, why = "look", f"the same value, but the record changed: {changes}"
    else:
        verdict, why = "same", ""
    return CarryRow(
        key, property_id, address, account, then, now, after, reason, note, batch, conclusion_id, verdict, why
    )


def _changes(run: Run, source: Run, property_ids: list[UUID]) -> Mapping[UUID, str]:
    """Return in words what of the valued record changed between two runs, by property."""
    entries = JournalEntry.objects.filter(
        town_id=run.town_id,
        at__gt=source.started_at,
        at__lte=run.started_at,
        table_name__in=list(_VALUED_TABLES),
        property_id__in=property_ids,
    )
    words: dict[UUID, dict[str, None]] = {}
    for key, table, operation, after in entries.order_by("id").values_list(
        "property_id", "table_name", "operation", "after"
    ):
        if key is None:
            continue
        of = _VALUED_TABLES[table]
        if operation == "U":
            names = [f"{of} {name.replace('_', ' ')}" for name in after or () if name not in _KEPT_BY_MACHINE]
        else:
            names = [f"{of} {'added' if operation == 'I' else 'removed'}"]
        words.setdefault(key, {}).update(dict.fromkeys(names))
    return {key: ", ".join(found) for key, found in words.items() if found}


@transaction.atomic
def carry_overrides(
    run: Run,
    *,
    actor: Actor,
    source: Run,
    override_ids: Collection[UUID] | None = None,
    tell: Tell = tell_nobody,
) -> Mapping[str, int]:
    """Ask for the overrides in force of an earlier run again, where the machine concluded the same as then.

    Where it concluded otherwise a person has to look anew. Carried overrides keep reason and note; those that
    needed a second person wait for one again, and what was asked for together is decided together again.

    Parameters
    ----------
    override_ids
        Which of the earlier run's; by default those whose record did not change either.

    Returns
    -------
    mapping
        ``carried`` and ``to_review`` (those that could not be).

    Raises
    ------
    RunPosted, OverrideInvalid, Forbidden
        As they say.
    """
    actor.require(Permission.RUN_VALUATION, run.town_id)
    if run.state == Run.State.POSTED:
        raise RunPosted("The run was posted: overrides are taken to a run that is still open.")
    tell(0, 0, "comparing the runs")
    rows = plan_carry(run, source=source)
    if override_ids is None:
        chosen = [row for row in rows if row.verdict == "same"]
        asked_for = [row for row in rows if row.verdict != "done"]
    else:
        asked_for = [row for row in rows if row.override_id in override_ids and row.verdict != "done"]
        chosen = [row for row in asked_for if row.may_carry]
    batches: dict[UUID, UUID] = {}
    wanted = [
        Wanted(
            row.conclusion_id,
            row.after,
            row.reason_code,
            row.note,
            batches.setdefault(row.batch, new_id()) if row.batch else None,
        )
        for row in chosen
        if row.conclusion_id is not None
    ]
    if wanted:
        ask(wanted, actor=actor, tell=tell)
    return {"carried": len(wanted), "to_review": len(asked_for) - len(wanted)}
