"""The parts of a package: records, geometry, code lists, pictures, map; each a blob that never changes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from pyproj import Transformer

from assessment.property.blobs import open_blob
from assessment.property.models import Blob, Code
from assessment.roll.proposals import propose_values, values_before
from fieldsync.feed.selectors import Change
from fieldsync.packages.cards import spell
from fieldsync.packages.rules import GZIP_LEVEL, pack_lines
from fieldsync.packages.tiles import Area, extract_tiles
from gis.boxes import Box
from gis.fabric.models import FabricVersion, Parcel, ParcelProperty
from gis.fabric.selectors import find_current_fabric
from gis.tiles.selectors import find_archive
from gis.tiles.services import MEDIA_TYPE

# About a hand's breadth; a tablet's map needs no more, and the part is half as large.
_DEGREE_DIGITS = 6
_MAP_MARGIN_FT = 500.0
# What a tablet should carry of pictures for one package; the rest is fetched one by one.
THUMBNAILS_MAX_BYTES = 24 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One part in memory, before it is stored. ``is_optional``: a tablet may leave it for a better line."""

    kind: str
    format: str
    media_type: str
    content: bytes
    count: int
    is_optional: bool = False

    def entry(self) -> dict[str, Any]:
        """Return the part's line in the manifest."""
        sha256 = hashlib.sha256(self.content).hexdigest()
        return _entry(self.kind, self.format, sha256, len(self.content), self.count, self.is_optional)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that the town holds already, such as its tile archive."""

    kind: str
    format: str
    sha256: str
    byte_count: int
    count: int

    def entry(self) -> dict[str, Any]:
        """Return the part's line in the manifest."""
        return _entry(self.kind, self.format, self.sha256, self.byte_count, self.count, True)


def _entry(kind: str, form: str, sha256: str, size: int, count: int, is_optional: bool) -> dict[str, Any]:
    return {
        "kind": kind, "format": form, "sha256": sha256, "bytes": size, "count": count, "optional": is_optional,
    }  # fmt: skip


def write_parts(
    changes: Sequence[Change], *, town_code: int, proposed_for: int | None = None
) -> list[Part | StoredPart]:
    """Return the parts of a package that holds the records of ``changes``: what must be taken, then the rest.

    ``proposed_for`` is the year of a field review. The photos are those that the cards show, so a re-check's have none of the first visit.
    """
    puts = sorted((c for c in changes if c.text is not None), key=lambda c: (c.kind, str(c.record_id)))
    records = [f'{{"kind":"{c.kind}","id":"{c.record_id}","data":{c.text}}}' for c in puts]
    property_ids = [c.record_id for c in puts]
    shapes = list(_shapes(town_code, property_ids))
    codes = _codes(town_code)
    text = json.dumps(codes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    code_lists = gzip.compress(text.encode(), GZIP_LEVEL, mtime=0)
    parts: list[Part | StoredPart] = [
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
    if proposed_for is not None:
        parts.append(_proposals(town_code, property_ids, proposed_for))
    thumbnails = _thumbnails(town_code, [c.text for c in puts if c.text is not None])
    return parts + [part for part in (thumbnails, _map(town_code, property_ids)) if part is not None]


def _proposals(town_code: int, property_ids: Sequence[UUID], list_year: int) -> Part:
    """Return what each property is proposed to be worth, and was worth on the list before."""
    proposals = propose_values(town_code, property_ids, list_year)
    before = values_before(town_code, property_ids, list_year)
    lines = [
        json.dumps(
            {
                "property_id": str(key),
                "list_year": list_year,
                "value": proposals[key].value,
                "source": proposals[key].source,
                "note": proposals[key].note,
                "value_before": before.get(key),
            },
            separators=(",", ":"),
            ensure_ascii=False,
        )
        for key in property_ids
        if key in proposals
    ]
    return Part("proposals", "ndjson+gzip", "application/gzip", pack_lines(lines), len(lines))


def _thumbnails(town_code: int, texts: Iterable[str]) -> Part | None:
    """Return a tar of the pictures that the cards show, the primary ones first, up to `THUMBNAILS_MAX_BYTES`."""
    photos = [photo for text in texts for photo in json.loads(text)["photo"] if photo["thumbnail_sha256"]]
    photos.sort(key=lambda photo: (not photo["is_primary"], photo["id"]))
    wanted = list(dict.fromkeys(photo["thumbnail_sha256"] for photo in photos))
    sizes = dict(
        Blob.objects.filter(town_id=town_code, sha256__in=wanted).values_list("sha256", "byte_count")
    )
    out, count, left = io.BytesIO(), 0, THUMBNAILS_MAX_BYTES
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for sha256 in wanted:
            if sha256 not in sizes or sizes[sha256] > left:
                continue
            member = tarfile.TarInfo(f"{sha256}.jpg")
            member.size = sizes[sha256]
            with open_blob(sha256) as file:
                tar.addfile(member, file)
            left -= member.size
            count += 1
    if not count:
        return None
    return Part("photo-thumbs", "tar", "application/x-tar", out.getvalue(), count, is_optional=True)


def _map(town_code: int, property_ids: Sequence[UUID]) -> Part | StoredPart | None:
    """Return the piece of the town's tiles around the parcels, or the town's archive where that is as well."""
    fabric = find_current_fabric(town_code)
    archive = find_archive(fabric.id) if fabric is not None else None
    boxes = list(
        Parcel.objects.filter(property_links__property__in=property_ids, fabric=fabric).values_list(
            "bbox", flat=True
        )
    )
    if archive is None or not boxes:
        return None
    corners = np.array(boxes)
    around = Box(*corners[:, :2].min(axis=0), *corners[:, 2:].max(axis=0)).grown(_MAP_MARGIN_FT)
    west, south, east, north = _transformer().transform_bounds(*around)
    blob = archive.blob
    with open_blob(blob.sha256) as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        made = extract_tiles(read, blob.byte_count, Area(west, south, east, north))
    if made is None:
        return StoredPart("map", "pmtiles", blob.sha256, blob.byte_count, 1)
    content, count = made
    return Part("map", "pmtiles", MEDIA_TYPE, content, count, is_optional=True)


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
