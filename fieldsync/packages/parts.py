"""The parts of a package: records, geometry, code lists; each one blob that never changes."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from pyproj import Transformer

from assessment.property.models import Code
from fieldsync.feed.selectors import Change
from fieldsync.packages.cards import spell
from fieldsync.packages.rules import GZIP_LEVEL, pack_lines
from gis.fabric.models import FabricVersion, ParcelProperty

# About a hand's breadth; a tablet's map needs no more, and the part is half as large.
_DEGREE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Part:
    """One part in memory, before it is stored."""

    kind: str
    format: str
    media_type: str
    content: bytes
    count: int

    def entry(self) -> dict[str, Any]:
        """Return the part's line in the manifest."""
        return {
            "kind": self.kind,
            "format": self.format,
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "bytes": len(self.content),
            "count": self.count,
        }


def write_parts(changes: Sequence[Change], *, town_code: int) -> list[Part]:
    """Return the parts of a package that holds the records of ``changes``."""
    puts = sorted((c for c in changes if c.text is not None), key=lambda c: (c.kind, str(c.record_id)))
    records = [f'{{"kind":"{c.kind}","id":"{c.record_id}","data":{c.text}}}' for c in puts]
    shapes = list(_shapes(town_code, [c.record_id for c in puts]))
    codes = _codes(town_code)
    text = json.dumps(codes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    code_lists = gzip.compress(text.encode(), GZIP_LEVEL, mtime=0)
    return [
        Part("records", "ndjson+gzip", "application/gzip", pack_lines(records), len(records)),
        Part(
            "geometry",
            "geojsonseq+gzip",
            "application/gzip",
            pack_lines(json.dumps(shape, separators=(",", ":")) for shape in shapes),
            len(shapes),
        ),
        Part("codelists", "json+gzip", "application/gzip", code_lists, len(codes)),
    ]


def _shapes(town_code: int, property_ids: Sequence[UUID]) -> Iterable[dict[str, Any]]:
    """Yield a GeoJSON feature, in WGS 84, for each parcel of a property in the current fabric."""
    links = (
        ParcelProperty.objects.filter(
            town_id=town_code,
            property_id__in=property_ids,
            parcel__fabric__state=FabricVersion.State.CURRENT,
        )
        .order_by("property_id", "parcel__parcel_key")
        .values_list("property_id", "parcel__parcel_key", "parcel__geom")
    )
    for property_id, key, geom in links.iterator(chunk_size=2000):
        shape = shapely.transform(shapely.from_wkb(bytes(geom)), _to_degrees)
        shape = shapely.set_precision(shape, 10.0**-_DEGREE_DIGITS, mode="pointwise")
        yield {
            "type": "Feature",
            "id": str(property_id),
            "properties": {"parcel_key": key},
            "geometry": json.loads(shapely.to_geojson(shape)),
        }


def _to_degrees(points_ft: Any) -> Any:
    longitude, latitude = _transformer().transform(points_ft[:, 0], points_ft[:, 1])
    return np.column_stack([longitude, latitude])


@cache
def _transformer() -> Transformer:
    return Transformer.from_crs("EPSG:2234", "EPSG:4326", always_xy=True)


def _codes(town_code: int) -> list[dict[str, Any]]:
    columns = [
        field.attname for field in Code._meta.concrete_fields if field.attname not in ("id", "town_id")
    ]
    rows = Code.objects.filter(town_id=town_code).order_by("id").values(*columns)
    return [{name: spell(value) for name, value in row.items()} for row in rows]
