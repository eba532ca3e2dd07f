"""Taking patches one after the other: each starts from what the ones before it made of the card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from assessment.property.merge import MergeResult, Outcome, PolicyKind, alike, merge_field, start_of_chain
from assessment.property.models import Observation, Property
from assessment.property.rules.policies import breaches
from assessment.property.services.changes import CardRows, Key
from assessment.property.services.observing import AUTO_ACCEPT, Observer
from assessment.property.services.patch_types import CardPatch, FieldConflict, PatchResult
from assessment.property.services.patch_values import (
    SERVERS_NUMBERS,
    RowValues,
    contradictions,
    folded,
    is_addition,
    is_target,
    policy_for,
    read_base,
    read_fitting,
    read_id,
    read_new,
    signature,
)
from assessment.property.services.sketch import shape_values
from assessment.property.targets import WHOLE_ROW, json_value
from assessment.region.errors import Invalid, Problem

CHANGES_RECORD = frozenset({Outcome.TAKEN, Outcome.MERGED_SET, Outcome.APPENDED, Outcome.FIELD_WON})
_MERGING = (PolicyKind.SET, PolicyKind.APPEND)
_REASON = f"seen in the field, accepted by the town's rule {AUTO_ACCEPT}"

Write = Callable[[], None]


class MustWait(Exception):
    """A patch builds on something that has not arrived: it is held, and nothing of it is done."""

    def __init__(self, held_for: UUID, code: str) -> None:
        super().__init__(code)
        self.held_for, self.code = held_for, code


@dataclass(slots=True)
class PatchRun:
    """One call's state: the rows as they become, and what was seen."""

    rows: CardRows
    inspections: frozenset[UUID]
    seen: Observer

    def take(self, patches: Sequence[CardPatch]) -> list[PatchResult]:
        """Take the patches of one change: all of them, or none and each says why."""
        if any(patch.property_id not in self.rows.cards for patch in patches):
            return self._none_of(
                patches, len(self.seen.rows), "quarantined", "unknown-property", "There is no such property."
            )
        results = [PatchResult(patch.patch_id) for patch in patches]
        added = {(p.target_kind, p.target_id) for p in patches if is_addition(p)}
        began = len(self.seen.rows)
        try:
            writes = [
                write
                for patch, result in zip(patches, results, strict=True)
                for write in self._plan(patch, result, added)
            ]
        except MustWait as wait:
            return self._none_of(patches, began, "held", wait.code, held_for=wait.held_for)
        except Problem as problem:
            return self._none_of(patches, began, "quarantined", problem.code, problem.detail)
        for write in writes:
            write()
        for patch, result in zip(patches, results, strict=True):
            result.observation_ids = [
                row["id"] for row in self.seen.rows[began:] if row["target_id"] == patch.target_id
            ]
        return results

    def _none_of(
        self,
        patches: Sequence[CardPatch],
        began: int,
        status: str,
        code: str,
        detail: str = "",
        *,
        held_for: UUID | None = None,
    ) -> list[PatchResult]:
        del self.seen.rows[began:]
        return [
            PatchResult(patch.patch_id, status=status, code=code, detail=detail, held_for=held_for)
            for patch in patches
        ]

    def _plan(self, patch: CardPatch, result: PatchResult, added: set[Key]) -> list[Write]:
        card = self.rows.cards[patch.property_id]
        if patch.inspection_id and patch.inspection_id not in self.inspections:
            raise MustWait(patch.inspection_id, "unknown-inspection")
        if not is_target(patch.target_kind):
            raise Invalid(f"{patch.target_kind!r} is no part of a card.")
        if WHOLE_ROW in patch.changes:
            return self._plan_row(folded(patch), card, result, added)
        return self._plan_fields(patch, card, result)

    # --- fields of a row ---

    def _plan_fields(self, patch: CardPatch, card: Property, result: PatchResult) -> list[Write]:
        key: Key = (patch.target_kind, patch.target_id)
        if card.is_retired:
            return self._park_all(patch, card, result, "edit-vs-retire")
        values, is_proposed = self._row_values(patch, key, card)
        if values is None:
            return self._park_all(patch, card, result, "edit-vs-remove")
        unfit, merged = {}, {}
        for name, change in patch.changes.items():
            new, sentence = read_fitting(patch.target_kind, name, change)
            if sentence:
                unfit[name] = sentence
            else:
                merged[name] = self._merge(patch, values, name, change, new)
        if patch.may_wait and any(made.parked for made in merged.values()):
            raise MustWait(card.id, "unknown-predecessor")
        accepted = {
            name: made.value
            for name, made in merged.items()
            if made.outcome in CHANGES_RECORD and not is_proposed and self.seen.rule(patch, card, name)
        }
        unfit |= contradictions(patch.target_kind, values, accepted)
        for name in patch.changes:
            server = json_value(values.get(name))
            if name in unfit:
                self._park(patch, card, result, name, server, f"invariant: {unfit[name]}")
            else:
                self._record(patch, card, result, name, merged[name], server, waits=name not in accepted)
        if not accepted:
            return []
        return [lambda: self._set(patch, key, accepted)]

    def _row_values(
        self, patch: CardPatch, key: Key, card: Property
    ) -> tuple[Mapping[str, Any] | None, bool]:
        """Return a row's values and whether it is only proposed; None when it is no longer on the card."""
        if key in self.rows.rows and self.rows.property_id(key) == card.id:
            row = self.rows.rows[key]
            return RowValues(key[0], row), False
        if key not in self.rows.rows and (proposed := self.seen.proposed_row(key[1])) is not None:
            return {name: read_base(key[0], name, value) for name, value in proposed.items()}, True
        if key in self.rows.rows or self.rows.is_gone(key) or self.seen.was_known(key[1]):
            return None, False
        raise MustWait(key[1], "unknown-row")

    def _merge(
        self, patch: CardPatch, values: Mapping[str, Any], name: str, change: Mapping[str, Any], new: Any
    ) -> MergeResult:
        kind = patch.target_kind
        server = values.get(name)
        base = server if patch.is_check else read_base(kind, name, change.get("base"))
        policy = policy_for(patch, name)
        walked: list[int] = []
        steps = []
        if policy.kind not in _MERGING and not alike(policy, base, server):
            steps = self.seen.steps(patch.target_id, name)
            pairs = [(read_base(kind, name, s.base), read_base(kind, name, s.value)) for s in steps]
            base, walked = start_of_chain(policy, base, server, pairs)
        later = True
        if policy.kind is PolicyKind.FIELD_WINS and not alike(policy, server, base):
            later = alike(policy, new, server) or self.seen.seen_later(patch, name)
        signed = signature(self.seen.actor.name, patch) if policy.kind is PolicyKind.APPEND else ""
        made = merge_field(policy, base, new, server, seen_later=later, signature=signed)
        if made.outcome is Outcome.NOOP and alike(policy, new, server):
            self.seen.take_back(steps[place] for place in walked)
        return made

    def _set(self, patch: CardPatch, key: Key, accepted: dict[str, Any]) -> None:
        values = dict(accepted)
        if "points_ft" in values and patch.target_kind == "section":
            values.update(shape_values(points_ft=values["points_ft"]))
        self.rows.set(key, values, effective_on=patch.observed_on, reason=_REASON)

    # --- a whole row ---

    def _plan_row(
        self, patch: CardPatch, card: Property, result: PatchResult, added: set[Key]
    ) -> list[Write]:
        if patch.target_kind == "property":
            raise Invalid("An account is neither added nor removed in the field.")
        if card.is_retired:
            return self._park_all(patch, card, result, "edit-vs-retire")
        if patch.changes[WHOLE_ROW].get("new") is None:
            return self._plan_removal(patch, card, result)
        return self._plan_addition(patch, card, result, added)

    def _plan_removal(self, patch: CardPatch, card: Property, result: PatchResult) -> list[Write]:
        key: Key = (patch.target_kind, patch.target_id)
        if key not in self.rows.rows:
            proposed = self.seen.steps(key[1], WHOLE_ROW)
            if any(step.value is not None for step in proposed):
                self.seen.take_back(proposed)
                self._record(patch, card, result, WHOLE_ROW, MergeResult(Outcome.NOOP, None), None)
            elif self.rows.is_gone(key) or self.seen.was_known(key[1]):
                result.fields[WHOLE_ROW] = Outcome.NOOP.value
            else:
                raise MustWait(key[1], "unknown-row")
            return []
        if self._was_edited(patch, key):
            now = {name: json_value(value) for name, value in self.rows.values(key).items()}
            self._park(patch, card, result, WHOLE_ROW, now, "remove-vs-edit")
            return []
        self._record(patch, card, result, WHOLE_ROW, MergeResult(Outcome.TAKEN, None), None)
        if not self.seen.rule(patch, card, WHOLE_ROW):
            return []
        return [lambda: self.rows.remove(key, effective_on=patch.observed_on, reason=_REASON)]

    def _was_edited(self, patch: CardPatch, key: Key) -> bool:
        """Whether somebody changed a row that the device saw gone: by the values it saw, or else by time."""
        base = patch.changes[WHOLE_ROW].get("base")
        if not isinstance(base, Mapping):
            return not self.seen.row_unchanged_since(patch)
        now = self.rows.values(key)
        return any(
            not alike(policy_for(patch, name), read_base(key[0], name, said), now[name])
            and not self.seen.steps(key[1], name)
            for name, said in base.items()
            if name in now
        )

    def _plan_addition(
        self, patch: CardPatch, card: Property, result: PatchResult, added: set[Key]
    ) -> list[Write]:
        key: Key = (patch.target_kind, patch.target_id)
        new = patch.changes[WHOLE_ROW]["new"]
        if not isinstance(new, Mapping):
            raise Invalid("A new row is an object of fields.")
        proposed = None if key in self.rows.rows else self.seen.proposed_row(key[1])
        if key in self.rows.rows or proposed is not None:
            # The same row again, perhaps as it was seen later: what differs goes field by field.
            now = self.rows.values(key) if proposed is None else proposed
            differing = {
                name: {"base": None, "new": value}
                for name, value in new.items()
                if name not in SERVERS_NUMBERS
                and not alike(
                    policy_for(patch, name),
                    read_new(key[0], name, value),
                    read_base(key[0], name, now.get(name)),
                )
            }
            if not differing:
                result.fields[WHOLE_ROW] = Outcome.NOOP.value
                return []
            return self._plan_fields(replace(patch, changes=differing), card, result)
        if self.rows.is_gone(key) or self.seen.was_known(key[1]):
            return self._park_all(patch, card, result, "edit-vs-remove")
        parent_waits = self._look_for_building(new, added)
        values = {name: value for name, value in new.items() if name not in SERVERS_NUMBERS}
        read = {name: read_new(key[0], name, value) for name, value in values.items()}
        if key[0] == "section" and "points_ft" in read:
            shape = shape_values(points_ft=read["points_ft"])
            values, read = {**values, **shape}, {**read, **shape}
        if broken := next(breaches(key[0], read), None):
            return self._park_all(patch, card, result, f"invariant: {broken.sentence}")
        let_through = bool(self.seen.rule(patch, card, WHOLE_ROW)) and not parent_waits
        made = MergeResult(Outcome.TAKEN, new)
        self._record(patch, card, result, WHOLE_ROW, made, None, waits=not let_through)
        if not let_through:
            return []
        return [lambda: self.rows.add(card.id, key, values, effective_on=patch.observed_on, reason=_REASON)]

    def _look_for_building(self, new: Mapping[str, Any], added: set[Key]) -> bool:
        """Return whether the building that a new row stands on waits itself; raise when it is nowhere."""
        if not new.get("building_id"):
            return False
        building: Key = ("building", read_id(new["building_id"]))
        if building in self.rows.rows or building in added:
            return False
        if self.seen.proposed_row(building[1]) is not None:
            return True
        if self.rows.is_gone(building) or self.seen.was_known(building[1]):
            raise Invalid("The building that it stands on is no longer on the card.")
        raise MustWait(building[1], "unknown-row")

    # --- keeping what was seen ---

    def _record(
        self,
        patch: CardPatch,
        card: Property,
        result: PatchResult,
        name: str,
        made: MergeResult,
        server: Any,
        *,
        waits: bool = False,
    ) -> None:
        if made.parked:
            self._park(patch, card, result, name, server, "both sides changed it")
            return
        rule = "" if waits else self.seen.rule(patch, card, name)
        decided: dict[str, Any] = {"decided_at": self.seen.now}
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
        self.seen.observe(patch, card, name, **decided)

    def _park(
        self, patch: CardPatch, card: Property, result: PatchResult, name: str, server: Any, reason: str
    ) -> None:
        observation_id = self.seen.observe(
            patch, card, name, state=Observation.State.CONFLICT, decision_reason=reason[:200]
        )
        change = patch.changes[name]
        result.fields[name] = Outcome.CONFLICT.value
        result.conflicts.append(
            FieldConflict(name, change.get("base"), change.get("new"), server, reason, observation_id)
        )

    def _park_all(self, patch: CardPatch, card: Property, result: PatchResult, reason: str) -> list[Write]:
        for name in patch.changes:
            self._park(patch, card, result, name, None, reason)
        return []
