"""OGC API - Features 1.0 (OGC 17-069r4), Core and GeoJSON: parameters, coordinates and documents. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from gis.boxes import Box
from gis.errors import QueryInvalid
from gis.fabric.rules.units import WORKING_EPSG

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyproj
    import shapely

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CONFORMANCE: Final = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
GEOJSON: Final = "application/geo+json"
LIMIT_DEFAULT: Final = 100
LIMIT_MOST: Final = 10_000
PARAMETERS: Final = frozenset({"bbox", "limit", "offset", "datetime", "f"})
# A millionth of a degree is a tenth of a metre; one more digit than the towns' own drawings carry.
_DECIMALS: Final = 7


@dataclass(frozen=True, slots=True)
class ItemsQuery:
    """What is asked of a collection: a box in EPSG:2234 or everything, and which page of it."""

    area: Box | None
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a document."""

    rel: str
    href: str
    media_type: str = "application/json"
    title: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        found = {"rel": self.rel, "href": self.href, "type": self.media_type}
        return {**found, "title": self.title} if self.title else found


def parse_query(parameters: Mapping[str, str]) -> ItemsQuery:
    """Read the parameters of a request for items.

    A limit above the most is lowered to it, as the standard says. ``datetime`` is accepted and matches
    everything, since parcels carry no time.

    Raises
    ------
    QueryInvalid
        An unknown parameter (the standard asks for 400), or a value that cannot be read.
    """
    unknown = sorted(set(parameters) - PARAMETERS)
    if unknown:
        raise QueryInvalid(f"There is no parameter {unknown[0]!r}.", parameter=unknown[0])
    if parameters.get("f", "json") not in ("json", "geojson"):
        raise QueryInvalid("Answers come as GeoJSON only.", parameter="f")
    limit = _whole(parameters, "limit", LIMIT_DEFAULT)
    if limit < 1:
        raise QueryInvalid("The limit is at least 1.", parameter="limit")
    return ItemsQuery(_area(parameters.get("bbox")), min(limit, LIMIT_MOST), _whole(parameters, "offset", 0))


def features_document(
    features: Sequence[tuple[str, shapely.Geometry, Mapping[str, Any]]],
    *,
    matched: int,
    timestamp: str,
    links: Sequence[Link],
) -> str:
    """A GeoJSON FeatureCollection of (id, shape in EPSG:2234, properties), written without a detour."""
    import numpy as np
    import shapely

    shapes = in_degrees(np.array([shape for _, shape, _ in features], dtype=object))
    parts = [
        f'{{"type":"Feature","id":{json.dumps(key)},"geometry":{geometry},"properties":{_json(properties)}}}'
        for (key, _, properties), geometry in zip(features, shapely.to_geojson(shapes), strict=True)
    ]
    head = {
        "type": "FeatureCollection",
        "timeStamp": timestamp,
        "numberMatched": matched,
        "numberReturned": len(features),
        "links": [link.as_dict() for link in links],
    }
    return f'{json.dumps(head)[:-1]}, "features":[{",".join(parts)}]}}'


def feature_document(
    key: str, shape: shapely.Geometry, properties: Mapping[str, Any], *, links: Sequence[Link]
) -> str:
    """A single GeoJSON Feature with its links."""
    import numpy as np
    import shapely

    (geometry,) = shapely.to_geojson(in_degrees(np.array([shape], dtype=object)))
    written = _json([link.as_dict() for link in links])
    return (
        f'{{"type":"Feature","id":{json.dumps(key)},"geometry":{geometry},'
        f'"properties":{_json(properties)},"links":{written}}}'
    )


def in_degrees(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Shapes of EPSG:2234 in longitude and latitude (CRS84), to seven decimals."""
    import numpy as np
    import shapely

    def to_degrees(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.round(np.column_stack(_to_degrees().transform(xy[:, 0], xy[:, 1])), _DECIMALS)

    return np.asarray(shapely.transform(shapes, to_degrees), dtype=object)


def bounds_in_degrees(bounds: Sequence[float]) -> list[float]:
    """West, south, east, north of bounds in EPSG:2234."""
    left, bottom, right, top = bounds
    return [
        round(float(degree), _DECIMALS) for degree in _to_degrees().transform_bounds(left, bottom, right, top)
    ]


def page_links(address: str, query: ItemsQuery, parameters: Mapping[str, str], *, matched: int) -> list[Link]:
    """Links to this page of items, the next and the one before, as far as there are any."""

    def at(offset: int) -> str:
        asked = {**parameters, "limit": str(query.limit), "offset": str(offset)}
        return f"{address}?{urlencode(asked, safe=',')}"

    links = [Link("self", at(query.offset), GEOJSON)]
    if query.offset + query.limit < matched:
        links.append(Link("next", at(query.offset + query.limit), GEOJSON))
    if query.offset > 0:
        links.append(Link("prev", at(max(0, query.offset - query.limit)), GEOJSON))
    return links


@cache
def _to_working() -> pyproj.Transformer:
    import pyproj

    return pyproj.Transformer.from_crs("OGC:CRS84", WORKING_EPSG, always_xy=True)


@cache
def _to_degrees() -> pyproj.Transformer:
    import pyproj

    return pyproj.Transformer.from_crs(WORKING_EPSG, "OGC:CRS84", always_xy=True)


def _area(text: str | None) -> Box | None:
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise QueryInvalid("A bbox is four numbers: west,south,east,north in degrees.", parameter="bbox")
    west, south, east, north = numbers
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise QueryInvalid("A bbox goes from west to east and from south to north.", parameter="bbox")
    bounds = _to_working().transform_bounds(west, south, east, north, errcheck=False)
    if not all(map(math.isfinite, bounds)):
        # Far from Connecticut the projection gives no number; nothing of ours lies there.
        return Box(0.0, 0.0, 0.0, 0.0)
    return Box(*bounds)


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 9:
        raise QueryInvalid(f"The {name} is a whole number.", parameter=name)
    return int(text)


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
