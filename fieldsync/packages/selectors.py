"""Reading packages."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from assessment.region.errors import NotFound
from fieldsync.devices.models import Device
from fieldsync.feed.models import PackageRecord
from fieldsync.packages.models import Package


def get_package(package_id: UUID) -> Package:
    """Return a package of a town in scope, or raise `NotFound`."""
    package = Package.objects.select_related("device").filter(id=package_id).first()
    if package is None:
        raise NotFound("There is no such package.")
    return package


def get_package_of_device(package_id: UUID, device_id: UUID) -> Package:
    """Return a package assigned to the device; another device's is answered as if there were none."""
    package = Package.objects.filter(_is_for(device_id), id=package_id).first()
    if package is None:
        raise NotFound("There is no such package.")
    return package


def list_packages_of_device(device_id: UUID) -> list[Package]:
    """Return the packages that a device may take, those drawn first at the head."""
    rows = Package.objects.filter(_is_for(device_id)).exclude(state=Package.State.CLOSED)
    return list(rows.order_by("drawn_at", "id"))


def list_packages(town_code: int) -> QuerySet[Package]:
    """Return a town's packages for the office, the open ones first; the caller pages them."""
    rows = Package.objects.filter(town_id=town_code)
    rows = rows.select_related("device", "device__person", "person", "checked_out_by")
    return rows.order_by(F("closed_at").asc(nulls_first=True), "-drawn_at")


def list_records(package_id: UUID) -> list[UUID]:
    """Return the properties in a package, in the order in which they joined."""
    rows = PackageRecord.objects.filter(package_id=package_id, op=PackageRecord.Op.PUT)
    return list(rows.order_by("joined_seq", "seq").values_list("record_id", flat=True))


def count_carried(device_id: UUID, *, without: UUID) -> tuple[int, int]:
    """Return how many properties and bytes a device carries in its open packages but one."""
    rows = Package.objects.filter(device_id=device_id).exclude(state=Package.State.CLOSED).exclude(id=without)
    found = rows.aggregate(records=Sum("record_count"), byte_count=Sum("byte_count"))
    return found["records"] or 0, found["byte_count"] or 0


def _is_for(device_id: UUID) -> Q:
    """A package is for the tablet it was given to, or for the one that its person carries."""
    carriers = Device.objects.filter(id=device_id, person__isnull=False).values("person_id")
    return Q(device_id=device_id) | Q(device__isnull=True, person_id__in=carriers)
