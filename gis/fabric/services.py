"""Importing a town's parcel fabric."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import numpy as np
import shapely
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from assessment.property.accounts import hold_import_lock
from assessment.property.bulk import insert_rows
from assessment.property.imports.edits import IMPORT_REASON
from assessment.property.models import ImportRun
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.region.scope import scope
from gis.boxes import Box
from gis.errors import NoParcels, RowsRefused
from gis.fabric.linking import KeptParcel, inherit, link_parcels
from gis.fabric.models import FabricVersion, Lineage, Parcel, TopologyFinding
from gis.fabric.preparing import PreparedFile, ReadOptions, prepare_file
from gis.fabric.report import FabricReport, FoundAt
from gis.fabric.rules.change import (
    Descent,
    Differences,
    compare,
    shape_digests,
    trace,
    words_digest,
)
from gis.fabric.rules.columns import lasting
from gis.fabric.rules.layer import ParcelRow
from gis.fabric.statistics import analyze

_BATCH = 1_000
Progress = Callable[[str, Iterable[Any], int], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import: how to read the file, and what to do with it.

    Attributes
    ----------
    on_error
        ``skip`` leaves refused rows out and reports them; ``abort`` imports nothing when there is any.
    create_properties
        Open an account for a parcel to which no property answers.
    dry_run
        Do everything, report it, and leave the fabric as it is.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    on_error: Literal["skip", "abort"] = "skip"
    create_properties: bool = True
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
            _store(prepared, actor=actor, create_properties=chosen.create_properties, progress=progress)
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


def _store(prepared: PreparedFile, *, actor: Actor, create_properties: bool, progress: Progress) -> None:
    report, rows = prepared.report, prepared.layer.parcels
    hold_import_lock(report.town_code)
    digests = _digests(rows)
    current = FabricVersion.objects.filter(
        town_id=report.town_code, state=FabricVersion.State.CURRENT
    ).first()
    old = _kept_digests(current)
    differences = compare({key: (shape, words) for key, (_, shape, words) in old.items()}, digests)
    report.changes = differences.counts()
    today = timezone.localdate()
    if current is not None and not differences.total:
        report.fabric_number = current.number
        kept = [KeptParcel(old[row.key][0], row) for row in rows]
        report.links = link_parcels(
            kept, actor=actor, fabric=current, on=today, create_properties=create_properties
        ).as_dict()
        return
    fabric = _make_version(report, actor)
    kept = _insert_parcels(fabric, rows, digests, progress)
    old_ids = {key: parcel_id for key, (parcel_id, _, _) in old.items()}
    lines = _insert_lineage(fabric, differences, old_ids, kept)
    _insert_findings(fabric, report.findings)
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
        create_properties=create_properties,
    ).as_dict()
    _put_in_force(fabric, instead_of=current)
    analyze()
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


def _make_version(report: FabricReport, actor: Actor) -> FabricVersion:
    last = FabricVersion.objects.filter(town_id=report.town_code).aggregate(last=Max("number"))["last"]
    return FabricVersion.objects.create(
        town_id=report.town_code,
        number=(last or 0) + 1,
        source_name=report.file[:200],
        source_sha256=report.sha256,
        source_layer=report.layer[:120],
        source_crs=report.crs[:120],
        identifier_column=report.identifier_column[:120],
        row_count=report.rows,
        parcel_count=report.parcels,
        refused_count=len(report.refused),
        findings=report.finding_counts,
        changes=report.changes,
        imported_by_id=actor.person_id,
        imported_by_name=actor.name,
        imported_at=timezone.now(),
    )


def _insert_parcels(
    fabric: FabricVersion,
    rows: Sequence[ParcelRow],
    digests: dict[str, tuple[str, str]],
    progress: Progress,
) -> list[KeptParcel]:
    kept = [KeptParcel(new_id(), row) for row in rows]
    starts = range(0, len(kept), _BATCH)
    for start in progress("parcels", starts, len(starts)):
        insert_rows(
            Parcel,
            [_parcel(fabric, parcel, digests[parcel.row.key]) for parcel in kept[start : start + _BATCH]],
        )
    return kept


def _parcel(fabric: FabricVersion, kept: KeptParcel, digests: tuple[str, str]) -> dict[str, Any]:
    row = kept.row
    return {
        "id": kept.id,
        "town_id": fabric.town_id,
        "fabric_id": fabric.id,
        "row": row.row,
        "parcel_key": row.key[:80],
        "address": row.address[:160],
        "kind": row.kind[:60],
        "use": row.use[:120],
        "attributes": dict(row.attributes),
        "geom": shapely.to_wkb(row.shape),
        "original_geom": None if row.original is None else shapely.to_wkb(row.original),
        "bbox": Box(*shapely.bounds(row.shape).tolist()).text,
        "area_sqft": row.area_sqft,
        "is_multipart": row.is_multipart,
        "is_repaired": row.is_repaired,
        "shape_digest": digests[0],
        "words_digest": digests[1],
    }


def _insert_lineage(
    fabric: FabricVersion,
    differences: Differences,
    old_ids: dict[str, UUID],
    kept: Sequence[KeptParcel],
) -> list[tuple[UUID, UUID, Descent]]:
    """Trace the parcels that went, came or were redrawn; return (old parcel, new parcel, descent)."""
    gone = [*differences.removed, *differences.reshaped]
    came = {*differences.added, *differences.reshaped}
    new = [parcel for parcel in kept if parcel.row.key in came]
    if not gone or not new:
        return []
    shapes = {
        key: shapely.from_wkb(bytes(wkb))
        for key, wkb in Parcel.objects.filter(
            town_id=fabric.town_id, id__in=[old_ids[key] for key in gone]
        ).values_list("parcel_key", "geom")
    }
    lines = trace(
        np.array([shapes[key] for key in gone], dtype=object),
        np.array([parcel.row.shape for parcel in new], dtype=object),
        gone,
        [parcel.row.key for parcel in new],
    )
    Lineage.objects.bulk_create(
        (
            Lineage(
                town_id=fabric.town_id,
                parent_id=old_ids[gone[line.parent]],
                child_id=new[line.child].id,
                descent=line.descent.value,
                common_sqft=line.common_sqft,
                share_of_parent=line.share_of_parent,
                share_of_child=line.share_of_child,
            )
            for line in lines
        ),
        batch_size=_BATCH,
    )
    return [(old_ids[gone[line.parent]], new[line.child].id, line.descent) for line in lines]


def _insert_findings(fabric: FabricVersion, findings: Sequence[FoundAt]) -> None:
    TopologyFinding.objects.bulk_create(
        (
            TopologyFinding(
                town_id=fabric.town_id,
                fabric_id=fabric.id,
                kind=found.finding.kind.value,
                rows=list(found.rows),
                parcel_keys=list(found.keys),
                area_sqft=found.finding.area_sqft,
                detail=found.finding.detail[:200],
                x_ft=found.finding.location[0] if found.finding.location else None,
                y_ft=found.finding.location[1] if found.finding.location else None,
            )
            for found in findings
        ),
        batch_size=_BATCH,
    )


def _put_in_force(fabric: FabricVersion, *, instead_of: FabricVersion | None) -> None:
    if instead_of is not None:
        instead_of.state = FabricVersion.State.SUPERSEDED
        instead_of.save(update_fields=["state"])
    fabric.state = FabricVersion.State.CURRENT
    fabric.save(update_fields=["state"])
