"""Drawing, assigning, building, taking back and closing packages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.errors import Conflict, Invalid, NotFound
from assessment.region.models import Person
from assessment.region.rules import Permission, permissions_of
from assessment.region.selectors import find_policy, get_person_with_roles
from fieldsync.devices.models import Device
from fieldsync.feed.services import add_records, close_feed, remove_records
from fieldsync.packages.building import build_package, is_current, lock_package
from fieldsync.packages.choosing import choose_properties, estimate_package
from fieldsync.packages.models import Package
from fieldsync.packages.rules import PACKAGE_MAX_PROPERTIES, Budget, Selection, split_evenly
from fieldsync.packages.selectors import count_carried, list_records
from fieldsync.problems import OverBudget, PackageClosed
from fieldsync.push.versions import CURRENT_VERSION
from fieldsync.quality.selectors import find_first_person

__all__ = [
    "assign_package", "build_package", "change_members", "check_out_package", "close_package", "create_package",
    "draw_package", "is_current", "release_package", "split_package", "take_back_package",
]  # fmt: skip

BUDGET_POLICY = "package_budget"


def draw_package(
    town_code: int,
    *,
    actor: Actor,
    title: str,
    selection: Selection,
    list_year: int,
    kind: str = Package.Kind.REVALUATION,
    device_id: UUID | None = None,
    person_id: UUID | None = None,
    reason: str = "",
) -> Package:
    """Make a package of the properties that a selection means now, for a device or a person if one is given.

    Raises
    ------
    Invalid
        The selection is empty or means no property.
    OverBudget
        Whoever it is for would carry too much.
    """
    actor.require(Permission.MANAGE_PACKAGES, town_code)
    property_ids = choose_properties(town_code, selection)
    if not property_ids:
        raise Invalid("No property of the town fits this selection.")
    package = create_package(
        town_code,
        actor=actor,
        property_ids=property_ids,
        title=title,
        list_year=list_year,
        kind=kind,
        selection=selection.as_json(),
        reason=reason,
    )
    if device_id is not None or person_id is not None:
        return assign_package(package.id, device_id, person_id=person_id, actor=actor)
    return package


def create_package(
    town_code: int,
    *,
    actor: Actor,
    property_ids: Sequence[UUID],
    title: str,
    list_year: int,
    kind: str,
    selection: dict[str, Any] | None = None,
    reason: str = "",
    parent: Package | None = None,
) -> Package:
    """Make a package of these properties, in this order."""
    actor.require(Permission.MANAGE_PACKAGES, town_code)
    package = Package.objects.create(
        town_id=town_code,
        title=title.strip()[:120] or "Package",
        kind=kind,
        selection=selection or {},
        list_year=list_year,
        schema_version=CURRENT_VERSION,
        record_count=len(property_ids),
        drawn_by_id=actor.person_id,
        drawn_at=timezone.now(),
        reason=reason.strip()[:400],
        parent=parent,
    )
    add_records(package, property_ids, actor=actor)
    return package


def assign_package(
    package_id: UUID, device_id: UUID | None = None, *, actor: Actor, person_id: UUID | None = None
) -> Package:
    """Give a package to a device of the same town, or to a person, who takes it on any tablet.

    Whoever had it before loses it with the next request; what that tablet still holds is taken when it comes.

    Raises
    ------
    NotFound
        The town has no such device or person.
    Conflict
        The device is suspended or revoked, or the person may not inspect in this town.
    OverBudget
    """
    package = lock_package(package_id, actor=actor)
    device = _find_device(package, device_id) if device_id else None
    person = _find_person(package, person_id) if person_id else None
    if device is None and person is None:
        raise Invalid("Name the tablet or the person.")
    if package.is_blind:
        _require_another(package, device, person)
    _require_budget(package, device)
    if device != package.device or device is None:
        package.checked_out_by = package.checked_out_at = None
    package.device, package.person, package.assigned_at = device, person, timezone.now()
    package.save(update_fields=["device", "person", "assigned_at", "checked_out_by", "checked_out_at"])
    return package


def take_back_package(package_id: UUID, *, actor: Actor) -> Package:
    """Take a package from its device. What the device still holds for it is taken when it comes."""
    package = lock_package(package_id, actor=actor)
    package.device = package.person = package.assigned_at = None
    package.checked_out_by = package.checked_out_at = None
    package.save(update_fields=["device", "person", "assigned_at", "checked_out_by", "checked_out_at"])
    return package


def split_package(package_id: UUID, into: int, *, actor: Actor) -> list[Package]:
    """Divide a package into so many of nearly equal size, in the order of its route; the first stays itself.

    The new ones belong to nobody yet. The tablet that has the package is told by the feed what left it.

    Raises
    ------
    Invalid
        It has fewer properties than parts.
    """
    package = lock_package(package_id, actor=actor)
    if package.is_blind:
        raise Conflict("A re-check is decided as a whole, so it cannot be split.")
    try:
        runs = split_evenly(list_records(package_id), into)
    except ValueError as error:
        raise Invalid(f"{package.record_count} properties cannot be split into {into}.") from error
    made = [
        create_package(
            package.town_id,
            actor=actor,
            property_ids=run,
            title=f"{package.title[:110]} ({number} of {into})",
            list_year=package.list_year,
            kind=package.kind,
            selection=package.selection,
            reason=package.reason,
            parent=package,
        )
        for number, run in enumerate(runs[1:], start=2)
    ]
    for run in runs[1:]:
        remove_records(package, run, actor=actor, reason="split")
    package.record_count = len(runs[0])
    package.save(update_fields=["record_count"])
    return [package, *made]


def close_package(package_id: UUID, *, actor: Actor) -> Package:
    """End a package: its feed is numbered no more and devices may not take it."""
    package = lock_package(package_id, actor=actor)
    close_feed(package)
    package.state, package.closed_at = Package.State.CLOSED, timezone.now()
    package.checked_out_by = package.checked_out_at = None
    package.save(update_fields=["state", "closed_at", "checked_out_by", "checked_out_at"])
    return package


def check_out_package(package: Package, device: Device) -> Package:
    """Note that a device has the package now. It informs the office, and keeps nobody from anything.

    Raises
    ------
    PackageClosed
    """
    if package.state == Package.State.CLOSED:
        raise PackageClosed
    package.checked_out_by, package.checked_out_at = device, timezone.now()
    package.save(update_fields=["checked_out_by", "checked_out_at"])
    return package


def release_package(package: Package, device: Device) -> Package:
    """Note that a device has put the package down; another's note stays."""
    if package.checked_out_by_id == device.id:
        package.checked_out_by = package.checked_out_at = None
        package.save(update_fields=["checked_out_by", "checked_out_at"])
    return package


def change_members(
    package_id: UUID, *, actor: Actor, add: Collection[UUID] = (), remove: Collection[UUID] = ()
) -> Package:
    """Add properties to a package and take others out; the device learns of both by the feed."""
    package = lock_package(package_id, actor=actor)
    removed = remove_records(package, remove, actor=actor, reason="taken out")
    added = add_records(package, add, actor=actor)
    package.record_count += added - removed
    if package.record_count > PACKAGE_MAX_PROPERTIES:
        raise Invalid(f"A package holds at most {PACKAGE_MAX_PROPERTIES} properties.")
    package.save(update_fields=["record_count"])
    return package


def _find_device(package: Package, device_id: UUID) -> Device:
    device = Device.objects.filter(id=device_id, town_id=package.town_id).first()
    if device is None:
        raise NotFound("There is no such device.")
    if device.state != Device.State.ACTIVE:
        raise Conflict("The device is suspended or revoked.")
    return device


def _find_person(package: Package, person_id: UUID) -> Person:
    person, roles = get_person_with_roles(person_id, package.town_id, on=timezone.localdate())
    if Permission.INSPECT not in permissions_of(roles):
        raise Conflict(f"{person.name} may not inspect in this town.")
    return person


def _require_another(package: Package, device: Device | None, person: Person | None) -> None:
    who = person.id if person else device.person_id if device else None
    if who is None:
        raise Conflict("A re-check goes to a person: nobody carries this tablet.")
    if who == find_first_person(package.id):
        raise Conflict("A re-check goes to another person than the first.")


def _require_budget(package: Package, device: Device | None) -> None:
    said = find_policy(package.town_id, BUDGET_POLICY, on=timezone.localdate(), default={})
    budget = Budget(**{name: int(value) for name, value in said.items() if name in Budget.__slots__})
    carried, byte_count = count_carried(device.id, without=package.id) if device else (0, 0)
    size = package.byte_count or estimate_package(package.town_id, list_records(package.id))
    excess = budget.excess(properties=carried + package.record_count, byte_count=byte_count + size)
    if excess:
        raise OverBudget(f"The tablet would carry {excess}.")
