"""Reading what waits in quarantine, and what is held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Min, QuerySet

from assessment.property.models import Property
from assessment.region.errors import NotFound
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.rules import HELD_ALARM, Status


@dataclass(frozen=True, slots=True)
class Reason:
    """How much waits for one reason, and since when."""

    code: str
    count: int
    oldest_at: dt.datetime


def list_quarantine(
    town_code: int, *, code: str = "", state: str = Quarantine.State.WAITING
) -> QuerySet[Quarantine]:
    """Return a town's quarantine, the oldest first; the caller pages it."""
    rows = Quarantine.objects.filter(town_id=town_code, state=state)
    if code:
        rows = rows.filter(code=code)
    rows = rows.select_related("mutation", "device", "device__person", "proposed_by", "decided_by")
    return rows.order_by("quarantined_at", "id")


def get_quarantined(quarantine_id: UUID) -> Quarantine:
    """Return one row of a town in scope, or raise `NotFound`."""
    rows = Quarantine.objects.select_related(
        "mutation", "device", "device__person", "proposed_by", "decided_by"
    )
    row = rows.filter(id=quarantine_id).first()
    if row is None:
        raise NotFound("There is nothing of that id in quarantine.")
    return row


def list_reasons(town_code: int) -> list[Reason]:
    """Return how much waits for each reason, most first."""
    rows = (
        Quarantine.objects.filter(town_id=town_code, state=Quarantine.State.WAITING)
        .values("code")
        .annotate(count=Count("id"), oldest_at=Min("quarantined_at"))
        .order_by("-count", "code")
    )
    return [Reason(row["code"], row["count"], row["oldest_at"]) for row in rows]


def count_quarantine(town_code: int) -> int:
    """Return how many mutations wait in quarantine."""
    return Quarantine.objects.filter(town_id=town_code, state=Quarantine.State.WAITING).count()


def list_held(town_code: int) -> QuerySet[Mutation]:
    """Return what is held for something that has not arrived, the oldest first; the caller pages it."""
    rows = Mutation.objects.filter(town_id=town_code, status=Status.HELD, held_for__isnull=False)
    return rows.select_related("device", "device__person").order_by("received_at", "id")


def count_held_long(town_code: int, *, now: dt.datetime) -> int:
    """Return how much has been held for longer than is usual: an alarm, since nothing is held silently."""
    rows = Mutation.objects.filter(town_id=town_code, status=Status.HELD, held_for__isnull=False)
    return rows.filter(received_at__lt=now - HELD_ALARM).count()


def find_addresses(town_code: int, mutations: Sequence[Mutation]) -> dict[UUID, Property]:
    """Return the properties that mutations are about, by the mutation's row id."""
    wanted = {row.id: _property_id(row) for row in mutations}
    found = Property.objects.filter(
        town_id=town_code, id__in={key for key in wanted.values() if key}
    ).in_bulk()
    return {row_id: found[key] for row_id, key in wanted.items() if key in found}


def _property_id(row: Mutation) -> UUID | None:
    if row.kind == "card.patch":
        return row.entity_id
    data = row.body.get("data") if isinstance(row.body, dict) else None
    stated = data.get("property_id") if isinstance(data, dict) else None
    try:
        return UUID(str(stated)) if stated else None
    except ValueError:
        return None
