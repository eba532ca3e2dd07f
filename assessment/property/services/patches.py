"""Changes from the field: recorded as observations, merged field by field, let through by stated rules.

What the field saw is always kept. It changes the record at once only where the town's policy
``auto_accept_observations`` says so for that field; otherwise it waits for a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from assessment.property.bulk import insert_rows
from assessment.property.merge import MergeResult, Outcome, PolicyKind, merge_field, same
from assessment.property.models import Inspection, Observation, Property
from assessment.property.rules.policies import broken_invariant, policy_of
from assessment.property.services.changes import CardRows, Key
from assessment.property.services.locks import lock_properties
from assessment.property.services.patch_types import CardPatch, FieldConflict, PatchResult
from assessment.property.services.sketch import shape_values
from assessment.property.targets import WHOLE_ROW, json_value, read_value, target_model
from assessment.region.actors import Actor
from assessment.region.errors import Invalid, Problem
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from assessment.region.selectors import find_policy

AUTO_ACCEPT = "auto_accept_observations"
_CHANGES_RECORD = frozenset({Outcome.TAKEN, Outcome.MERGED_SET, Outcome.APPENDED, Outcome.FIELD_WON})


def apply_card_patch(
    property_id: UUID,
    *,
    actor: Actor,
    target_kind: str,
    target_id: UUID,
    changes: Mapping[str, Mapping[str, Any]],
    observed_on: dt.date,
    list_year: int,
    **more: Any,
) -> PatchResult:
    """Apply one patch; see `apply_card_patches`. ``more`` are further fields of `CardPatch`."""
    patch = CardPatch(property_id, target_kind, target_id, changes, observed_on, list_year, **more)
    return apply_card_patches([patch], actor=actor)[0]


def apply_card_patches(patches: Sequence[CardPatch], *, actor: Actor) -> list[PatchResult]:
    """Record what patches saw, merge it, and change the record where the town's rule lets it through.

    All cards are locked in order of their ids first. Patches are taken in the order given, so that a later
    one starts from what an earlier one made. Running inside the caller's transaction, it is all or nothing
    for what the database refuses; a patch that makes no sense is quarantined by itself.

    Returns
    -------
    list of PatchResult
        In the order of the patches.
    """
    cards = lock_properties(patch.property_id for patch in patches)
    for town_code in sorted({card.town_id for card in cards.values()}):
        actor.require(Permission.INSPECT, town_code)
    known = [patch for patch in patches if patch.target_kind and patch.property_id in cards]
    rows = CardRows.load(cards, [(p.target_kind, p.target_id) for p in known if _is_target(p.target_kind)])
    run = _Run(actor, rows, _present_inspections(patches), timezone.now())
    results = [run.take(patch) for patch in patches]
    insert_rows(Observation, run.observations)
    rows.write()
    for patch, result in zip(patches, results, strict=True):
        card = cards.get(patch.property_id)
        if card is not None:
            result.version = card.version + (1 if patch.property_id in rows.touched else 0)
    return results


def _is_target(kind: str) -> bool:
    try:
        target_model(kind)
    except Invalid:
        return False
    return True


def _present_inspections(patches: Sequence[CardPatch]) -> frozenset[UUID]:
    wanted = {patch.inspection_id for patch in patches if patch.inspection_id}
    if not wanted:
        return frozenset()
    return frozenset(Inspection.objects.filter(id__in=wanted).values_list("id", flat=True))


@dataclass(slots=True)
class _Run:
    """One call's state: the rows as they become, the observations to write, the towns' rules."""

    actor: Actor
    rows: CardRows
    inspections: frozenset[UUID]
    now: dt.datetime
    observations: list[dict[str, Any]] = field(default_factory=list)
    _rules: dict[tuple[int, dt.date], Mapping[str, Any]] = field(default_factory=dict)
    _edited_at: dict[tuple[UUID, str], dt.datetime | None] = field(default_factory=dict)

    def take(self, patch: CardPatch) -> PatchResult:
        """Take one patch; whatever is wrong with it stays with it."""
        result = PatchResult(patch.patch_id)
        card = self.rows.cards.get(patch.property_id)
        if card is None:
            return _quarantined(result, "unknown-property", "There is no such property.")
        if patch.inspection_id and patch.inspection_id not in self.inspections:
            result.status, result.code = "held", "unknown-inspection"
            return result
        began = len(self.observations)
        try:
            if set(patch.changes) == {WHOLE_ROW}:
                self._take_row(patch, card, result)
            else:
                self._take_fields(patch, card, result)
        except Problem as problem:
            del self.observations[began:]
            return _quarantined(PatchResult(patch.patch_id), problem.code, problem.detail)
        result.observation_ids = [row["id"] for row in self.observations[began:]]
        result.is_soft = patch.base_version is not None and patch.base_version < card.version
        result.status = _status(result)
        return result

    # --- fields of a row that is there ---

    def _take_fields(self, patch: CardPatch, card: Property, result: PatchResult) -> None:
        key: Key = (patch.target_kind, patch.target_id)
        if not _is_target(patch.target_kind):
            raise Invalid(f"{patch.target_kind!r} is no part of a card.")
        if key not in self.rows.rows or self.rows.property_id(key) != card.id:
            self._park_all(patch, card, result, "edit-vs-remove")
            return
        if card.is_retired:
            self._park_all(patch, card, result, "edit-vs-retire")
            return
        merged = {name: self._merge(patch, key, name, change) for name, change in patch.changes.items()}
        accepted = {
            name: made.value
            for name, made in merged.items()
            if made.outcome in _CHANGES_RECORD and self._rule(patch, card, name)
        }
        broken = (
            broken_invariant(patch.target_kind, {**self.rows.values(key), **accepted}) if accepted else ""
        )
        server = {name: getattr(self.rows.rows[key], name) for name in merged}
        for name, made in merged.items():
            if broken and name in accepted:
                self._park(patch, card, result, name, json_value(server[name]), f"invariant: {broken}")
            else:
                self._record(patch, card, result, name, made, json_value(server[name]))
        if accepted and not broken:
            self._set(patch, key, accepted)

    def _merge(self, patch: CardPatch, key: Key, name: str, change: Mapping[str, Any]) -> MergeResult:
        kind = patch.target_kind
        if "new" not in change:
            raise Invalid(f"The change of {name} does not say what was seen.", field=name)
        new = read_value(kind, name, change["new"])
        if kind == "section" and name == "points_ft":
            new = shape_values(points_ft=new)["points_ft"]
        base = _read_base(kind, name, change.get("base"))
        server = getattr(self.rows.rows[key], name)
        policy = policy_of(kind, name)
        later = True
        if policy.kind is PolicyKind.FIELD_WINS and not same(server, base) and not same(new, server):
            later = self._seen_later(patch, key, name)
        signature = f"{self.actor.name}, {patch.observed_on.isoformat()}"
        return merge_field(policy, base, new, server, seen_later=later, signature=signature)

    def _seen_later(self, patch: CardPatch, key: Key, name: str) -> bool:
        edited_at = self._edited_at.get((key[1], name)) or _last_edit(key[1], name)
        self._edited_at[(key[1], name)] = edited_at
        if edited_at is None:
            return True
        if patch.captured_at is not None:
            return patch.captured_at > edited_at
        return patch.observed_on > timezone.localdate(edited_at)

    def _set(self, patch: CardPatch, key: Key, accepted: dict[str, Any]) -> None:
        values = dict(accepted)
        if "points_ft" in values and patch.target_kind == "section":
            values.update(shape_values(points_ft=values["points_ft"]))
        self.rows.set(key, values, effective_on=patch.observed_on, reason=_reason())

    # --- a whole row ---

    def _take_row(self, patch: CardPatch, card: Property, result: PatchResult) -> None:
        if patch.target_kind == "property":
            raise Invalid("An account is neither added nor removed in the field.")
        key: Key = (patch.target_kind, patch.target_id)
        target_model(patch.target_kind)
        new = patch.changes[WHOLE_ROW].get("new")
        held = self.rows.rows.get(key)
        if (new is None) == (held is None):
            result.fields[WHOLE_ROW] = Outcome.NOOP.value
            return
        if card.is_retired:
            self._park_all(patch, card, result, "edit-vs-retire")
            return
        if new is not None:
            for name, value in new.items():
                read_value(patch.target_kind, name, value)
        made = MergeResult(Outcome.TAKEN, new)
        self._record(patch, card, result, WHOLE_ROW, made, None)
        if not self._rule(patch, card, WHOLE_ROW):
            return
        if new is None:
            self.rows.remove(key, effective_on=patch.observed_on, reason=_reason())
        else:
            self.rows.add(card.id, key, dict(new), effective_on=patch.observed_on, reason=_reason())

    # --- keeping what was seen ---

    def _record(
        self, patch: CardPatch, card: Property, result: PatchResult, name: str, made: MergeResult, server: Any
    ) -> None:
        if made.parked:
            self._park(patch, card, result, name, server, "both sides changed it")
            return
        rule = self._rule(patch, card, name)
        decided: dict[str, Any] = {"decided_at": self.now}
        if made.outcome is Outcome.NOOP:
            decided.update(state=Observation.State.ACCEPTED, decided_rule="the record says the same")
        elif made.outcome in (Outcome.OFFICE_KEPT, Outcome.WITHIN_TOLERANCE):
            decided.update(state=Observation.State.SUPERSEDED, decided_rule=made.outcome.value)
        elif rule:
            decided.update(state=Observation.State.ACCEPTED, decided_rule=rule)
        else:
            decided = {"state": Observation.State.PENDING}
            result.fields[name] = "pending"
        result.fields.setdefault(name, made.outcome.value)
        self._observe(patch, card, name, **decided)

    def _park(
        self, patch: CardPatch, card: Property, result: PatchResult, name: str, server: Any, reason: str
    ) -> None:
        observation_id = self._observe(
            patch, card, name, state=Observation.State.CONFLICT, decision_reason=reason[:200]
        )
        change = patch.changes[name]
        result.fields[name] = Outcome.CONFLICT.value
        result.conflicts.append(
            FieldConflict(name, change.get("base"), change.get("new"), server, reason, observation_id)
        )

    def _park_all(self, patch: CardPatch, card: Property, result: PatchResult, reason: str) -> None:
        for name in patch.changes:
            self._park(patch, card, result, name, None, reason)

    def _observe(self, patch: CardPatch, card: Property, name: str, **decided: Any) -> UUID:
        change = patch.changes[name]
        row = {
            "id": new_id(),
            "town_id": card.town_id,
            "property_id": card.id,
            "inspection_id": patch.inspection_id,
            "target_kind": patch.target_kind,
            "target_id": patch.target_id,
            "field": name,
            "base_value": change.get("base"),
            "value": change.get("new"),
            "unit": str(change.get("unit") or "")[:10],
            "source": patch.source[:20],
            "is_estimated": bool(change.get("is_estimated", False)),
            "observed_on": patch.observed_on,
            "list_year": patch.list_year,
            "mutation_id": patch.patch_id,
            "decided_rule": "",
            "decided_at": None,
            "decision_reason": "",
            **decided,
        }
        self.observations.append(row)
        return row["id"]  # type: ignore[no-any-return]

    def _rule(self, patch: CardPatch, card: Property, name: str) -> str:
        """Return the rule that lets a field through at once, or nothing. Estimates always wait."""
        if patch.changes[name].get("is_estimated"):
            return ""
        key = (card.town_id, patch.observed_on)
        if key not in self._rules:
            self._rules[key] = find_policy(card.town_id, AUTO_ACCEPT, on=patch.observed_on, default={})
        allowed = self._rules[key].get(patch.target_kind, ())
        # "*" as a field is a whole row; "any" lets every single field of the row through.
        if name in allowed or (name != WHOLE_ROW and "any" in allowed):
            return f"{AUTO_ACCEPT}: {patch.target_kind}.{name}"[:60]
        return ""


def _read_base(kind: str, name: str, base: Any) -> Any:
    try:
        return read_value(kind, name, base)
    except Invalid:
        return base  # a base that no longer fits the column is simply another value


def _reason() -> str:
    return f"seen in the field, accepted by the town's rule {AUTO_ACCEPT}"


def _quarantined(result: PatchResult, code: str, detail: str) -> PatchResult:
    result.status, result.code, result.detail = "quarantined", code, detail
    return result


def _status(result: PatchResult) -> str:
    if result.conflicts:
        return "conflict"
    outcomes = set(result.fields.values())
    if outcomes <= {Outcome.NOOP.value}:
        return "noop"
    if result.is_soft or outcomes & {Outcome.MERGED_SET.value, Outcome.FIELD_WON.value}:
        return "merged"
    return "applied"


def _last_edit(row_id: UUID, name: str) -> dt.datetime | None:
    """Return when a column was last changed on record."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(at) FROM assessment_journalentry WHERE town_id = ANY((SELECT grandlist_read_towns())::smallint[])"
            " AND row_id = %s AND operation = 'U' AND after ? %s",
            [row_id, name],
        )
        found = cursor.fetchone()
    return found[0] if found else None
