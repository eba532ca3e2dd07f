"""Taking decisions on observations back: they wait again, and the record says what it said before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from assessment.property.merge import same
from assessment.property.models import JournalEntry, Observation
from assessment.property.services.changes import CardRows, Key
from assessment.property.services.locks import lock_properties
from assessment.property.services.sketch import shape_values
from assessment.property.targets import TARGETS, WHOLE_ROW, read_value
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.rules import Permission
from assessment.region.scope import because

REASON = "decision taken back"
_DECIDED = (Observation.State.ACCEPTED, Observation.State.REJECTED)


@dataclass(slots=True)
class Undone:
    """What became of decisions that were taken back.

    Attributes
    ----------
    reopened
        Wait again; of the accepted ones the record says what it said before.
    kept
        Stay as decided: the record has changed since, or a whole row was added or taken away.
    """

    reopened: list[UUID] = field(default_factory=list)
    kept: list[UUID] = field(default_factory=list)


def undo_decisions(observation_ids: Iterable[UUID], *, actor: Actor) -> Undone:
    """Take decisions back, latest seen first. Those that wait already are left alone.

    What the record said before is read from the journal, so that a conflict that was accepted goes back to
    the office's value and not to the observer's.

    Raises
    ------
    NotFound, Forbidden
        One of them is not there or not in scope; the actor may not decide in the town.
    """
    wanted = set(observation_ids)
    rows = list(Observation.objects.filter(id__in=wanted))
    if len(rows) != len(wanted):
        raise NotFound("There is no such observation.")
    for town_code in sorted({row.town_id for row in rows}):
        actor.require(Permission.ACCEPT_OBSERVATIONS, town_code)
    cards = lock_properties(row.property_id for row in rows)
    # Read again under the locks: somebody else may have decided meanwhile.
    rows = list(Observation.objects.filter(id__in=wanted, state__in=_DECIDED).order_by("-observed_on", "-id"))
    state = CardRows.load(
        cards, [(row.target_kind, row.target_id) for row in rows if row.target_kind in TARGETS]
    )
    undone = Undone()
    put_back: set[tuple[UUID, str]] = set()
    for row in rows:
        place = (row.target_id, row.field)
        if row.state == Observation.State.REJECTED or place in put_back:
            undone.reopened.append(row.id)
        elif _take_back(row, state):
            put_back.add(place)
            undone.reopened.append(row.id)
        else:
            undone.kept.append(row.id)
    state.write()
    with because(REASON):
        Observation.objects.filter(id__in=undone.reopened).update(
            state=Observation.State.PENDING,
            decided_by=None,
            decided_at=None,
            decided_rule="",
            decision_reason="",
        )
    return undone


def _take_back(row: Observation, state: CardRows) -> bool:
    """Put the field back to what the journal says it was; False when the record has moved on."""
    key: Key = (row.target_kind, row.target_id)
    if row.field == WHOLE_ROW or key not in state.rows:
        return False
    now = getattr(state.rows[key], row.field)
    if not same(now, read_value(row.target_kind, row.field, row.value)):
        return False
    entry = (
        JournalEntry.objects.filter(
            town_id=row.town_id, row_id=row.target_id, operation="U", after__has_key=row.field,
            at__gte=row.decided_at,
        )
        .order_by("-id")
        .first()
    )  # fmt: skip
    if entry is None:
        # It was accepted while the record said the same already: nothing to put back.
        return True
    before = read_value(row.target_kind, row.field, (entry.before or {}).get(row.field))
    values: dict[str, Any] = {row.field: before}
    if key[0] == "section" and row.field == "points_ft":
        values = shape_values(points_ft=before)
    state.set(key, values, effective_on=row.observed_on, reason=REASON)
    return True
