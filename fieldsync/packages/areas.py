"""A drawn or pasted area: its coordinate system, whether it lies in the town, and the properties inside."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from assessment.region.errors import Invalid
from assessment.region.models import Town
from fieldsync.problems import AreaInvalid
from gis.boxes import Box
from gis.errors import CoordinateSystemMissing, CoordinateSystemUnknown
from gis.fabric.models import ParcelProperty
from gis.fabric.selectors import find_current_fabric, parcel_ids_in_box, parcels_by_id

# A polygon with more corners than a person draws is a mistaken file.
_MAX_TEXT = 1_000_000


def properties_in_area(town_code: int, text: str, crs_text: str) -> list[UUID]:
    """Return the properties whose parcel has its middle inside of an area, by parcel.

    Parameters
    ----------
    text
        A GeoJSON polygon, feature or collection, or a box ``west,south,east,north``.
    crs_text
        The coordinate system of the numbers, such as ``EPSG:4326`` or ``2234``.

    Raises
    ------
    Invalid
        The town has no parcels.
    AreaInvalid
        It is no polygon, or does not lie in the town; says in which system it would.
    CoordinateSystemMissing, CoordinateSystemUnknown
    """
    import shapely

    area = read_area(Town.objects.get(code=town_code), text, crs_text)
    fabric = find_current_fabric(town_code)
    if fabric is None:
        raise Invalid("No parcels of the town have been imported, so nothing can be chosen on the map.")
    shapely.prepare(area)
    near = parcels_by_id(parcel_ids_in_box(fabric.id, Box(*area.bounds)))
    found = [parcel.id for parcel in near if shapely.contains(area, shapely.point_on_surface(parcel.shape))]
    links = ParcelProperty.objects.filter(parcel_id__in=found).order_by("parcel__parcel_key", "property_id")
    return list(dict.fromkeys(links.values_list("property_id", flat=True)))


def read_area(town: Town, text: str, crs_text: str) -> Any:
    """Return an area in EPSG:2234; errors as of `properties_in_area`."""
    import numpy as np
    import shapely

    from gis.fabric.rules.crs import OUTSIDE_TOLERANCE_FT, crs_that_fits, parse_crs, reproject

    if not crs_text.strip():
        raise CoordinateSystemMissing("Say which coordinate system the area is in, such as EPSG:4326.")
    crs = parse_crs(crs_text)
    if crs is None:
        raise CoordinateSystemUnknown(
            f"{crs_text.strip()[:60]!r} is no coordinate system.", stated=crs_text[:60]
        )
    drawn = np.array([_polygon(text)], dtype=object)
    area = reproject(drawn, crs)[0]
    boundary = None if town.boundary is None else shapely.from_wkb(bytes(town.boundary))
    if not np.isfinite(shapely.bounds(area)).all():
        raise AreaInvalid(f"The area cannot be placed in {crs_text}: its numbers are outside of that system.")
    if boundary is not None and not shapely.intersects(shapely.buffer(boundary, OUTSIDE_TOLERANCE_FT), area):
        fits = crs_that_fits(drawn, boundary)
        hint = f" In {fits} it would." if fits else ""
        raise AreaInvalid(f"In {crs_text} the area does not lie in {town.name}.{hint}", fits=fits)
    return area


def _polygon(text: str) -> Any:
    import shapely

    text = text.strip()
    if len(text) > _MAX_TEXT:
        raise AreaInvalid("The area has more text than any drawn polygon.")
    try:
        if not text.startswith("{"):
            west, south, east, north = (float(part) for part in text.split(","))
            return shapely.box(west, south, east, north)
        shape = shapely.union_all([shapely.geometry.shape(each) for each in _geometries(json.loads(text))])
    except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.ShapelyError) as error:
        raise AreaInvalid(
            "This is neither a GeoJSON polygon nor a box of four numbers: west, south, east, north."
        ) from error
    if shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty:
        raise AreaInvalid("The area has to be a polygon.")
    return shapely.force_2d(shape if shape.is_valid else shapely.make_valid(shape))


def _geometries(document: dict[str, Any]) -> list[dict[str, Any]]:
    if document["type"] == "FeatureCollection":
        return [feature["geometry"] for feature in document["features"]]
    return [document["geometry"] if document["type"] == "Feature" else document]
