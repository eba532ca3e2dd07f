"""Reading the ledger's side of a statement, and the statements that were given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from django.db.models import QuerySet

from assessment.property.models import Photo
from fieldsync.devices.models import Device
from fieldsync.photos.services import ON_THE_WAY, known_hashes
from fieldsync.push.models import Mutation
from fieldsync.reconciliation.models import Statement


def list_numbered(device_id: UUID) -> Iterator[tuple[int, UUID]]:
    """Give every change of a device that the ledger holds, by its number; a number may come twice."""
    numbered = Mutation.objects.filter(device_id=device_id, device_seq__gt=0)
    return numbered.values_list("device_seq", "mutation_id").iterator(chunk_size=20_000)


def list_missing_photos(device: Device, claimed: Iterable[str]) -> list[str]:
    """Return the hashes of the claimed photos, and of those that the device declared, whose bytes are not here."""
    declared = Mutation.objects.filter(device=device, kind="photo.declare").values("entity_id")
    waiting = Photo.objects.filter(town_id=device.town_id, state__in=ON_THE_WAY, id__in=declared)
    stated = set(claimed) | set(waiting.exclude(sha256="").values_list("sha256", flat=True))
    return sorted(stated - set(known_hashes(device.town_id, stated)))


def list_statements(device_id: UUID) -> QuerySet[Statement]:
    """Return a device's statements, the latest first; the caller pages them."""
    return Statement.objects.filter(device_id=device_id).order_by("-stated_at", "-id")


def find_last_statements(device_ids: Sequence[UUID]) -> dict[UUID, Statement]:
    """Return the last statement of each device that has one."""
    rows = Statement.objects.filter(device_id__in=device_ids).order_by("device_id", "-stated_at", "-id")
    return {row.device_id: row for row in rows.distinct("device_id")}
