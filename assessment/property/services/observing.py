"""What patches saw, on its way into observations; and what waits already on the same fields and rows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.utils import timezone

from assessment.property.models import JournalEntry, Observation, Property
from assessment.property.services.patch_types import CardPatch
from assessment.property.targets import WHOLE_ROW
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.selectors import find_policy

AUTO_ACCEPT = "auto_accept_observations"
OPEN = (Observation.State.PENDING, Observation.State.CONFLICT)


@dataclass(frozen=True, slots=True)
class Step:
    """An observation that waits: from which value, to which."""

    observation_id: UUID
    base: Any
    value: Any


@dataclass(slots=True)
class Observer:
    """One call's observations, and the lookups that only rare cases need, each made once for all rows.

    Attributes
    ----------
    rows
        To be inserted.
    taken_back
        Observations that waited, and that the observer has since gone back on.
    """

    actor: Actor
    now: dt.datetime
    target_ids: frozenset[UUID]
    rows: list[dict[str, Any]] = field(default_factory=list)
    taken_back: set[UUID] = field(default_factory=set)
    _rules: dict[tuple[int, dt.date], Mapping[str, Any]] = field(default_factory=dict)
    _edited_at: dict[tuple[UUID, str], dt.datetime | None] = field(default_factory=dict)
    _waiting: dict[UUID, dict[str, list[Step]]] | None = None
    _known: frozenset[UUID] | None = None

    def observe(self, patch: CardPatch, card: Property, name: str, **decided: Any) -> UUID:
        """Keep one field as it was seen."""
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
            "observed_by_id": self.actor.person_id,
            "captured_at": patch.captured_at,
            "list_year": patch.list_year,
            "mutation_id": patch.patch_id,
            "decided_rule": "",
            "decided_at": None,
            "decision_reason": "",
            **decided,
        }
        self.rows.append(row)
        return row["id"]  # type: ignore[no-any-return]

    def rule(self, patch: CardPatch, card: Property, name: str) -> str:
        """Return the rule that lets a field through at once, or nothing. Estimates and checks always wait."""
        if patch.is_check or patch.changes[name].get("is_estimated"):
            return ""
        key = (card.town_id, patch.observed_on)
        if key not in self._rules:
            self._rules[key] = find_policy(card.town_id, AUTO_ACCEPT, on=patch.observed_on, default={})
        allowed = self._rules[key].get(patch.target_kind, ())
        # "*" as a field is a whole row; "any" lets every single field of the row through.
        if name in allowed or (name != WHOLE_ROW and "any" in allowed):
            return f"{AUTO_ACCEPT}: {patch.target_kind}.{name}"[:60]
        return ""

    def steps(self, target_id: UUID, name: str) -> list[Step]:
        """Return the observations of a field that wait, those of this call among them, the oldest first."""
        if self._waiting is None:
            self._waiting = _load_waiting(self.target_ids)
        before = self._waiting.get(target_id, {}).get(name, [])
        now = [
            Step(row["id"], row["base_value"], row["value"])
            for row in self.rows
            if row["target_id"] == target_id and row["field"] == name and row["state"] in OPEN
        ]
        return [step for step in (*before, *now) if step.observation_id not in self.taken_back]

    def proposed_row(self, target_id: UUID) -> dict[str, Any] | None:
        """Return a row that was found in the field and waits to be accepted, as it was seen last."""
        added = [step.value for step in self.steps(target_id, WHOLE_ROW) if step.value is not None]
        if not added:
            return None
        values = dict(added[-1])
        names = {name for name in (self._waiting or {}).get(target_id, {}) if name != WHOLE_ROW}
        names |= {row["field"] for row in self.rows if row["target_id"] == target_id} - {WHOLE_ROW}
        for name in names:
            if found := self.steps(target_id, name):
                values[name] = found[-1].value
        return values

    def was_known(self, target_id: UUID) -> bool:
        """Whether a row that is not on its card ever was, or was ever proposed."""
        if self._known is None:
            self._known = _load_known(self.target_ids)
        return target_id in self._known or any(
            row["target_id"] == target_id and row["field"] == WHOLE_ROW for row in self.rows
        )

    def take_back(self, steps: Iterable[Step]) -> None:
        """Let observations wait no longer: their observer has gone back on them."""
        self.taken_back |= {step.observation_id for step in steps}

    def write_taken_back(self) -> None:
        """Write that down, on those of this call (not inserted yet) and on those before."""
        for row in self.rows:
            if row["id"] in self.taken_back:
                row.update(
                    state=Observation.State.SUPERSEDED, decided_at=self.now, decision_reason=_WENT_BACK
                )
        if self.taken_back:
            Observation.objects.filter(id__in=self.taken_back, state__in=OPEN).update(
                state=Observation.State.SUPERSEDED, decided_at=self.now, decision_reason=_WENT_BACK
            )

    def seen_later(self, patch: CardPatch, name: str) -> bool:
        """Whether a field was seen after it was last changed on record."""
        key = (patch.target_id, name)
        if key not in self._edited_at:
            self._edited_at[key] = _last_edit(patch.target_id, name)
        return _is_after(patch, self._edited_at[key])

    def row_unchanged_since(self, patch: CardPatch) -> bool:
        """Whether nobody else has changed a row after it was seen; by its journal."""
        entry = (
            JournalEntry.objects.filter(row_id=patch.target_id)
            .exclude(device_id__isnull=False, device_id=self.actor.device_id)
            .order_by("-id")
            .values_list("at", flat=True)
            .first()
        )
        return _is_after(patch, entry)


_WENT_BACK = "the observer went back on it"


def _is_after(patch: CardPatch, moment: dt.datetime | None) -> bool:
    if moment is None:
        return True
    if patch.captured_at is not None:
        return patch.captured_at > moment
    return patch.observed_on > timezone.localdate(moment)


def _load_waiting(target_ids: Iterable[UUID]) -> dict[UUID, dict[str, list[Step]]]:
    found: dict[UUID, dict[str, list[Step]]] = defaultdict(lambda: defaultdict(list))
    rows = Observation.objects.filter(target_id__in=target_ids, state__in=OPEN).order_by("created_at", "id")
    for key, target_id, name, base, value in rows.values_list(
        "id", "target_id", "field", "base_value", "value"
    ):
        found[target_id][name].append(Step(key, base, value))
    return found


def _load_known(target_ids: Iterable[UUID]) -> frozenset[UUID]:
    journaled = JournalEntry.objects.filter(row_id__in=target_ids).values_list("row_id", flat=True)
    proposed = Observation.objects.filter(target_id__in=target_ids, field=WHOLE_ROW).values_list(
        "target_id", flat=True
    )
    return frozenset(journaled.union(proposed))


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


def find_others_versions(property_ids: Iterable[UUID], *, device_id: UUID | None) -> dict[UUID, int]:
    """Return, for cards, the latest version that somebody else than a device has made."""
    wanted = list(property_ids)
    if not wanted:
        return {}
    rows = JournalEntry.objects.filter(
        row_id__in=wanted, property_id=F("row_id"), after__has_key="version"
    ).exclude(device_id__isnull=False, device_id=device_id)
    latest: dict[UUID, int] = {}
    for row_id, version in rows.values_list("row_id", "after__version"):
        latest[row_id] = max(latest.get(row_id, 0), int(version))
    return latest
