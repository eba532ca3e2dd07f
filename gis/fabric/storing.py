"""Rows of a new fabric version: the version, its parcels, their descent and the findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from django.db.models import Max
from django.utils import timezone

from assessment.property.bulk import insert_rows
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from gis.boxes import Box
from gis.fabric.linking import KeptParcel
from gis.fabric.models import FabricVersion, Lineage, Parcel, TopologyFinding
from gis.fabric.report import FabricReport, FoundAt
from gis.fabric.rules.change import Differences, trace
from gis.fabric.rules.kinds import Descent
from gis.fabric.rules.layer import ParcelRow

_BATCH = 1_000

Progress = Callable[[str, Iterable[Any], int], Iterable[Any]]


def make_version(report: FabricReport, actor: Actor) -> FabricVersion:
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


def insert_parcels(
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


def insert_lineage(
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


def insert_findings(fabric: FabricVersion, findings: Sequence[FoundAt]) -> None:
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


def put_in_force(fabric: FabricVersion, *, instead_of: FabricVersion | None) -> None:
    if instead_of is not None:
        instead_of.state = FabricVersion.State.SUPERSEDED
        instead_of.save(update_fields=["state"])
    fabric.state = FabricVersion.State.CURRENT
    fabric.save(update_fields=["state"])
