"""Overriding what a run concluded, by one person or two, and marking conclusions as reviewed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from valuation.review.errors import (
    OverrideDecided,
    OverrideInvalid,
    OverrideNotFound,
    OverrideWaiting,
    SecondPersonNeeded,
)
from valuation.review.models import Override
from valuation.review.rules.overriding import review_policy, second_person_because
from valuation.runs.models import Conclusion, Run
from valuation.runs.rules.splitting import spread

_MOST = 10**12


@transaction.atomic
def propose_override(
    conclusion_id: UUID, *, actor: Actor, value: int, reason_code: str, note: str
) -> Override:
    """Conclude another value for one property; above the policy's limits it waits for a second person.

    The new total is spread over the parts in proportion, to the dollar. An override already in force is
    replaced when this one comes in force.

    Raises
    ------
    OverrideInvalid
        Unknown reason, no note, or a value below zero.
    OverrideWaiting, Forbidden, OverrideNotFound
        As they say.
    """
    (override,) = _propose(
        [(conclusion_id, value)], actor=actor, reason_code=reason_code, note=note, batch=None
    )
    return override


@transaction.atomic
def propose_factor(
    run: Run, *, actor: Actor, property_ids: Iterable[UUID], factor: float, reason_code: str, note: str
) -> list[Override]:
    """Multiply the values of many properties, such as a neighbourhood's; always waits for a second person.

    Values are rounded to the hundred. The effect on the ratio study is kept with each override (an area factor
    found by ratio study is lawful: Tuohy v. Groton, 331 Conn. 745).

    Raises
    ------
    OverrideInvalid
        A factor outside 0.2 to 5, or nothing to change.
    OverrideWaiting, Forbidden
        As they say.
    """
    if not 0.2 <= factor <= 5:
        raise OverrideInvalid(f"A factor is between 0.2 and 5, not {factor:g}.")
    rows = Conclusion.objects.filter(run=run, property_id__in=list(property_ids), value__gt=0)
    wanted = [
        (key, 100 * int(value * factor / 100 + 0.5))
        for key, value in rows.order_by("property_id").values_list("id", "value")
    ]
    if not wanted:
        raise OverrideInvalid("No property with a value was chosen.")
    return _propose(wanted, actor=actor, reason_code=reason_code, note=note, batch=new_id())


def _propose(
    wanted: list[tuple[UUID, int]], *, actor: Actor, reason_code: str, note: str, batch: UUID | None
) -> list[Override]:
    from valuation.review.evidence import effect_of  # here: it brings numpy, which most requests never need

    policy = review_policy()
    if reason_code not in policy.reasons:
        raise OverrideInvalid(f"There is no reason {reason_code!r}; there are: {', '.join(policy.reasons)}.")
    if not note.strip():
        raise OverrideInvalid("Say in a note what the value rests on; it is read at an appeal.")
    if any(not 0 <= value < _MOST for _, value in wanted):
        raise OverrideInvalid("A value is whole dollars, zero or more.")
    conclusions = _lock(key for key, _ in wanted)
    if len(conclusions) != len(wanted):
        raise OverrideNotFound("There is no such conclusion.")
    first = next(iter(conclusions.values()))
    actor.require(Permission.RUN_VALUATION, first.town_id)
    if Override.objects.filter(conclusion__in=list(conclusions), state=Override.State.WAITING).exists():
        raise OverrideWaiting("An override of this value waits already: decide or withdraw it first.")
    values = {conclusions[key].property_id: value for key, value in wanted}
    effect = effect_of(first.run, values, neighbourhood=first.property.neighbourhood or "none")
    now = timezone.now()
    overrides = []
    for key, value in wanted:
        conclusion = conclusions[key]
        because = second_person_because(conclusion.value, value, policy, is_bulk=batch is not None)
        overrides.append(
            Override(
                town_id=conclusion.town_id,
                run_id=conclusion.run_id,
                conclusion=conclusion,
                property_id=conclusion.property_id,
                batch=batch,
                state=Override.State.WAITING,
                reason_code=reason_code,
                note=note.strip()[:1000],
                value_before=conclusion.value,
                value_after=value,
                components_before=conclusion.components,
                weights_before=conclusion.weights,
                components_after=spread(value, conclusion.components),
                second_person_because=because,
                effect=effect,
                proposed_by_id=actor.person_id,
                proposed_by_name=actor.name,
                proposed_at=now,
            )
        )
    Override.objects.bulk_create(overrides)
    if not any(each.second_person_because for each in overrides):
        _put_in_force(overrides, conclusions, actor=actor)
    return overrides


@transaction.atomic
def confirm_override(override_id: UUID, *, actor: Actor, note: str = "") -> list[Override]:
    """Agree as the second person; the override, with those asked for together with it, comes in force.

    Raises
    ------
    SecondPersonNeeded
        The actor asked for it.
    OverrideDecided, OverrideNotFound, Forbidden
        As they say; decided also when the conclusion was changed in between.
    """
    overrides, conclusions = _waiting(override_id, actor=actor)
    if actor.person_id is None or actor.person_id == overrides[0].proposed_by_id:
        raise SecondPersonNeeded("Who asked for an override cannot be the one who agrees to it.")
    if any(conclusions[each.conclusion_id].value != each.value_before for each in overrides):
        raise OverrideDecided(
            "The value was changed since the override was asked for: withdraw it and ask anew."
        )
    _put_in_force(overrides, conclusions, actor=actor, note=note)
    return overrides


@transaction.atomic
def refuse_override(override_id: UUID, *, actor: Actor, note: str) -> list[Override]:
    """Refuse a waiting override, with those asked for together with it; the conclusion stands.

    Raises
    ------
    OverrideInvalid
        Without a note.
    SecondPersonNeeded, OverrideDecided, OverrideNotFound, Forbidden
        As they say.
    """
    if not note.strip():
        raise OverrideInvalid("Say why it is refused.")
    overrides, _ = _waiting(override_id, actor=actor)
    if actor.person_id is not None and actor.person_id == overrides[0].proposed_by_id:
        raise SecondPersonNeeded("Your own override is withdrawn, not refused.")
    return _end(overrides, Override.State.REFUSED, actor=actor, note=note)


@transaction.atomic
def withdraw_override(override_id: UUID, *, actor: Actor, note: str = "") -> Override:
    """Take back a waiting override, or one in force: the value before it stands again, with its parts.

    A waiting one is withdrawn with those asked for together with it, by whoever asked; one in force by whoever
    may override.

    Raises
    ------
    OverrideDecided
        It is neither waiting nor in force.
    OverrideNotFound, Forbidden
        As they say.
    """
    override = _get(override_id, actor=actor)
    if override.state == Override.State.WAITING:
        overrides, _ = _waiting(override_id, actor=actor)
        _end(overrides, Override.State.WITHDRAWN, actor=actor, note=note)
    elif override.state == Override.State.IN_FORCE:
        conclusion = _lock([override.conclusion_id])[override.conclusion_id]
        conclusion.value, conclusion.components = override.value_before, override.components_before
        conclusion.weights = override.weights_before
        conclusion.reviewer_id, conclusion.reviewed_at, conclusion.review_note = None, None, ""
        conclusion.save(update_fields=_CONCLUDED)
        _end([override], Override.State.WITHDRAWN, actor=actor, note=note)
    else:
        raise OverrideDecided(f"The override is {override.get_state_display().lower()}.")
    override.refresh_from_db()
    return override


@transaction.atomic
def mark_reviewed(conclusion_ids: Iterable[UUID], *, actor: Actor, note: str = "") -> int:
    """Say that a person looked and the values stand; returns how many were not marked before.

    Raises
    ------
    Forbidden
        Without the permission to run valuations in the town.
    """
    rows = (
        Conclusion.objects.filter(id__in=list(conclusion_ids)).order_by("id").select_for_update(of=("self",))
    )
    marked = 0
    for conclusion in rows:
        actor.require(Permission.RUN_VALUATION, conclusion.town_id)
        if conclusion.reviewed_at is None:
            marked += 1
        conclusion.reviewer_id, conclusion.reviewed_at = actor.person_id, timezone.now()
        conclusion.review_note = note.strip()[:400]
        conclusion.save(update_fields=["reviewer", "reviewed_at", "review_note"])
    return marked


@transaction.atomic
def carry_overrides(run: Run, *, actor: Actor, source: Run) -> Mapping[str, int]:
    """Ask for the overrides in force of an earlier run again, where the machine concluded the same as then.

    Where it concluded otherwise the facts changed, and a person has to look anew. Carried overrides keep reason
    and note, and those that needed a second person wait for one again.

    Returns
    -------
    mapping
        ``carried`` and ``to_review`` (properties whose conclusion is not what it was).
    """
    actor.require(Permission.RUN_VALUATION, run.town_id)
    rows = Override.objects.filter(run=source, state=Override.State.IN_FORCE).order_by("property_id")
    now = dict(Conclusion.objects.filter(run=run).values_list("property_id", "id"))
    values = dict(Conclusion.objects.filter(run=run).values_list("property_id", "value"))
    carried = to_review = 0
    for override in rows:
        key = now.get(override.property_id)
        if key is None or values[override.property_id] != override.value_before:
            to_review += 1
            continue
        if Override.objects.filter(
            conclusion_id=key, state__in=[Override.State.WAITING, Override.State.IN_FORCE]
        ).exists():
            continue
        propose_override(
            key, actor=actor, value=override.value_after, reason_code=override.reason_code, note=override.note
        )
        carried += 1
    return {"carried": carried, "to_review": to_review}


_CONCLUDED = ["value", "components", "weights", "reviewer", "reviewed_at", "review_note"]


def _get(override_id: UUID, *, actor: Actor) -> Override:
    found = Override.objects.filter(id=override_id).first()
    if found is None:
        raise OverrideNotFound("There is no such override.")
    actor.require(Permission.RUN_VALUATION, found.town_id)
    return found


def _lock(conclusion_ids: Iterable[UUID]) -> dict[UUID, Conclusion]:
    rows = (
        Conclusion.objects.filter(id__in=list(conclusion_ids))
        .select_related("run", "property")
        .order_by("id")
        .select_for_update(of=("self",))
    )
    return {row.id: row for row in rows}


def _waiting(override_id: UUID, *, actor: Actor) -> tuple[list[Override], dict[UUID, Conclusion]]:
    """Return the waiting overrides that were asked for together, and their locked conclusions."""
    override = _get(override_id, actor=actor)
    together = Override.objects.filter(run_id=override.run_id, state=Override.State.WAITING)
    together = together.filter(batch=override.batch) if override.batch else together.filter(id=override.id)
    conclusions = _lock(together.values_list("conclusion_id", flat=True))
    # Read again under the lock: of two persons who decide at once the second finds it decided.
    overrides = list(together.order_by("conclusion_id").select_for_update(of=("self",)))
    if not overrides:
        raise OverrideDecided(f"The override is {override.get_state_display().lower()}.")
    return overrides, conclusions


def _put_in_force(
    overrides: list[Override], conclusions: Mapping[UUID, Conclusion], *, actor: Actor, note: str = ""
) -> None:
    Override.objects.filter(conclusion__in=list(conclusions), state=Override.State.IN_FORCE).update(
        state=Override.State.SUPERSEDED
    )
    now = timezone.now()
    for override in overrides:
        conclusion = conclusions[override.conclusion_id]
        conclusion.value, conclusion.components = override.value_after, override.components_after
        conclusion.weights = {"override": 1.0}
        conclusion.reviewer_id, conclusion.reviewed_at = actor.person_id, now
        conclusion.review_note = override.note[:400]
    Conclusion.objects.bulk_update(list(conclusions.values()), _CONCLUDED, batch_size=500)
    _end(overrides, Override.State.IN_FORCE, actor=actor, note=note)


def _end(overrides: list[Override], state: Override.State, *, actor: Actor, note: str = "") -> list[Override]:
    now = timezone.now()
    for override in overrides:
        override.state, override.decided_at = state, now
        override.decided_by_id, override.decided_by_name = actor.person_id, actor.name
        override.decision_note = note.strip()[:1000]
    fields = ["state", "decided_at", "decided_by", "decided_by_name", "decision_note"]
    Override.objects.bulk_update(overrides, fields, batch_size=500)
    return overrides
