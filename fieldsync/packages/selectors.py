"""Choosing properties, and reading packages."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Q, QuerySet

from assessment.property.models import Property
from assessment.region.errors import Invalid, NotFound
from fieldsync.packages.models import Package
from fieldsync.packages.rules import PACKAGE_MAX_PROPERTIES, Selection


def choose_properties(town_code: int, selection: Selection) -> list[UUID]:
    """Return the properties that a selection means now, the longest uninspected first.

    Raises
    ------
    Invalid
        No condition is given, or the limit is more than a tablet should carry.
    """
    if selection.is_empty:
        raise Invalid("Choose properties by a list, a neighbourhood, a street or the last inspection.")
    if not 1 <= selection.limit <= PACKAGE_MAX_PROPERTIES:
        raise Invalid(f"A package holds 1 to {PACKAGE_MAX_PROPERTIES} properties.")
    rows = Property.objects.filter(town_id=town_code, kind=Property.Kind.REAL, is_retired=False)
    if selection.property_ids:
        rows = rows.filter(id__in=selection.property_ids)
    if selection.neighbourhood:
        rows = rows.filter(neighbourhood=selection.neighbourhood)
    if selection.street:
        rows = rows.filter(street_name__iexact=selection.street.strip())
    if selection.not_inspected_since:
        day = selection.not_inspected_since
        rows = rows.filter(Q(last_full_inspection_on__lt=day) | Q(last_full_inspection_on__isnull=True))
    rows = rows.order_by(F("last_full_inspection_on").asc(nulls_first=True), "street_name", "id")
    return list(rows.values_list("id", flat=True)[: selection.limit])


def get_package(package_id: UUID) -> Package:
    """Return a package of a town in scope, or raise `NotFound`."""
    package = Package.objects.select_related("device").filter(id=package_id).first()
    if package is None:
        raise NotFound("There is no such package.")
    return package


def get_package_of_device(package_id: UUID, device_id: UUID) -> Package:
    """Return a package assigned to the device; another device's is answered as if there were none."""
    package = Package.objects.filter(id=package_id, device_id=device_id).first()
    if package is None:
        raise NotFound("There is no such package.")
    return package


def list_packages_of_device(device_id: UUID) -> list[Package]:
    """Return the packages that a device may take, those drawn first at the head."""
    rows = Package.objects.filter(device_id=device_id).exclude(state=Package.State.CLOSED)
    return list(rows.order_by("drawn_at", "id"))


def list_packages(town_code: int) -> QuerySet[Package]:
    """Return a town's packages for the office, the open ones first; the caller pages them."""
    rows = Package.objects.filter(town_id=town_code).select_related("device", "device__person")
    return rows.order_by(F("closed_at").asc(nulls_first=True), "-drawn_at")
