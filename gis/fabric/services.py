"""Importing a town's parcel fabric."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils import timezone

from assessment.property.accounts import hold_import_lock
from assessment.property.imports.edits import IMPORT_REASON
from assessment.property.models import ImportRun
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.region.scope import scope
from gis.errors import FabricShrinks, NoParcels, RowsRefused
from gis.fabric.linking import KeptParcel, inherit, link_parcels
from gis.fabric.models import FabricVersion, Parcel
from gis.fabric.preparing import PreparedFile, ReadOptions, prepare_file
from gis.fabric.report import FabricReport
from gis.fabric.rules.change import (
    compare,
    shape_digests,
    words_digest,
)
from gis.fabric.rules.columns import lasting
from gis.fabric.rules.kinds import Descent
from gis.fabric.rules.layer import ParcelRow
from gis.fabric.statistics import analyze
from gis.fabric.storing import (
    Progress,
    insert_findings,
    insert_lineage,
    insert_parcels,
    make_version,
    put_in_force,
)
from gis.tiles.services import start_tiles

_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import: how to read the file, and what to do with it.

    Attributes
    ----------
    on_error
        ``skip`` leaves refused rows out and reports them; ``abort`` imports nothing when there is any.
    create_properties
        Open an account for a parcel to which no property answers.
    make_tiles
        Queue the making of map tiles for a new version.
    allow_fewer
        Take a file with less than half of the parcels in force.
    dry_run
        Do everything, report it, and leave the fabric as it is.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    on_error: Literal["skip", "abort"] = "skip"
    create_properties: bool = True
    make_tiles: bool = True
    allow_fewer: bool = False
    dry_run: bool = False


def _silent(_label: str, items: Iterable[Any], _total: int) -> Iterable[Any]:
    return items


def import_fabric(
    path: Path,
    *,
    actor: Actor,
    town: Town,
    options: ImportOptions | None = None,
    progress: Progress = _silent,
) -> FabricReport:
    """Import a parcel file as the town's fabric, in one transaction, and report on it.

    A file that says what is known already changes nothing. Otherwise a new version is made and put in
    force, with lines of descent from the version before it; links to properties are carried over, and
    parcels that have none are linked by identifier or to a new account.

    Parameters
    ----------
    path
        Any vector file that GDAL reads.
    town
        The town; the service opens a scope for it.
    progress
        Wraps the long loops, for a progress bar: (label, items, total) -> items.

    Raises
    ------
    Forbidden
        The actor may not import in the town.
    UnreadableParcelFile, CoordinateSystemMissing, CoordinateSystemUnknown, WrongPlace, IdentifierColumnMissing
        See `prepare_file`.
    NoParcels
        No row can be a parcel.
    RowsRefused
        Rows were refused and `options.on_error` is ``abort``. Both carry the report.
    FabricShrinks
        The file has less than half of the parcels in force, and `options.allow_fewer` is not set.
    """
    chosen = options or ImportOptions()
    actor.require(Permission.IMPORT, town.code)
    started = timezone.now()
    prepared = prepare_file(path, town=town, options=chosen.read)
    report = prepared.report
    report.dry_run = chosen.dry_run
    if chosen.on_error == "abort" and report.refused:
        first = report.refused[0]
        raise RowsRefused(
            f"{len(report.refused)} rows were refused and nothing was imported. "
            f"The first is row {first.row}: {first.reason}.",
            report=report,
        )
    if not prepared.layer.parcels:
        raise NoParcels(f"None of the {report.rows} rows of {report.file} can be a parcel.", report=report)
    began = time.perf_counter()
    with scope(actor, towns=[town.code], reason=f"{IMPORT_REASON}{path.name}"):
        with transaction.atomic():
            _store(prepared, actor=actor, options=chosen, progress=progress)
            if chosen.dry_run:
                transaction.set_rollback(True)
        report.seconds["store"] = time.perf_counter() - began
        _record_run(report, actor=actor, started_at=started)
    return report


def _record_run(report: FabricReport, *, actor: Actor, started_at: dt.datetime) -> None:
    ImportRun.objects.create(
        town_id=report.town_code,
        kind="parcels",
        file_name=report.file[:200],
        file_sha256=report.sha256,
        is_dry_run=report.dry_run,
        started_at=started_at,
        finished_at=timezone.now(),
        run_by_id=actor.person_id,
        counts={**report.changes, "read": report.rows, "rejected": len(report.refused)},
        report=report.as_dict(),
    )


def _store(prepared: PreparedFile, *, actor: Actor, options: ImportOptions, progress: Progress) -> None:
    report, rows = prepared.report, prepared.layer.parcels
    hold_import_lock(report.town_code)
    digests = _digests(rows)
    current = FabricVersion.objects.filter(
        town_id=report.town_code, state=FabricVersion.State.CURRENT
    ).first()
    old = _kept_digests(current)
    if len(rows) < _LEAST_SHARE * len(old) and not options.allow_fewer:
        raise FabricShrinks(
            f"{report.file} gives {len(rows):,} parcels and {len(old):,} are in force: it looks like an excerpt "
            "or a file cut short. If the town did shrink so much, say --allow-fewer."
        )
    differences = compare({key: (shape, words) for key, (_, shape, words) in old.items()}, digests)
    report.changes = differences.counts()
    today = timezone.localdate()
    if current is not None and not differences.total:
        report.fabric_number = current.number
        kept = [KeptParcel(old[row.key][0], row) for row in rows]
        report.links = link_parcels(
            kept, actor=actor, fabric=current, on=today, create_properties=options.create_properties
        ).as_dict()
        return
    fabric = make_version(report, actor)
    kept = insert_parcels(fabric, rows, digests, progress)
    old_ids = {key: parcel_id for key, (parcel_id, _, _) in old.items()}
    lines = insert_lineage(fabric, differences, old_ids, kept)
    insert_findings(fabric, report.findings)
    inherited = (
        None
        if current is None
        else inherit(kept, old_ids, lines, actor=actor, old_fabric=current, source=report.file, on=today)
    )
    report.links = link_parcels(
        kept,
        actor=actor,
        fabric=fabric,
        on=today,
        inherited=inherited,
        create_properties=options.create_properties,
    ).as_dict()
    put_in_force(fabric, instead_of=current)
    analyze()
    if options.make_tiles:
        start_tiles(fabric, actor=actor)
    report.fabric_number, report.is_new_version = fabric.number, True
    report.descent = {kind.value: sum(line[2] is kind for line in lines) for kind in Descent}


def _digests(rows: Sequence[ParcelRow]) -> dict[str, tuple[str, str]]:
    shapes = np.array([row.shape for row in rows], dtype=object)
    return {
        row.key: (shape, words_digest(lasting(row.attributes)))
        for row, shape in zip(rows, shape_digests(shapes), strict=True)
    }


def _kept_digests(fabric: FabricVersion | None) -> dict[str, tuple[UUID, str, str]]:
    if fabric is None:
        return {}
    rows = Parcel.objects.filter(town_id=fabric.town_id, fabric=fabric)
    return {
        key: (parcel_id, shape, words)
        for parcel_id, key, shape, words in rows.values_list(
            "id", "parcel_key", "shape_digest", "words_digest"
        )
    }
