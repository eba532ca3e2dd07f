"""Keeping both values of a disagreement, and what a person decides about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from assessment.property.models import JournalEntry, Observation
from assessment.property.services import accept_observations, reject_observations, update_row
from assessment.property.targets import json_value, read_value, target_model
from assessment.region.actors import Actor
from assessment.region.errors import Conflict as StateConflict
from assessment.region.errors import Invalid, NotFound
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
    if reason.startswith("edit-vs"):
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
    kind, row_id, name = _target(conflict)
    conflict.before_answer = _value_now(kind, row_id, name)
    waiting = list(
        Observation.objects.filter(
            id__in=[key for key in [conflict.observation_id] if key], state__in=_OPEN_OBSERVATION
        ).values_list("id", flat=True)
    )
    if choice == Conflict.State.FIELD and waiting:
        decision = accept_observations(waiting, actor=actor, reason=reason)
        if decision.conflicts:
            raise Invalid(decision.conflicts[waiting[0]])
        conflict.answer = conflict.ours
    elif choice in (Conflict.State.FIELD, Conflict.State.OTHER):
        conflict.answer = conflict.ours if choice == Conflict.State.FIELD else value
        _set(conflict, conflict.answer, actor=actor, reason=reason)
    elif choice == Conflict.State.OFFICE:
        conflict.answer = conflict.before_answer
    else:
        raise Invalid("Choose the office's value, the field's or another.")
    if choice != Conflict.State.FIELD and waiting:
        reject_observations(waiting, actor=actor, reason=reason)
    conflict.state, conflict.reason = choice, reason[:200]
    conflict.answered_by_id, conflict.answered_at = actor.person_id, timezone.now()
    conflict.save()
    return conflict


def reopen_conflict(conflict_id: UUID, *, actor: Actor, reason: str) -> Conflict:
    """Undo an answer: the record gets back the value that it had before, and the conflict is open again.

    Raises
    ------
    Conflict
        The conflict is open, or the field was changed again since: undoing would take that away.
    """
    conflict = _lock(conflict_id, actor, reason)
    if conflict.state == Conflict.State.OPEN:
        raise StateConflict("This conflict is open.")
    if conflict.state != Conflict.State.OFFICE:
        kind, row_id, name = _target(conflict)
        if _value_now(kind, row_id, name) != _spelled(kind, name, conflict.answer):
            raise StateConflict("The field was changed again since the answer.")
        _set(conflict, conflict.before_answer, actor=actor, reason=reason)
    conflict.state, conflict.reason = Conflict.State.OPEN, reason[:200]
    conflict.answer = conflict.answered_by = conflict.answered_at = None
    conflict.save()
    return conflict


def _lock(conflict_id: UUID, actor: Actor, reason: str) -> Conflict:
    if not reason.strip():
        raise Invalid("An answer needs a reason.")
    conflict = Conflict.objects.select_for_update(of=("self",)).filter(id=conflict_id).first()
    if conflict is None:
        raise NotFound("There is no such conflict.")
    actor.require(Permission.ACCEPT_OBSERVATIONS, conflict.town_id)
    return conflict


def _target(conflict: Conflict) -> tuple[str, UUID, str]:
    parts = conflict.field.split("/")
    if len(parts) == 1:
        return "property", conflict.property_id, parts[0]
    return parts[0], UUID(parts[1]), parts[2]


def _value_now(kind: str, row_id: UUID, name: str) -> Any:
    if name == "*":
        return None
    row = target_model(kind)._default_manager.filter(pk=row_id).first()
    return json_value(getattr(row, name)) if row is not None else None


def _spelled(kind: str, name: str, value: Any) -> Any:
    return json_value(read_value(kind, name, value))


def _set(conflict: Conflict, value: Any, *, actor: Actor, reason: str) -> None:
    kind, row_id, name = _target(conflict)
    if name == "*":
        raise Invalid("Add or remove the row on the record card.")
    update_row(
        conflict.property_id, actor=actor, target_kind=kind, target_id=row_id, reason=reason, **{name: value}
    )
