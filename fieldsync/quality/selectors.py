"""Reading re-checks, and hiding from the second person what the first one entered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from assessment.property.models import Inspection, Observation, Photo
from assessment.region.errors import NotFound
from fieldsync.quality.models import Recheck, RecheckItem
from fieldsync.quality.rules import WHOLE_ROW, Seen, mask_card


def mask_cards(package_id: UUID, cards: Mapping[UUID, str]) -> dict[UUID, str]:
    """Return cards without what the first inspection of a re-check entered, in canonical JSON."""
    firsts = dict(
        RecheckItem.objects.filter(recheck__package=package_id, property_id__in=list(cards)).values_list(
            "first_inspection_id", "property_id"
        )
    )
    seen: dict[UUID, list[Seen]] = {}
    for entered in Observation.objects.filter(inspection_id__in=list(firsts)):
        assert entered.inspection_id is not None
        seen.setdefault(firsts[entered.inspection_id], []).append(
            Seen(entered.target_kind, str(entered.target_id), entered.field)
        )
    for photo in Photo.objects.filter(inspection_id__in=list(firsts)):
        assert photo.inspection_id is not None
        seen.setdefault(firsts[photo.inspection_id], []).append(Seen("photo", str(photo.id), WHOLE_ROW))
    return {key: mask_card(text, seen.get(key, ())) for key, text in cards.items()}


@dataclass(frozen=True, slots=True)
class Batch:
    """What one person inspected: in a package, between two days (both included), or both."""

    person_id: UUID
    package_id: UUID | None = None
    first_on: dt.date | None = None
    last_on: dt.date | None = None


def list_batch(town_code: int, batch: Batch) -> dict[UUID, UUID]:
    """Return the properties of a batch, each with the person's last inspection that entered something."""
    rows = Inspection.objects.filter(
        town_id=town_code, inspected_by_id=batch.person_id, observations__isnull=False
    ).exclude(purpose="recheck")
    if batch.package_id:
        rows = rows.filter(package_id=batch.package_id)
    if batch.first_on:
        rows = rows.filter(visited_at__date__gte=batch.first_on)
    if batch.last_on:
        rows = rows.filter(visited_at__date__lte=batch.last_on)
    checks = Recheck.objects.filter(town_id=town_code).values("package_id")
    rows = rows.exclude(package_id__in=checks).order_by("visited_at", "id")
    return dict(rows.values_list("property_id", "id"))


def find_second_inspections(recheck: Recheck) -> dict[UUID, UUID]:
    """Return the last inspection of each property that somebody else made for a re-check."""
    rows = Inspection.objects.filter(town_id=recheck.town_id, package_id=recheck.package_id)
    rows = rows.exclude(inspected_by_id=recheck.first_person_id).order_by("visited_at", "id")
    return dict(rows.values_list("property_id", "id"))


def entered_by(inspection_id: UUID) -> dict[tuple[str, str, str], Any]:
    """Return what an inspection entered, by kind, row and field; the last where a field came twice."""
    rows = Observation.objects.filter(inspection_id=inspection_id).order_by("created_at", "id")
    return {(row.target_kind, str(row.target_id), row.field): row.value for row in rows}


def find_first_person(package_id: UUID) -> UUID | None:
    """Return whose work a package looks at again, or None when it is no re-check."""
    return Recheck.objects.filter(package=package_id).values_list("first_person_id", flat=True).first()


def get_recheck(recheck_id: UUID) -> Recheck:
    """Return a re-check of a town in scope, or raise `NotFound`."""
    recheck = _rechecks().filter(id=recheck_id).first()
    if recheck is None:
        raise NotFound("There is no such re-check.")
    return recheck


def list_rechecks(town_code: int) -> QuerySet[Recheck]:
    """Return a town's re-checks, the newest first; the caller pages them."""
    return _rechecks().filter(town_id=town_code).order_by("-drawn_at", "id")


def list_items(recheck_id: UUID) -> list[RecheckItem]:
    """Return the properties of a re-check, those that agree least first."""
    rows = RecheckItem.objects.filter(recheck=recheck_id).select_related("property")
    return sorted(rows, key=lambda item: (item.fields_agreeing - item.fields_compared, item.property.address))


def _rechecks() -> QuerySet[Recheck]:
    rows = Recheck.objects.select_related("package", "source_package", "first_person", "follow_up")
    return rows.annotate(properties=Count("items"), seen=Count("items__second_inspection"))
