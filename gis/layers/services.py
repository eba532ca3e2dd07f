"""Importing layers other than parcels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from django.utils import timezone

from assessment.property.accounts import hold_import_lock
from assessment.property.bulk import insert_rows
from assessment.property.imports.edits import IMPORT_REASON
from assessment.region.actors import Actor
from assessment.region.errors import Invalid
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.region.scope import scope
from gis.boxes import Box
from gis.errors import IdentifierColumnMissing, NoUsableArea
from gis.fabric.preparing import ReadOptions, read_in_town
from gis.fabric.reading import file_digest
from gis.fabric.rules.columns import plain_text
from gis.fabric.rules.repair import repair
from gis.layers.models import Layer, LayerFeature


@dataclass(frozen=True, slots=True)
class LayerImport:
    """What an import of a layer did: areas kept, repaired, and rows without a usable area or code."""

    layer: Layer
    feature_count: int
    repaired: int
    left_out: tuple[int, ...]
    is_new: bool


def import_layer(
    path: Path,
    *,
    actor: Actor,
    town: Town,
    kind: str,
    name: str,
    code_column: str,
    label_column: str | None = None,
    options: ReadOptions | None = None,
) -> LayerImport:
    """Import areas as a layer of the town; importing the layer anew replaces its areas, the same file nothing.

    An area may reach beyond the town, and several may have one code (a zone in two places).

    Parameters
    ----------
    kind
        One of `Layer.Kind`.
    code_column, label_column
        Columns with each area's code and, if there is one, its name.

    Raises
    ------
    Forbidden
        The actor may not import in the town.
    Invalid
        There is no such kind of layer.
    UnreadableParcelFile, CoordinateSystemMissing, CoordinateSystemUnknown, WrongPlace
        See `gis.fabric.preparing.prepare_file`.
    IdentifierColumnMissing
        A column is not in the file.
    NoUsableArea
        No row has both a code and an area.
    """
    actor.require(Permission.IMPORT, town.code)
    if kind not in Layer.Kind.values:
        raise Invalid(f"There is no kind of layer {kind!r}: choose {', '.join(Layer.Kind.values)}.")
    placed = read_in_town(path, town=town, options=options or ReadOptions())
    for column in filter(None, (code_column, label_column)):
        if column not in placed.raw.cells:
            known = ", ".join(placed.raw.cells)
            raise IdentifierColumnMissing(f"{path.name} has no column {column!r}, only {known}.")
    mended = repair(_polygons(placed.shapes))
    codes = [plain_text(value) for value in placed.raw.cells[code_column]]
    labels = [plain_text(v) for v in placed.raw.cells[label_column]] if label_column else [""] * len(codes)
    kept = [row for row, code in enumerate(codes) if code and mended.shapes[row] is not None]
    if not kept:
        raise NoUsableArea(f"No row of {path.name} has both a code and an area.")
    digest = file_digest(path)
    with scope(actor, towns=[town.code], reason=f"{IMPORT_REASON}{path.name}"):
        hold_import_lock(town.code)
        layer, is_new = _put_layer(town, kind, name, path.name, digest, placed.crs_name, len(kept))
        if is_new:
            LayerFeature.objects.filter(layer=layer).delete()
            insert_rows(
                LayerFeature,
                [
                    {
                        "id": new_id(),
                        "town_id": town.code,
                        "layer_id": layer.id,
                        "code": codes[row][:40],
                        "label": labels[row][:120],
                        "attributes": {column: cells[row] for column, cells in placed.raw.cells.items()},
                        "geom": shapely.to_wkb(mended.shapes[row]),
                        "bbox": Box(*shapely.bounds(mended.shapes[row]).tolist()).text,
                    }
                    for row in kept
                ],
            )
    left_out = tuple(sorted(set(range(1, len(codes) + 1)) - {row + 1 for row in kept}))
    return LayerImport(layer, len(kept), int(mended.was_invalid[kept].sum()), left_out, is_new)


def _put_layer(
    town: Town, kind: str, name: str, source_name: str, sha256: str, crs: str, feature_count: int
) -> tuple[Layer, bool]:
    """The layer of this kind and name, and whether its areas are to be written."""
    known = Layer.objects.filter(town=town, kind=kind, name=name).first()
    if known is not None and known.source_sha256 == sha256 and known.feature_count == feature_count:
        return known, False
    layer, _ = Layer.objects.update_or_create(
        town=town,
        kind=kind,
        name=name,
        defaults={
            "source_name": source_name[:200],
            "source_sha256": sha256,
            "source_crs": crs[:120],
            "feature_count": feature_count,
            "imported_at": timezone.now(),
        },
    )
    return layer, True


def _polygons(shapes: np.ndarray[Any, np.dtype[np.object_]]) -> np.ndarray[Any, np.dtype[np.object_]]:
    """The shapes that are areas; lines, points and what lies nowhere become None."""
    areas = shapes.copy()
    types = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    areas[~(np.isin(shapely.get_type_id(shapes), types) & finite)] = None
    return areas
