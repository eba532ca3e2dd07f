"""Reading conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, Min, Q, QuerySet

from assessment.property.models import Observation, Photo
from assessment.region.errors import NotFound
from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device

_HERE = (Photo.State.VERIFIED, Photo.State.PROCESSED)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of conflicts is narrowed to; what is empty narrows nothing."""

    state: str = Conflict.State.OPEN
    kind: str = ""
    device_id: UUID | None = None
    street: str = ""
    field: str = ""


def list_conflicts(
    town_code: int, *, only_open: bool = True, chosen: Filter | None = None
) -> QuerySet[Conflict]:
    """Return a town's conflicts, the oldest open ones first; the caller pages them."""
    chosen = chosen or Filter(state=Conflict.State.OPEN if only_open else "")
    rows = Conflict.objects.filter(town_id=town_code).select_related("property", "device", "answered_by")
    if chosen.state == "answered":
        rows = rows.exclude(state=Conflict.State.OPEN)
    elif chosen.state:
        rows = rows.filter(state=chosen.state)
    if chosen.kind:
        rows = rows.filter(kind=chosen.kind)
    if chosen.device_id:
        rows = rows.filter(device_id=chosen.device_id)
    if chosen.street:
        rows = rows.filter(property__street_name__istartswith=chosen.street)
    if chosen.field:
        rows = rows.filter(Q(field=chosen.field) | Q(field__endswith=f"/{chosen.field}"))
    return rows.order_by(F("answered_at").asc(nulls_first=True), "arose_at", "id")


def get_conflict(conflict_id: UUID) -> Conflict:
    """Return a conflict of a town in scope, or raise `NotFound`."""
    rows = Conflict.objects.select_related("property", "device", "device__person", "answered_by", "mutation")
    conflict = rows.filter(id=conflict_id).first()
    if conflict is None:
        raise NotFound("There is no such conflict.")
    return conflict


def list_counts(town_code: int) -> list[tuple[str, str, int]]:
    """Return how many wait of each kind: value, words, count; most first."""
    labels = dict(Conflict.Kind.choices)
    rows = (
        Conflict.objects.filter(town_id=town_code, state=Conflict.State.OPEN)
        .values("kind")
        .annotate(count=Count("id"), oldest=Min("arose_at"))
        .order_by("-count", "kind")
    )
    return [(row["kind"], str(labels[row["kind"]]), row["count"]) for row in rows]


def list_devices_in_conflict(town_code: int) -> list[Device]:
    """Return the tablets of which a conflict waits."""
    rows = Device.objects.filter(town_id=town_code, conflicts__state=Conflict.State.OPEN)
    return list(rows.distinct().order_by("name"))


def list_conflicts_of_author(device: Device, *, package_id: UUID | None = None) -> QuerySet[Conflict]:
    """Return the conflicts in which a device's value, or one by its carrier's other devices, lost or may lose."""
    mine = Q(device=device)
    if device.person_id is not None:
        mine |= Q(device__person_id=device.person_id)
    rows = Conflict.objects.filter(mine, town_id=device.town_id).select_related("property", "answered_by")
    if package_id is not None:
        rows = rows.filter(mutation__package_id=package_id)
    return rows.order_by(F("answered_at").desc(nulls_first=True), "arose_at", "id")


def list_photos_beside(conflict: Conflict, limit: int = 6) -> Sequence[Photo]:
    """Return the photos of the visit at which the field's value was seen, or else the property's latest."""
    seen = Observation.objects.filter(town_id=conflict.town_id, id=conflict.observation_id or conflict.id)
    visit = seen.values_list("inspection_id", flat=True).first() if conflict.observation_id else None
    drawn = Photo.objects.filter(town_id=conflict.town_id, state__in=_HERE).exclude(web_sha256="")
    rows = drawn.order_by("-taken_at", "-created_at")
    if visit is not None and (of_visit := list(rows.filter(inspection_id=visit)[:limit])):
        return of_visit
    return list(rows.filter(property_id=conflict.property_id)[:limit])


def count_open(town_code: int) -> int:
    """Return how many conflicts wait for a person."""
    return Conflict.objects.filter(town_id=town_code, state=Conflict.State.OPEN).count()
