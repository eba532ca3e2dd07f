"""Asking for other values than a run's, one or many at once; putting them in force, taking them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.rules import Permission
from valuation.long_work import Tell, tell_nobody
from valuation.review.errors import OverrideInvalid, OverrideNotFound, OverrideWaiting
from valuation.review.models import Override
from valuation.review.rules.overriding import review_policy, second_person_because
from valuation.runs.models import Conclusion, Run
from valuation.runs.rules.splitting import spread

_MOST = 10**12
_TOLD_EVERY = 200


@dataclass(frozen=True)
class Wanted:
    """One value that somebody wants concluded; those of one batch are decided together.

    Attributes
    ----------
    unit
        Dollars that the parts are rounded to; 1 keeps their proportions to the dollar.
    """

    conclusion_id: UUID
    value: int
    reason_code: str
    note: str
    batch: UUID | None = None
    unit: int = 1


def ask(wanted: Sequence[Wanted], *, actor: Actor, tell: Tell = tell_nobody) -> list[Override]:
    """Ask for values of one run: those for which one person is enough come in force, the others wait.

    Runs inside the caller's transaction; the sales behind the ratio studies are read once.

    Raises
    ------
    OverrideInvalid
        Unknown reason, no note, or a value below zero.
    OverrideWaiting, Forbidden, OverrideNotFound
        As they say.
    """
    _require_complete(wanted)
    conclusions = lock(each.conclusion_id for each in wanted)
    if len(conclusions) != len(wanted):
        raise OverrideNotFound("There is no such conclusion.")
    first = next(iter(conclusions.values()))
    actor.require(Permission.RUN_VALUATION, first.town_id)
    waiting = Override.objects.filter(run_id=first.run_id, state=Override.State.WAITING)
    held = len(conclusions.keys() & set(waiting.values_list("conclusion_id", flat=True)))
    if held == 1:
        raise OverrideWaiting("An override of this value waits already: decide or withdraw it first.")
    if held:
        raise OverrideWaiting(f"Overrides of {held:,} of these values wait already: decide them first.")
    overrides = _made(wanted, conclusions, actor=actor, tell=tell)
    Override.objects.bulk_create(overrides, batch_size=1000)
    held_batches = {each.batch for each in overrides if each.batch and each.second_person_because}
    put_in_force(
        [each for each in overrides if not each.second_person_because and each.batch not in held_batches],
        actor=actor,
    )
    return overrides


def _require_complete(wanted: Sequence[Wanted]) -> None:
    reasons = review_policy().reasons
    for each in wanted:
        if each.reason_code not in reasons:
            raise OverrideInvalid(
                f"There is no reason {each.reason_code!r}; there are: {', '.join(reasons)}."
            )
        if not each.note.strip():
            raise OverrideInvalid("Say in a note what the value rests on; it is read at an appeal.")
        if not 0 <= each.value < _MOST:
            raise OverrideInvalid("A value is whole dollars, zero or more.")


def _made(
    wanted: Sequence[Wanted], conclusions: Mapping[UUID, Conclusion], *, actor: Actor, tell: Tell
) -> list[Override]:
    from valuation.review.evidence import Effects  # here: it brings numpy, which most requests never need

    policy = review_policy()
    first = next(iter(conclusions.values()))
    tell(0, len(wanted), "reading the sales")
    effects = Effects(Run.objects.get(pk=first.run_id))
    properties = [each.property_id for each in conclusions.values()]
    places = dict(Property.objects.filter(id__in=properties).values_list("id", "neighbourhood"))
    together: dict[UUID, dict[UUID, int]] = {}
    for each in wanted:
        if each.batch:
            changed = together.setdefault(each.batch, {})
            changed[conclusions[each.conclusion_id].property_id] = each.value
    of_batch = {batch: effects.of(changed, places) for batch, changed in together.items()}
    now = timezone.now()
    overrides = []
    for number, each in enumerate(wanted):
        if number % _TOLD_EVERY == 0:
            tell(number, len(wanted), "asking for the values")
        conclusion = conclusions[each.conclusion_id]
        overrides.append(
            Override(
                town_id=conclusion.town_id,
                run_id=conclusion.run_id,
                conclusion_id=conclusion.id,
                property_id=conclusion.property_id,
                batch=each.batch,
                state=Override.State.WAITING,
                reason_code=each.reason_code,
                note=each.note.strip()[:1000],
                value_before=conclusion.value,
                value_after=each.value,
                components_before=conclusion.components,
                weights_before=conclusion.weights,
                components_after=spread(each.value, conclusion.components, unit=each.unit),
                second_person_because=second_person_because(
                    conclusion.value, each.value, policy, is_bulk=each.batch is not None
                ),
                effect=of_batch[each.batch]
                if each.batch
                else effects.of({conclusion.property_id: each.value}, places),
                proposed_by_id=actor.person_id,
                proposed_by_name=actor.name,
                proposed_at=now,
            )
        )
    tell(len(wanted), len(wanted), "keeping them")
    return overrides


def lock(conclusion_ids: Iterable[UUID]) -> dict[UUID, Conclusion]:
    """Lock conclusions in the order of their ids, so that two who ask at once wait for each other."""
    rows = Conclusion.objects.filter(id__in=list(conclusion_ids)).order_by("id").select_for_update()
    return {row.id: row for row in rows}


# Set-based: tens of thousands of conclusions in one statement instead of one parameter for each of their columns.
_IN_FORCE_SQL = """
UPDATE valuation_conclusion c
SET value = o.value_after, components = o.components_after, weights = '{"override": 1.0}',
    reviewer_id = %(person)s, reviewed_at = %(now)s, review_note = left(o.note, 400)
FROM valuation_override o
WHERE o.town_id = %(town)s AND o.id = ANY(%(ids)s) AND c.town_id = o.town_id AND c.id = o.conclusion_id
"""
_BACK_SQL = """
UPDATE valuation_conclusion c
SET value = o.value_before, components = o.components_before, weights = o.weights_before,
    reviewer_id = NULL, reviewed_at = NULL, review_note = ''
FROM valuation_override o
WHERE o.town_id = %(town)s AND o.id = ANY(%(ids)s) AND c.town_id = o.town_id AND c.id = o.conclusion_id
"""
_EARLIER_SQL = """
WITH earlier AS (
  SELECT DISTINCT ON (e.conclusion_id) e.id FROM valuation_override o
  JOIN valuation_override e ON e.town_id = o.town_id AND e.conclusion_id = o.conclusion_id
    AND e.state = 'superseded' AND e.proposed_at <= o.proposed_at AND e.id <> o.id
    AND e.value_after = o.value_before AND e.components_after = o.components_before
  WHERE o.town_id = %(town)s AND o.id = ANY(%(ids)s)
  ORDER BY e.conclusion_id, e.proposed_at DESC, e.id DESC
), restored AS (
  UPDATE valuation_override e SET state = 'in_force' FROM earlier
  WHERE e.town_id = %(town)s AND e.id = earlier.id
  RETURNING e.conclusion_id, e.decided_by_id, e.decided_at, e.note
)
UPDATE valuation_conclusion c
SET reviewer_id = r.decided_by_id, reviewed_at = r.decided_at, review_note = left(r.note, 400)
FROM restored r WHERE c.town_id = %(town)s AND c.id = r.conclusion_id
"""


def put_in_force(overrides: Sequence[Override], *, actor: Actor, note: str = "") -> None:
    """Let overrides, whose conclusions are locked, decide; those in force before are replaced."""
    if not overrides:
        return
    Override.objects.filter(
        conclusion_id__in=[each.conclusion_id for each in overrides], state=Override.State.IN_FORCE
    ).update(state=Override.State.SUPERSEDED)
    _execute(_IN_FORCE_SQL, overrides, person=actor.person_id, now=timezone.now())
    end(overrides, Override.State.IN_FORCE, actor=actor, note=note)


def take_back(overrides: Sequence[Override], *, actor: Actor, note: str = "") -> None:
    """Give the values before overrides in force back; an override that one of them replaced is in force again."""
    if not overrides:
        return
    lock(each.conclusion_id for each in overrides)
    _execute(_BACK_SQL, overrides)
    end(overrides, Override.State.WITHDRAWN, actor=actor, note=note)
    _execute(_EARLIER_SQL, overrides)


def end(
    overrides: Sequence[Override], state: Override.State, *, actor: Actor, note: str = ""
) -> list[Override]:
    """Write what became of overrides, who decided it and when."""
    decided: dict[str, Any] = {
        "state": state, "decided_at": timezone.now(), "decided_by_id": actor.person_id,
        "decided_by_name": actor.name, "decision_note": note.strip()[:1000],
    }  # fmt: skip
    Override.objects.filter(id__in=[each.id for each in overrides]).update(**decided)
    for override in overrides:
        for name, value in decided.items():
            setattr(override, name, value)
    return list(overrides)


def _execute(sql: str, overrides: Sequence[Override], **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"town": overrides[0].town_id, "ids": [each.id for each in overrides], **values})
