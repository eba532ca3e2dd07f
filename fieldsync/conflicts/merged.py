"""What was merged without asking anybody: both values, by which policy, and which of them is on record now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, F, Func, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Concat

from assessment.property.merge import Outcome, PolicyKind
from assessment.property.models import JournalEntry, Observation
from assessment.property.rules.policies import POLICIES
from assessment.property.targets import TARGETS, json_value
from assessment.region.errors import NotFound
from fieldsync.push.models import Mutation

KEPT = (Outcome.OFFICE_KEPT.value, Outcome.WITHIN_TOLERANCE.value)
"""The office's value stayed; the field's is in the observation alone."""
WRITTEN = (Outcome.MERGED_SET.value, Outcome.APPENDED.value, Outcome.FIELD_WON.value)
"""The record took something of the field's; what the office had is in the journal."""
WORDS = {
    Outcome.WITHIN_TOLERANCE.value: "Within tolerance: the office's stays",
    Outcome.OFFICE_KEPT.value: "The office decides this field",
    Outcome.MERGED_SET.value: "Both sets put together",
    Outcome.APPENDED.value: "The field's text added",
    Outcome.FIELD_WON.value: "Seen later in the field",
}
_WRITING = (PolicyKind.SET, PolicyKind.APPEND, PolicyKind.FIELD_WINS)
# The journal's clock is the transaction's beginning, the decision's is read within it.
_SAME_WRITE = dt.timedelta(minutes=2)
_NOT_KNOWN = object()


@dataclass(frozen=True, slots=True)
class MergedFilter:
    """What the list is narrowed to; what is empty narrows nothing."""

    outcome: str = ""
    field: str = ""
    street: str = ""
    package_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """One field that was merged without asking.

    Attributes
    ----------
    base, office, field
        What the tablet showed, what the office had when the field's value came, and what the field saw.
    is_office_known
        Whether the journal still tells what the office had.
    now
        What the record says now.
    """

    observation: Observation
    outcome: str
    base: Any
    office: Any
    is_office_known: bool
    field: Any
    now: Any


def list_merged(town_code: int, chosen: MergedFilter | None = None) -> QuerySet[Observation]:
    """Return what was merged without asking, the latest first, each with ``outcome``; the caller pages it."""
    chosen = chosen or MergedFilter()
    rows = Observation.objects.filter(_candidates(), town_id=town_code, mutation_id__isnull=False)
    path = Case(
        When(target_kind="property", then=F("field")),
        default=Concat(F("target_kind"), Value("/"), Cast("target_id", CharField()), Value("/"), F("field")),
        output_field=CharField(),
    )
    mutation = Mutation.objects.filter(town_id=OuterRef("town_id"), mutation_id=OuterRef("mutation_id"))
    outcome = Func(
        F("result"), Value("fields"), OuterRef("path"), function="jsonb_extract_path_text", output_field=TextField()
    )  # fmt: skip
    rows = rows.annotate(path=path).annotate(
        outcome=Subquery(mutation.annotate(came_out=outcome).values("came_out")[:1]),
        device_name=Subquery(mutation.values("device__name")[:1]),
    )
    rows = rows.filter(outcome__in=[chosen.outcome] if chosen.outcome in WORDS else list(WORDS))
    if chosen.field:
        rows = rows.filter(field=chosen.field)
    if chosen.street:
        rows = rows.filter(property__street_name__istartswith=chosen.street)
    if chosen.package_id:
        of_package = Mutation.objects.filter(town_id=town_code, package_id=chosen.package_id)
        rows = rows.filter(mutation_id__in=of_package.values("mutation_id"))
    return rows.select_related("property", "observed_by").order_by("-created_at", "-id")


def get_merged(town_code: int, observation_id: UUID) -> Merged:
    """Return one field that was merged without asking, or raise `NotFound`."""
    row = list_merged(town_code).filter(id=observation_id).first()
    if row is None:
        raise NotFound("There is nothing of that id that was merged without asking.")
    (found,) = with_values([row])
    return found


def with_values(rows: Sequence[Observation]) -> list[Merged]:
    """Return rows of `list_merged` with what the office had and what the record says now, in few queries."""
    now = _values_now(rows)
    history = _history(rows)
    return [_merged(row, now.get((row.target_kind, row.target_id)), history) for row in rows]


def _candidates() -> Q:
    """Fields whose policy may have written, where they were accepted, and whatever the office kept."""
    found = Q(state=Observation.State.SUPERSEDED, decided_rule__in=KEPT)
    for kind, policies in POLICIES.items():
        names = [name for name, policy in policies.items() if policy.kind in _WRITING]
        if names:
            found |= Q(state=Observation.State.ACCEPTED, target_kind=kind, field__in=names)
    return found


def _values_now(rows: Sequence[Observation]) -> dict[tuple[str, UUID], Any]:
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        wanted[row.target_kind].add(row.target_id)
    return {
        (kind, target.pk): target
        for kind, ids in wanted.items()
        if kind in TARGETS
        for target in TARGETS[kind]._default_manager.filter(id__in=ids)
    }


def _history(rows: Sequence[Observation]) -> dict[UUID, list[JournalEntry]]:
    days = [row.decided_at for row in rows if row.decided_at]
    if not days:
        return {}
    entries = JournalEntry.objects.filter(
        town_id=rows[0].town_id,
        row_id__in={row.target_id for row in rows},
        operation="U",
        at__gte=min(days) - _SAME_WRITE,
    )
    found: dict[UUID, list[JournalEntry]] = defaultdict(list)
    for entry in entries.order_by("id"):
        found[entry.row_id].append(entry)
    return found


def _merged(row: Observation, target: Any, history: Mapping[UUID, list[JournalEntry]]) -> Merged:
    outcome = str(row.outcome)  # type: ignore[attr-defined]
    now = None if target is None else json_value(getattr(target, row.field))
    entries = [each for each in history.get(row.target_id, ()) if row.field in (each.before or {})]
    office: Any = _NOT_KNOWN
    if row.decided_at is not None and outcome in KEPT:
        later = next((each for each in entries if each.at > row.decided_at), None)
        office = (later.before or {})[row.field] if later else now
    elif row.decided_at is not None:
        # An observation's own write: the one nearest to its decision.
        near = [(abs(each.at - row.decided_at), each) for each in entries]
        near = [pair for pair in near if pair[0] <= _SAME_WRITE]
        if near:
            office = (min(near, key=lambda pair: pair[0])[1].before or {})[row.field]
    return Merged(
        observation=row,
        outcome=outcome,
        base=row.base_value,
        office=None if office is _NOT_KNOWN else office,
        is_office_known=office is not _NOT_KNOWN,
        field=row.value,
        now=now,
    )
