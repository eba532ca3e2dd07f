"""Drawing, assigning, building, taking back and closing packages."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from assessment.property.blobs import store_blob
from assessment.region.actors import Actor
from assessment.region.errors import Conflict, Invalid, NotFound
from assessment.region.rules import Permission
from assessment.region.scope import scope
from fieldsync.devices.models import Device
from fieldsync.feed.rules import CHECKSUM_ALGORITHM, Cursor, spell_checksum
from fieldsync.feed.selectors import find_epoch, read_page
from fieldsync.feed.services import add_records, close_feed, ensure_epoch, keep_hashes, remove_records
from fieldsync.feed.snapshot import one_moment
from fieldsync.packages.models import Package
from fieldsync.packages.rules import PACKAGE_MAX_PROPERTIES, Selection
from fieldsync.packages.selectors import choose_properties
from fieldsync.push.versions import CURRENT_VERSION


def draw_package(
    town_code: int,
    *,
    actor: Actor,
    title: str,
    selection: Selection,
    list_year: int,
    kind: str = Package.Kind.REVALUATION,
    device_id: UUID | None = None,
) -> Package:
    """Make a package of the properties that a selection means now, for a device if one is given.

    Raises
    ------
    Invalid
        The selection is empty or means no property.
    """
    actor.require(Permission.MANAGE_PACKAGES, town_code)
    property_ids = choose_properties(town_code, selection)
    if not property_ids:
        raise Invalid("No property of the town fits this selection.")
    now = timezone.now()
    package = Package.objects.create(
        town_id=town_code,
        title=title.strip() or "Package",
        kind=kind,
        selection=selection.as_json(),
        list_year=list_year,
        schema_version=CURRENT_VERSION,
        record_count=len(property_ids),
        drawn_by_id=actor.person_id,
        drawn_at=now,
    )
    add_records(package, property_ids, actor=actor)
    if device_id is not None:
        assign_package(package.id, device_id, actor=actor)
        package.refresh_from_db()
    return package


def assign_package(package_id: UUID, device_id: UUID, *, actor: Actor) -> Package:
    """Give a package to a device of the same town."""
    package = _lock(package_id, actor)
    device = Device.objects.filter(id=device_id, town_id=package.town_id).first()
    if device is None:
        raise NotFound("There is no such device.")
    if device.state != Device.State.ACTIVE:
        raise Conflict("The device is suspended or revoked.")
    package.device, package.assigned_at = device, timezone.now()
    package.save(update_fields=["device", "assigned_at"])
    return package


def take_back_package(package_id: UUID, *, actor: Actor) -> Package:
    """Take a package from its device. What the device still holds for it is taken when it comes."""
    package = _lock(package_id, actor)
    package.device = package.assigned_at = None
    package.save(update_fields=["device", "assigned_at"])
    return package


def close_package(package_id: UUID, *, actor: Actor) -> Package:
    """End a package: its feed is numbered no more and devices may not take it."""
    package = _lock(package_id, actor)
    close_feed(package)
    package.state, package.closed_at = Package.State.CLOSED, timezone.now()
    package.save(update_fields=["state", "closed_at"])
    return package


def change_members(
    package_id: UUID, *, actor: Actor, add: Collection[UUID] = (), remove: Collection[UUID] = ()
) -> Package:
    """Add properties to a package and take others out; the device learns of both by the feed."""
    package = _lock(package_id, actor)
    removed = remove_records(package, remove, actor=actor)
    added = add_records(package, add, actor=actor)
    package.record_count += added - removed
    if package.record_count > PACKAGE_MAX_PROPERTIES:
        raise Invalid(f"A package holds at most {PACKAGE_MAX_PROPERTIES} properties.")
    package.save(update_fields=["record_count"])
    return package


def build_package(package_id: UUID, *, town_code: int, actor: Actor) -> Package:
    """Write the parts of a package in one moment of the database, and make it ready.

    May run twice, and again later: the newest manifest counts, and equal parts have equal hashes. Must
    be called outside of a transaction, since it needs several.
    """
    from fieldsync.packages.parts import write_parts  # here: it brings shapely, which no request needs

    with scope(actor, towns=[town_code]):
        package = _lock(package_id, actor)
        ensure_epoch(town_code)
        if package.state == Package.State.DRAWN:
            Package.objects.filter(id=package_id).update(state=Package.State.BUILDING)
    with one_moment(), scope(actor, towns=[town_code]):
        epoch = ensure_epoch(town_code)
        page = read_page(package, after=0, limit=PACKAGE_MAX_PROPERTIES * 10)
        written = write_parts(page.changes, town_code=town_code)
    with scope(actor, towns=[town_code]):
        entries = []
        for part in written:
            store_blob(part.content, town_code=town_code, media_type=part.media_type)
            entries.append(part.entry())
        manifest = {
            "package_id": str(package_id),
            "title": package.title,
            "schema_version": package.schema_version,
            "epoch": str(epoch),
            "cursor": Cursor(epoch, package_id, page.head).token(),
            "head_seq": page.head,
            "checksum": {
                "algo": CHECKSUM_ALGORITHM,
                "records": page.records,
                "value": spell_checksum(page.checksum or 0),
            },
            "parts": entries,
        }
        keep_hashes(page.hashes)
        package = _lock(package_id, actor)
        package.manifest = manifest
        package.record_count = page.records or 0
        package.byte_count = sum(int(entry["bytes"]) for entry in entries)
        package.built_at, package.state = timezone.now(), Package.State.READY
        package.save(update_fields=["manifest", "record_count", "byte_count", "built_at", "state"])
    return package


def is_current(package: Package) -> bool:
    """Say whether a package was built in the epoch in force; its cursor is good in no other."""
    manifest = package.manifest or {}
    return package.state == Package.State.CLOSED or manifest.get("epoch") == str(find_epoch(package.town_id))


def _lock(package_id: UUID, actor: Actor) -> Package:
    package = Package.objects.select_for_update(of=("self",)).filter(id=package_id).first()
    if package is None:
        raise NotFound("There is no such package.")
    actor.require(Permission.MANAGE_PACKAGES, package.town_id)
    if package.state == Package.State.CLOSED:
        raise Conflict("The package is closed.")
    return package
