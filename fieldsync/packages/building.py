"""Building packages: one moment of the database, written to parts that never change."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from assessment.jobs.registry import Progress
from assessment.property.blobs import store_blob
from assessment.property.statistics import analyze_grown
from assessment.region.actors import Actor
from assessment.region.errors import Conflict, NotFound
from assessment.region.rules import Permission
from assessment.region.scope import scope
from fieldsync.feed.models import PackageRecord
from fieldsync.feed.rules import CHECKSUM_ALGORITHM, Cursor, is_rebuild_due, spell_checksum
from fieldsync.feed.selectors import count_behind, find_epoch, find_snapshot, read_page
from fieldsync.feed.services import ensure_epoch, keep_hashes
from fieldsync.feed.snapshot import one_moment
from fieldsync.packages.models import Package
from fieldsync.packages.rules import PACKAGE_MAX_PROPERTIES


def build_package(
    package_id: UUID, *, town_code: int, actor: Actor, progress: Progress | None = None
) -> Package:
    """Write the parts of a package in one moment of the database, and make it ready.

    May run twice, and again later: the newest manifest counts, and equal parts have equal hashes. Must
    be called outside of a transaction, since it needs several.
    """
    from fieldsync.packages.parts import Part, write_parts  # here: it brings shapely, which no request needs

    with scope(actor, towns=[town_code]):
        package = lock_package(package_id, actor=actor)
        ensure_epoch(town_code)
        if package.state == Package.State.DRAWN:
            Package.objects.filter(id=package_id).update(state=Package.State.BUILDING)
    tell = progress or _quietly
    tell(0, 3, "reading records")
    with one_moment(), scope(actor, towns=[town_code]):
        epoch = ensure_epoch(town_code)
        page = read_page(package, after=0, limit=PACKAGE_MAX_PROPERTIES * 10)
        tell(1, 3, "writing parts")
        review_year = package.list_year if package.kind == Package.Kind.REVIEW else None
        written = write_parts(page.changes, town_code=town_code, proposed_for=review_year)
    tell(2, 3, "storing parts")
    with scope(actor, towns=[town_code]):
        entries = []
        for part in written:
            if isinstance(part, Part):
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
        package = lock_package(package_id, actor=actor)
        package.manifest = manifest
        package.record_count = page.records or 0
        package.byte_count = sum(int(entry["bytes"]) for entry in entries)
        package.built_at, package.state = timezone.now(), Package.State.READY
        package.save(update_fields=["manifest", "record_count", "byte_count", "built_at", "state"])
    # Each push looks for its records here; on the day before field work begins the table grows from nothing.
    analyze_grown(PackageRecord)
    tell(3, 3, "")
    return package


def _quietly(done: int, total: int = 0, label: str = "") -> None:
    """Tell nobody how far the work is."""


def find_stale_packages(town_code: int, *, now: dt.datetime) -> list[Package]:
    """Return the town's packages that somebody has and whose build should be made anew.

    Because what came after it costs more than it does, or it is a day old and things changed.
    """
    held = Package.objects.filter(town_id=town_code, state=Package.State.READY, built_at__isnull=False)
    stale = []
    for package in held.filter(Q(device__isnull=False) | Q(person__isnull=False)):
        snapshot = find_snapshot(package)
        assert package.built_at is not None
        if snapshot is None or not is_current(package):
            continue
        behind = count_behind(package.id, snapshot.head)
        if is_rebuild_due(behind, snapshot, age_s=(now - package.built_at).total_seconds()):
            stale.append(package)
    return stale


def is_current(package: Package) -> bool:
    """Say whether a package was built in the epoch in force; its cursor is good in no other."""
    manifest = package.manifest or {}
    return package.state == Package.State.CLOSED or manifest.get("epoch") == str(find_epoch(package.town_id))


def lock_package(package_id: UUID, *, actor: Actor) -> Package:
    """Return an open package, locked; errors `NotFound`, `Forbidden`, `Conflict` when it is closed."""
    package = Package.objects.select_for_update(of=("self",)).filter(id=package_id).first()
    if package is None:
        raise NotFound("There is no such package.")
    actor.require(Permission.MANAGE_PACKAGES, package.town_id)
    if package.state == Package.State.CLOSED:
        raise Conflict("The package is closed.")
    return package
