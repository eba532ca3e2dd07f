"""Locking cards: always the property's row, always in order of ids."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from assessment.property.models import Property
from assessment.region.errors import NotFound


def lock_properties(ids: Iterable[UUID]) -> dict[UUID, Property]:
    """Lock the rows of properties; two writers of one card wait for each other and never deadlock.

    Properties outside of the scope are absent from the answer.
    """
    rows = Property.objects.filter(id__in=set(ids)).order_by("id").select_for_update()
    return {row.id: row for row in rows}


def lock_property(property_id: UUID) -> Property:
    """Lock one property's row; `NotFound` when it is not there or not in scope."""
    found = lock_properties([property_id])
    if not found:
        raise NotFound("There is no such property.")
    return found[property_id]


def raise_versions(ids: Iterable[UUID]) -> None:
    """Count up the version of changed cards: the tablets' feed and caches go by it."""
    Property.objects.filter(id__in=set(ids)).update(version=F("version") + 1, updated_at=timezone.now())
