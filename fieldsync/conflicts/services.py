"""Keeping both values of a disagreement, and what a person decides about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from assessment.property.models import JournalEntry, Observation
from assessment.property.rules.standing import bears_from
from assessment.property.services import (
    accept_observations,
    add_row,
    reject_observations,
    remove_row,
    reopen_observations,
    restore_row,
    update_row,
    withdraw_observations,
)
from assessment.property.targets import changeable_fields, json_value, read_value, target_model
from assessment.region.actors import Actor
from assessment.region.errors import Conflict as StateConflict
from assessment.region.errors import Forbidden, Invalid, NotFound
from assessment.region.rules import Permission
from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device

if TYPE_CHECKING:
    from fieldsync.push.effects import Clash

_OPEN_OBSERVATION = (Observation.State.PENDING, Observation.State.CONFLICT)


def open_conflicts(
    ledger_row_id: UUID,
    clashes: Sequence[Clash],
    *,
    device: Device,
    actor: Actor,
    captured_at: dt.datetime | None,
    now: dt.datetime,
) -> list[UUID]:
    """Keep each field for which a tablet and the office differ; returns the ids of the conflicts."""
    rows = []
    for clash in clashes:
        author, changed_at = _last_editor(clash.row_id, clash.name)
        rows.append(
            Conflict(
                town_id=device.town_id,
                property_id=clash.property_id,
                mutation_id=ledger_row_id,
                device=device,
                kind=_kind(clash.reason),
                field=clash.path[:120],
                base=clash.base,
                theirs=clash.theirs,
                ours=clash.ours,
                theirs_author=author,
                theirs_at=changed_at,
                ours_author=actor.name,
                ours_at=captured_at,
                observation_id=clash.observation_id,
                why=clash.reason[:200],
                arose_at=now,
            )
        )
    Conflict.objects.bulk_create(rows)
    return [row.id for row in rows]


def _kind(reason: str) -> str:
    if reason.startswith("invariant"):
        return Conflict.Kind.INVARIANT.value
    if reason.startswith(("edit-vs", "remove-vs")):
        return Conflict.Kind.RETIRED.value
    return Conflict.Kind.CLASH.value


def _last_editor(row_id: UUID, name: str) -> tuple[str, dt.datetime | None]:
    entry = (
        JournalEntry.objects.filter(row_id=row_id, after__has_key=name)
        .order_by("-id")
        .values_list("actor_name", "at")
        .first()
    )
    return entry or ("", None)


def resolve_conflict(
    conflict_id: UUID, *, actor: Actor, choice: Conflict.State, reason: str, value: Any = None
) -> Conflict:
    """Close a conflict: the office's value stays, the field's is taken, or another is set.

    The field's value of a row that the office took away puts the row back first.

    Raises
    ------
    NotFound, Forbidden
        Not in scope; the actor may not accept what was seen.
    Invalid
        No reason, or the value does not fit the field.
    Conflict
        It was closed before.
    """
    conflict = _lock(conflict_id, actor, reason)
    if conflict.state != Conflict.State.OPEN:
        raise StateConflict("This conflict was answered before.", state=conflict.state)
    if choice not in (Conflict.State.OFFICE, Conflict.State.FIELD, Conflict.State.OTHER):
        raise Invalid("Choose the office's value, the field's or another.")
    conflict.before_answer = value_now(conflict)
    waiting = _waiting_observations(conflict)
    if choice == Conflict.State.FIELD:
        conflict.answer = conflict.ours
        _take_the_fields(conflict, waiting, actor=actor, reason=reason)
    elif choice == Conflict.State.OTHER:
        conflict.answer = _set(conflict, value, actor=actor, reason=reason)
    else:
        conflict.answer = conflict.before_answer
    if choice != Conflict.State.FIELD and waiting:
        reject_observations(waiting, actor=actor, reason=reason)
    _close(conflict, choice, actor, reason)
    return conflict


def withdraw_value(conflict_id: UUID, *, actor: Actor, reason: str) -> Conflict:
    """Let the field's author give way: the office's value stays. They need no right to decide for that.

    Raises
    ------
    NotFound, Forbidden
        Not in scope; the actor is not who saw the field's value.
    Conflict
        It was closed before.
    """
    conflict = _find_open(conflict_id, reason)
    conflict.before_answer = conflict.answer = value_now(conflict)
    if waiting := _waiting_observations(conflict):
        withdraw_observations(waiting, actor=actor, reason=reason)
    elif not actor.may(Permission.ACCEPT_OBSERVATIONS, conflict.town_id):
        raise Forbidden("Only who saw it can take it back.")
    _close(conflict, Conflict.State.OFFICE, actor, reason)
    return conflict


def comment_conflict(conflict_id: UUID, *, actor: Actor, says: str) -> Conflict:
    """Let the field's author say why their value is right; the office sees it beside the value."""
    conflict = _find_open(conflict_id, says)
    actor.require(Permission.INSPECT, conflict.town_id)
    conflict.author_says, conflict.author_says_at = f"{actor.name}: {says}"[:400], timezone.now()
    conflict.save(update_fields=["author_says", "author_says_at"])
    return conflict


def reopen_conflict(conflict_id: UUID, *, actor: Actor, reason: str) -> Conflict:
    """Undo an answer: the record gets back what it had before, and the conflict is open again.

    Raises
    ------
    Conflict
        The conflict is open, or the field was changed again since: undoing would take that away.
    """
    conflict = _lock(conflict_id, actor, reason)
    if conflict.state == Conflict.State.OPEN:
        raise StateConflict("This conflict is open.")
    if conflict.state != Conflict.State.OFFICE:
        if conflict.is_of_row() or conflict.before_answer == _ROW_WAS_GONE:
            _put_row_back(conflict, actor=actor, reason=reason)
        else:
            kind, _, name = target_of(conflict)
            if value_now(conflict) != _spelled(kind, name, conflict.answer):
                raise StateConflict("The field was changed again since the answer.")
            _set(conflict, conflict.before_answer, actor=actor, reason=reason)
    if conflict.observation_id is not None:
        known = Observation.objects.filter(id=conflict.observation_id).values_list("id", flat=True)
        reopen_observations(known, actor=actor, reason=reason)
    conflict.state, conflict.reason = Conflict.State.OPEN, reason[:200]
    conflict.answer = conflict.answered_by = conflict.answered_at = None
    conflict.save()
    return conflict


def target_of(conflict: Conflict) -> tuple[str, UUID, str]:
    """Return the kind and id of the row that a conflict is about, and the field."""
    parts = conflict.field.split("/")
    if len(parts) == 1:
        return "property", conflict.property_id, parts[0]
    return parts[0], UUID(parts[1]), parts[2]


def value_now(conflict: Conflict) -> Any:
    """Return what the record says now: the field's value, or of a whole row its values, or that it is gone."""
    kind, row_id, name = target_of(conflict)
    row = target_model(kind)._default_manager.filter(pk=row_id).first()
    if row is None:
        return _ROW_WAS_GONE
    if name == "*":
        return {each: json_value(getattr(row, each)) for each in changeable_fields(kind)}
    return json_value(getattr(row, name))


_ROW_WAS_GONE = {"row": "not on the card"}


def _find_open(conflict_id: UUID, reason: str) -> Conflict:
    if not reason.strip():
        raise Invalid("An answer needs a reason.")
    conflict = Conflict.objects.select_for_update(of=("self",)).filter(id=conflict_id).first()
    if conflict is None:
        raise NotFound("There is no such conflict.")
    if conflict.state != Conflict.State.OPEN:
        raise StateConflict("This conflict was answered before.", state=conflict.state)
    return conflict


def _lock(conflict_id: UUID, actor: Actor, reason: str) -> Conflict:
    if not reason.strip():
        raise Invalid("An answer needs a reason.")
    conflict = Conflict.objects.select_for_update(of=("self",)).filter(id=conflict_id).first()
    if conflict is None:
        raise NotFound("There is no such conflict.")
    actor.require(Permission.ACCEPT_OBSERVATIONS, conflict.town_id)
    return conflict


def _waiting_observations(conflict: Conflict) -> list[UUID]:
    if conflict.observation_id is None:
        return []
    rows = Observation.objects.filter(id=conflict.observation_id, state__in=_OPEN_OBSERVATION)
    return list(rows.values_list("id", flat=True))


def _take_the_fields(conflict: Conflict, waiting: list[UUID], *, actor: Actor, reason: str) -> None:
    kind, row_id, name = target_of(conflict)
    was_gone = conflict.before_answer == _ROW_WAS_GONE
    if was_gone and not (name == "*" and conflict.ours is None) and _was_taken_off(conflict):
        restore_row(conflict.property_id, actor=actor, target_kind=kind, target_id=row_id, reason=reason)
    if waiting:
        decision = accept_observations(waiting, actor=actor, reason=reason)
        if decision.conflicts:
            raise Invalid(decision.conflicts[waiting[0]])
    elif name != "*":
        _set(conflict, conflict.ours, actor=actor, reason=reason)
    elif conflict.ours is None:
        remove_row(conflict.property_id, actor=actor, target_kind=kind, target_id=row_id, reason=reason)
    elif value_now(conflict) == _ROW_WAS_GONE:
        add_row(
            conflict.property_id, actor=actor, target_kind=kind, reason=reason, row_id=row_id, **conflict.ours
        )


def _was_taken_off(conflict: Conflict) -> bool:
    _, row_id, _ = target_of(conflict)
    return JournalEntry.objects.filter(row_id=row_id, operation="D").exists()


def _put_row_back(conflict: Conflict, *, actor: Actor, reason: str) -> None:
    """Undo what the answer did to a whole row: it comes back, or goes again, if nobody changed it since."""
    kind, row_id, _ = target_of(conflict)
    if conflict.before_answer != _ROW_WAS_GONE:
        if value_now(conflict) == _ROW_WAS_GONE:
            restore_row(conflict.property_id, actor=actor, target_kind=kind, target_id=row_id, reason=reason)
        return
    if value_now(conflict) == _ROW_WAS_GONE:
        return
    changed = JournalEntry.objects.filter(row_id=row_id, operation="U", at__gt=conflict.answered_at)
    if conflict.answered_at and changed.exists():
        raise StateConflict("The row was changed again since the answer.")
    remove_row(conflict.property_id, actor=actor, target_kind=kind, target_id=row_id, reason=reason)


def _spelled(kind: str, name: str, value: Any) -> Any:
    return json_value(read_value(kind, name, value))


def _set(conflict: Conflict, value: Any, *, actor: Actor, reason: str) -> Any:
    """Set the field, and return the value as the record spells it."""
    kind, row_id, name = target_of(conflict)
    if name == "*":
        raise Invalid("A whole row is there or not: take the office's or the field's.")
    update_row(
        conflict.property_id,
        actor=actor,
        target_kind=kind,
        target_id=row_id,
        reason=reason,
        effective_on=_stands_from(conflict),
        **{name: value},
    )
    return _spelled(kind, name, value)


def _stands_from(conflict: Conflict) -> dt.date | None:
    """Return the day from which an answer stands: that of what was seen, so that it bears on the same list."""
    if conflict.observation_id is None:
        return None
    rows = Observation.objects.filter(id=conflict.observation_id).values_list("observed_on", "list_year")
    seen = rows.first()
    return bears_from(*seen) if seen else None


def _close(conflict: Conflict, choice: str, actor: Actor, reason: str) -> None:
    conflict.state, conflict.reason = choice, reason[:200]
    conflict.answered_by_id, conflict.answered_at = actor.person_id, timezone.now()
    conflict.save()
