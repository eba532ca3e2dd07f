"""Overriding what a run concluded, by one person or two, and marking conclusions as reviewed."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.rules import Permission
from valuation.review.asking import Wanted, ask, end, lock, put_in_force, take_back
from valuation.review.errors import OverrideDecided, OverrideInvalid, OverrideNotFound, SecondPersonNeeded
from valuation.review.models import Override
from valuation.runs.models import Conclusion


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
    (override,) = ask([Wanted(conclusion_id, value, reason_code, note)], actor=actor)
    return override


@transaction.atomic
def confirm_override(override_id: UUID, *, actor: Actor, note: str = "") -> list[Override]:
    """Agree as the second person; the override, with those asked for together with it, comes in force.

    Raises
    ------
    SecondPersonNeeded
        The actor asked for it.
    OverrideDecided, OverrideNotFound, Forbidden
        As they say; decided also when a conclusion was changed in between.
    """
    overrides, conclusions = _waiting(override_id, actor=actor)
    if actor.person_id is None or actor.person_id == overrides[0].proposed_by_id:
        raise SecondPersonNeeded("Who asked for an override cannot be the one who agrees to it.")
    if any(conclusions[each.conclusion_id].value != each.value_before for each in overrides):
        raise OverrideDecided(
            "The value was changed since the override was asked for: withdraw it and ask anew."
        )
    put_in_force(overrides, actor=actor, note=note)
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
    return end(overrides, Override.State.REFUSED, actor=actor, note=note)


@transaction.atomic
def withdraw_override(override_id: UUID, *, actor: Actor, note: str = "") -> Override:
    """Take back a waiting override, or one in force: the value before it stands again, with its parts.

    A waiting one is withdrawn with those asked for together with it, by whoever asked; one in force by whoever
    may override. An earlier override that it had replaced is in force again.

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
        end(overrides, Override.State.WITHDRAWN, actor=actor, note=note)
    elif override.state == Override.State.IN_FORCE:
        take_back([override], actor=actor, note=note)
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


def _get(override_id: UUID, *, actor: Actor) -> Override:
    found = Override.objects.filter(id=override_id).first()
    if found is None:
        raise OverrideNotFound("There is no such override.")
    actor.require(Permission.RUN_VALUATION, found.town_id)
    return found


def _waiting(override_id: UUID, *, actor: Actor) -> tuple[list[Override], dict[UUID, Conclusion]]:
    """Return the waiting overrides that were asked for together, and their locked conclusions."""
    override = _get(override_id, actor=actor)
    together = Override.objects.filter(run_id=override.run_id, state=Override.State.WAITING)
    together = together.filter(batch=override.batch) if override.batch else together.filter(id=override.id)
    conclusions = lock(together.values_list("conclusion_id", flat=True))
    # Read again under the lock: of two persons who decide at once the second finds it decided.
    overrides = list(together.order_by("conclusion_id").select_for_update(of=("self",)))
    if not overrides:
        raise OverrideDecided(f"The override is {override.get_state_display().lower()}.")
    return overrides, conclusions
