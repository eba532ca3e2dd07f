"""What was seen in the field and waits to be accepted, beside what the record says now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone

from assessment.office.panels import BUILDING_FACTS
from assessment.office.registries import PageScope, QueueState
from assessment.office.tags import amount, words
from assessment.property.models import Observation
from assessment.property.targets import TARGETS, WHOLE_ROW

OPEN = (Observation.State.PENDING, Observation.State.CONFLICT)
_LABELS = {name: label for name, label, *_ in BUILDING_FACTS}
_SILENT = frozenset({"id", "town_id", "property_id", "building_id", "points_ft"})


@dataclass(frozen=True)
class WaitingObservation:
    """One observation as the queue shows it."""

    id: UUID
    property_url: str
    address: str
    what: str
    field: str
    recorded: str
    seen: str
    base: str
    has_moved: bool
    observed_on: Any
    by: str
    source: str
    is_estimated: bool
    state: str
    note: str


def waiting_state(scope: PageScope) -> QueueState:
    """Return how much waits to be accepted, and since when."""
    found = Observation.objects.filter(town_id=scope.town.code, state__in=OPEN).aggregate(
        waiting=Count("id"), oldest=Min("created_at"), conflicts=Count("id", filter=Q(state="conflict"))
    )
    notes = []
    if found["oldest"]:
        notes.append(f"oldest {(timezone.now() - found['oldest']).days} days")
    if found["conflicts"]:
        notes.append(f"{found['conflicts']:,} in conflict")
    url = reverse("inspection-queue", kwargs={"town": scope.town.slug})
    return QueueState(found["waiting"], url, ", ".join(notes))


def list_waiting(
    scope: PageScope, *, state: str = "", text: str = "", start: int = 0, size: int = 50
) -> list[WaitingObservation]:
    """Return observations that wait, card by card; at most ``size`` from ``start``."""
    rows = Observation.objects.filter(town_id=scope.town.code, state__in=[state] if state in OPEN else OPEN)
    if text:
        rows = rows.filter(property__street_name__istartswith=text)
    rows = rows.select_related("property", "inspection__inspected_by").order_by(
        "property__street_name", "property__address_number", "property_id", "observed_on", "id"
    )
    found = list(rows[start : start + size])
    recorded = _read_targets(found)
    return [_waiting(row, recorded.get((row.target_kind, row.target_id)), scope) for row in found]


def _read_targets(rows: Iterable[Observation]) -> dict[tuple[str, UUID], Any]:
    """Read what the record says now: one query for each kind of row."""
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        if row.target_kind in TARGETS:
            wanted[row.target_kind].add(row.target_id)
    return {
        (kind, target.pk): target
        for kind, ids in wanted.items()
        for target in TARGETS[kind]._default_manager.filter(id__in=ids)
    }


def _waiting(row: Observation, target: Any, scope: PageScope) -> WaitingObservation:
    is_row = row.field == WHOLE_ROW
    now = None if target is None or is_row else getattr(target, row.field, None)
    has_moved = not is_row and row.base_value is not None and amount(now) != amount(row.base_value)
    inspector = row.inspection.inspected_by if row.inspection else None
    return WaitingObservation(
        id=row.id,
        property_url=reverse("property", kwargs={"town": scope.town.slug, "property_id": row.property_id}),
        address=row.property.address or f"Account {row.property.account_number}",
        what=_name_target(row, target),
        field=_name_row_change(row) if is_row else _LABELS.get(row.field, words(row.field)),
        recorded=_describe(_row_values(target))
        if is_row and target is not None
        else _written(row.field, now),
        seen=_describe(row.value) if is_row else _written(row.field, row.value),
        base=_written(row.field, row.base_value),
        has_moved=has_moved,
        observed_on=row.observed_on,
        by=inspector.name if inspector else "",
        source=words(row.source) if row.source else "",
        is_estimated=row.is_estimated,
        state=row.state,
        note=row.decision_reason,
    )


def _name_target(row: Observation, target: Any) -> str:
    kind = words(row.target_kind)
    number = getattr(target, "building_number", None) or getattr(target, "line_number", None)
    return f"{kind} {number}" if number else kind


def _name_row_change(row: Observation) -> str:
    return "Taken away" if row.value is None else "New"


def _written(field: str, value: Any) -> str:
    if field == "points_ft" and isinstance(value, Sequence):
        return f"outline of {len(value)} corners"
    return str(value) if field.endswith(("year_built", "_year")) and value is not None else amount(value)


def _row_values(target: Any) -> dict[str, Any]:
    return {field.attname: getattr(target, field.attname) for field in target._meta.concrete_fields}


def _describe(values: Mapping[str, Any] | None) -> str:
    """Return a whole row in one line."""
    if values is None:
        return ""
    shown = {name: value for name, value in values.items() if name not in _SILENT and value not in (None, "")}
    return ", ".join(f"{words(name).lower()} {amount(value)}" for name, value in list(shown.items())[:8])
