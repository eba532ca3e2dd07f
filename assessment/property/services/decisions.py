"""Deciding on what was seen: only here does an observation that waited change the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from assessment.property.merge import PolicyKind, alike, merge_field, same, start_of_chain
from assessment.property.models import Observation
from assessment.property.parameters import merge_tolerances
from assessment.property.rules.policies import broken_invariant, policy_of
from assessment.property.services.changes import CardRows, Key
from assessment.property.services.locks import lock_properties
from assessment.property.services.patch_values import SERVERS_NUMBERS, read_base
from assessment.property.services.sketch import shape_values
from assessment.property.targets import TARGETS, WHOLE_ROW, read_value
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Invalid, NotFound, Problem
from assessment.region.rules import Permission
from assessment.region.scope import because

_OPEN = (Observation.State.PENDING, Observation.State.CONFLICT)
_MERGING = (PolicyKind.SET, PolicyKind.APPEND)


@dataclass(slots=True)
class Decision:
    """What became of observations that a person accepted.

    Attributes
    ----------
    accepted
        On record now.
    conflicts
        The record changed since they were seen, or they would break a rule of it; they wait, with the
        reason. Accepting a conflict again takes the field's value over the office's.
    settled
        Were decided before; nothing was done.
    """

    accepted: list[UUID] = field(default_factory=list)
    conflicts: dict[UUID, str] = field(default_factory=dict)
    settled: list[UUID] = field(default_factory=list)


def accept_observations(observation_ids: Iterable[UUID], *, actor: Actor, reason: str) -> Decision:
    """Accept what was seen, in the order in which it was seen, and change the record by it.

    The change is effective from the day of the observation. Older observations of the same field that
    still wait are superseded.

    Raises
    ------
    NotFound
        One of them is not there or not in scope.
    Forbidden, Invalid
        The actor may not decide in the town; no reason was given.
    """
    rows = _locked(observation_ids, actor, reason)
    cards = lock_properties(row.property_id for row in rows)
    keys = [(row.target_kind, row.target_id) for row in rows if row.target_kind in TARGETS]
    state = CardRows.load(cards, keys)
    decision = Decision()
    for row in rows:
        if row.state not in _OPEN:
            decision.settled.append(row.id)
            continue
        try:
            _apply(row, state, reason)
        except Problem as problem:
            decision.conflicts[row.id] = problem.detail
            row.state, row.decision_reason = Observation.State.CONFLICT, problem.detail[:200]
        else:
            decision.accepted.append(row.id)
            _decide(row, Observation.State.ACCEPTED, actor, reason)
    state.write()
    with because(reason):
        Observation.objects.bulk_update(rows, ["state", "decided_by", "decided_at", "decision_reason"])
        _supersede([row for row in rows if row.id in set(decision.accepted)])
    return decision


def reject_observations(observation_ids: Iterable[UUID], *, actor: Actor, reason: str) -> int:
    """Reject what was seen, with a reason; it stays on record and the card stays as it is.

    Returns
    -------
    int
        How many were still open.
    """
    rows = [row for row in _locked(observation_ids, actor, reason) if row.state in _OPEN]
    for row in rows:
        _decide(row, Observation.State.REJECTED, actor, reason)
    with because(reason):
        Observation.objects.bulk_update(rows, ["state", "decided_by", "decided_at", "decision_reason"])
    return len(rows)


def withdraw_observations(observation_ids: Iterable[UUID], *, actor: Actor, reason: str) -> int:
    """Let the observer go back on what they saw, as long as nobody has decided on it.

    Raises
    ------
    NotFound, Forbidden
        One of them is not there or not in scope; the actor is not who saw it.

    Returns
    -------
    int
        How many were still open.
    """
    wanted = set(observation_ids)
    rows = list(Observation.objects.filter(id__in=wanted))
    if len(rows) != len(wanted):
        raise NotFound("There is no such observation.")
    if any(row.observed_by_id is None or row.observed_by_id != actor.person_id for row in rows):
        raise Forbidden("Only who saw it can take it back.")
    lock_properties(row.property_id for row in rows)
    with because(reason):
        return Observation.objects.filter(id__in=wanted, state__in=_OPEN).update(
            state=Observation.State.SUPERSEDED, decided_at=timezone.now(), decision_reason=reason[:200]
        )


def reopen_observations(observation_ids: Iterable[UUID], *, actor: Actor, reason: str) -> int:
    """Put decided observations back before a person, as disagreements; the record stays as it is."""
    rows = [row for row in _locked(observation_ids, actor, reason) if row.state not in _OPEN]
    with because(reason):
        return Observation.objects.filter(id__in=[row.id for row in rows]).update(
            state=Observation.State.CONFLICT, decided_by=None, decided_at=None, decision_reason=reason[:200]
        )


def _locked(observation_ids: Iterable[UUID], actor: Actor, reason: str) -> list[Observation]:
    wanted = set(observation_ids)
    if not reason.strip():
        raise Invalid("A decision needs a reason.")
    rows = list(Observation.objects.filter(id__in=wanted))
    if len(rows) != len(wanted):
        raise NotFound("There is no such observation.")
    for town_code in sorted({row.town_id for row in rows}):
        actor.require(Permission.ACCEPT_OBSERVATIONS, town_code)
    lock_properties(row.property_id for row in rows)
    # Read again under the locks: somebody else may have decided meanwhile.
    again = Observation.objects.filter(id__in=wanted).select_related("observed_by")
    return list(again.order_by("observed_on", "created_at", "id"))


def _apply(row: Observation, state: CardRows, reason: str) -> None:
    key: Key = (row.target_kind, row.target_id)
    if state.cards[row.property_id].is_retired:
        raise Invalid("The account was retired.")
    if row.field == WHOLE_ROW:
        _apply_row(row, key, state, reason)
        return
    if key not in state.rows:
        raise Invalid("The row is no longer on the card.")
    value = _merged(row, getattr(state.rows[key], row.field))
    values: dict[str, Any] = {row.field: value}
    if key[0] == "section" and row.field == "points_ft":
        values = shape_values(points_ft=value)
    if sentence := broken_invariant(key[0], {**state.values(key), **values}, changed=values):
        raise Invalid(sentence)
    if not same(getattr(state.rows[key], row.field), value):
        state.set(key, values, effective_on=row.observed_on, reason=reason)


def _apply_row(row: Observation, key: Key, state: CardRows, reason: str) -> None:
    if row.value is None:
        if key in state.rows:
            state.remove(key, effective_on=row.observed_on, reason=reason)
        return
    if key not in state.rows:
        values = {
            name: read_value(key[0], name, value)
            for name, value in row.value.items()
            if name not in SERVERS_NUMBERS
        }
        state.add(row.property_id, key, values, effective_on=row.observed_on, reason=reason)


def _merged(row: Observation, server: Any) -> Any:
    """Return what the column becomes; `Invalid` when the record changed and the row was not yet a conflict."""
    new = read_value(row.target_kind, row.field, row.value)
    base = read_base(row.target_kind, row.field, row.base_value)
    policy = policy_of(row.target_kind, row.field).at(merge_tolerances(row.observed_on))
    if policy.kind in _MERGING:
        return merge_field(policy, base, new, server, signature=_signature(row)).value
    if row.state == Observation.State.PENDING and not alike(policy, server, new):
        base, _ = start_of_chain(policy, base, server, _open_steps(row))
        if not alike(policy, server, base):
            raise Invalid(f"The record says {server} now; the observer started from {row.base_value}.")
    return new


def _open_steps(row: Observation) -> list[tuple[Any, Any]]:
    """Return what else waits on the same field: an earlier step of the same observer among it."""
    steps = Observation.objects.filter(
        town_id=row.town_id, target_id=row.target_id, field=row.field, state__in=_OPEN
    ).exclude(id=row.id)
    return [
        (read_base(row.target_kind, row.field, base), read_base(row.target_kind, row.field, value))
        for base, value in steps.order_by("created_at", "id").values_list("base_value", "value")
    ]


def _signature(row: Observation) -> str:
    when = (
        f"{timezone.localtime(row.captured_at):%Y-%m-%d %H:%M}"
        if row.captured_at
        else row.observed_on.isoformat()
    )
    return f"{row.observed_by.name}, {when}" if row.observed_by else when


def _decide(row: Observation, state: str, actor: Actor, reason: str) -> None:
    row.state = state
    row.decided_by_id = actor.person_id
    row.decided_at = timezone.now()
    row.decision_reason = reason[:200]


def _supersede(accepted: list[Observation]) -> None:
    for row in accepted:
        if policy_of(row.target_kind, row.field).kind in _MERGING:
            continue  # what an earlier one adds is in no later one
        Observation.objects.filter(
            Q(state=Observation.State.PENDING), target_id=row.target_id, field=row.field,
            town_id=row.town_id, observed_on__lte=row.observed_on,
        ).exclude(id=row.id).update(
            state=Observation.State.SUPERSEDED, decision_reason="a later observation was accepted"
        )  # fmt: skip
