"""A drawn or pasted area: its coordinate system, whether it lies in the town, and the properties inside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from assessment.region.errors import Invalid
from assessment.region.models import Town
from fieldsync.packages.rules import ROUTE_REACH_FT, Selection
from fieldsync.problems import AreaInvalid
from gis.boxes import Box
from gis.errors import CoordinateSystemMissing, CoordinateSystemUnknown
from gis.fabric.models import FabricVersion, Parcel, ParcelProperty
from gis.fabric.selectors import find_current_fabric, parcel_ids_in_box, parcels_by_id

# A polygon with more corners than a person draws is a mistaken file.
_MAX_TEXT = 1_000_000


def properties_on_map(town_code: int, selection: Selection) -> list[UUID]:
    """Return the properties of what was chosen on the map: area, route and single parcels, less those left out.

    Those along the route come first, in the order in which it passes them; the others by parcel.

    Raises
    ------
    Invalid
        The town has no parcels, or a parcel named is not one of them.
    AreaInvalid
        It is no polygon or line, or does not lie in the town; says in which system it would.
    CoordinateSystemMissing, CoordinateSystemUnknown
    """
    town, fabric = Town.objects.get(code=town_code), find_current_fabric(town_code)
    passed: list[UUID] = []
    inside: set[UUID] = set()
    if selection.area:
        area = read_area(town, selection.area, selection.area_crs)
        inside = set(_parcels_inside(_require(fabric), area))
    if selection.route:
        line = read_route(town, selection.route, selection.area_crs)
        passed = _parcels_along(_require(fabric), line)
    inside |= set(_parcels_named(_require(fabric), selection.parcels_in))
    links = ParcelProperty.objects.filter(parcel_id__in=inside.union(passed))
    places = {parcel_id: place for place, parcel_id in enumerate(passed)}
    pairs = links.order_by("parcel__parcel_key", "property_id").values_list("parcel_id", "property_id")
    ordered = sorted(pairs, key=lambda pair: places.get(pair[0], len(places)))
    out = set(properties_left_out(town_code, selection.parcels_out))
    return [each for each in dict.fromkeys(found for _, found in ordered) if each not in out]


def properties_left_out(town_code: int, parcel_keys: Sequence[str]) -> list[UUID]:
    """Return the properties on parcels of the fabric in force; `Invalid` names those that it does not have."""
    if not parcel_keys:
        return []
    parcels = _parcels_named(_require(find_current_fabric(town_code)), parcel_keys)
    return list(ParcelProperty.objects.filter(parcel_id__in=parcels).values_list("property_id", flat=True))


def parcel_keys_of(town_code: int, property_ids: Sequence[UUID]) -> list[str]:
    """Return the keys of the parcels on which properties stand, to be marked on the map."""
    links = ParcelProperty.objects.filter(
        town_id=town_code, property_id__in=property_ids, parcel__fabric__state=FabricVersion.State.CURRENT
    )
    return sorted(set(links.values_list("parcel__parcel_key", flat=True)))


def middles_of(town_code: int, property_ids: Sequence[UUID]) -> dict[UUID, tuple[float, float]]:
    """Return a point in the parcel of each property that has one (EPSG:2234), in the first by its key."""
    import shapely

    links = ParcelProperty.objects.filter(
        town_id=town_code, property_id__in=property_ids, parcel__fabric__state=FabricVersion.State.CURRENT
    )
    rows = list(links.order_by("-parcel__parcel_key").values_list("property_id", "parcel__geom"))
    if not rows:
        return {}
    points = shapely.get_coordinates(shapely.point_on_surface(_shapes([geom for _, geom in rows])))
    return {key: (float(x), float(y)) for (key, _), (x, y) in zip(rows, points, strict=True)}


def in_degrees(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points of EPSG:2234 as longitude and latitude (WGS 84), to about a tenth of a meter."""
    import numpy as np
    from pyproj import Transformer

    if not points:
        return []
    x, y = np.array(points, dtype=float).T
    lon, lat = Transformer.from_crs(2234, 4326, always_xy=True).transform(x, y)
    return [(round(float(a), 6), round(float(b), 6)) for a, b in zip(lon, lat, strict=True)]


def _require(fabric: FabricVersion | None) -> FabricVersion:
    if fabric is None:
        raise Invalid("No parcels of the town have been imported, so nothing can be chosen on the map.")
    return fabric


def _shapes(wkb: Sequence[bytes | memoryview]) -> Any:
    import numpy as np
    import shapely

    return shapely.from_wkb(np.array([bytes(each) for each in wkb], dtype=object))


def _parcels_near(fabric: FabricVersion, box: Box) -> tuple[list[UUID], Any]:
    ids = parcel_ids_in_box(fabric.id, box)
    rows = list(parcels_by_id(ids).order_by("parcel_key").values_list("id", "geom"))
    return [key for key, _ in rows], _shapes([geom for _, geom in rows])


def _parcels_inside(fabric: FabricVersion, area: Any) -> list[UUID]:
    import shapely

    keys, shapes = _parcels_near(fabric, Box(*area.bounds))
    if not keys:
        return []
    shapely.prepare(area)
    is_inside = shapely.contains(area, shapely.point_on_surface(shapes))
    return [key for key, inside in zip(keys, is_inside, strict=True) if inside]


def _parcels_along(fabric: FabricVersion, line: Any) -> list[UUID]:
    import shapely

    keys, shapes = _parcels_near(fabric, Box(*line.bounds).grown(ROUTE_REACH_FT))
    if not keys:
        return []
    strip = shapely.buffer(line, ROUTE_REACH_FT, cap_style="flat")
    # Where a lot's front passes counts, not its middle: a long lot beside a bend may reach back.
    fronts = shapely.intersection(shapes, strip)
    distances = shapely.line_locate_point(line, shapely.centroid(fronts))
    found = [
        (distance, key)
        for distance, key, is_away in zip(distances, keys, shapely.is_empty(fronts), strict=True)
        if not is_away
    ]
    return [key for _, key in sorted(found)]


def _parcels_named(fabric: FabricVersion, parcel_keys: Sequence[str]) -> list[UUID]:
    found = dict(
        Parcel.objects.filter(fabric=fabric, parcel_key__in=parcel_keys).values_list("parcel_key", "id")
    )
    if unknown := [key for key in parcel_keys if key not in found]:
        raise Invalid(f"The map has no parcel {', '.join(unknown[:5])}.")
    return list(found.values())


def read_area(town: Town, text: str, crs_text: str) -> Any:
    """Return an area in EPSG:2234; errors as of `properties_on_map`."""
    return _place(town, _polygon(text), crs_text, "area")


def read_route(town: Town, text: str, crs_text: str) -> Any:
    """Return a line in EPSG:2234; errors as of `properties_on_map`."""
    return _place(town, _line(text), crs_text, "route")


def _place(town: Town, shape: Any, crs_text: str, what: str) -> Any:
    import numpy as np
    import shapely

    from gis.fabric.rules.crs import OUTSIDE_TOLERANCE_FT, crs_that_fits, parse_crs, reproject

    if not crs_text.strip():
        raise CoordinateSystemMissing(f"Say which coordinate system the {what} is in, such as EPSG:4326.")
    crs = parse_crs(crs_text)
    if crs is None:
        raise CoordinateSystemUnknown(
            f"{crs_text.strip()[:60]!r} is no coordinate system.", stated=crs_text[:60]
        )
    drawn = np.array([shape], dtype=object)
    area = reproject(drawn, crs)[0]
    boundary = None if town.boundary is None else shapely.from_wkb(bytes(town.boundary))
    if not np.isfinite(shapely.bounds(area)).all():
        raise AreaInvalid(
            f"The {what} cannot be placed in {crs_text}: its numbers are outside of that system."
        )
    if boundary is not None and not shapely.intersects(shapely.buffer(boundary, OUTSIDE_TOLERANCE_FT), area):
        fits = crs_that_fits(drawn, boundary)
        hint = f" In {fits} it would." if fits else ""
        raise AreaInvalid(f"In {crs_text} the {what} does not lie in {town.name}.{hint}", fits=fits)
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


def _line(text: str) -> Any:
    import shapely

    if len(text) > _MAX_TEXT:
        raise AreaInvalid("The route has more text than any drawn line.")
    try:
        parts: list[Any] = [shapely.geometry.shape(each) for each in _geometries(json.loads(text))]
        line = shapely.line_merge(shapely.MultiLineString(parts))
    except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.ShapelyError) as error:
        raise AreaInvalid("This is no GeoJSON line.") from error
    if line.geom_type != "LineString" or line.is_empty or not line.length:
        raise AreaInvalid("The route has to be one line.")
    return shapely.force_2d(line)


def _geometries(document: dict[str, Any]) -> list[dict[str, Any]]:
    if document["type"] == "FeatureCollection":
        return [feature["geometry"] for feature in document["features"]]
    return [document["geometry"] if document["type"] == "Feature" else document]
