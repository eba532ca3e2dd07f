"""A package as a GeoPackage, for whoever works in a GIS: parcels, buildings and inspections in EPSG:2234."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

from assessment.property.models import Building, Inspection, Property
from fieldsync.packages.models import Package
from fieldsync.packages.selectors import list_records
from gis.fabric.models import FabricVersion, ParcelProperty
from gis.fabric.rules.units import WORKING_EPSG

FILE_TYPE: Final = "application/geopackage+sqlite3"

PROPERTY_COLUMNS: Final = (
    "account_number", "address", "neighbourhood", "use_code", "state_class", "zoning", "total_acres",
    "last_full_inspection_on",
)  # fmt: skip
BUILDING_COLUMNS: Final = (
    "building_number", "style", "grade", "condition", "year_built", "living_area_sqft", "bedrooms", "full_baths",
    "stories", "exterior_wall", "roof_cover", "heat_fuel", "heat_type",
)  # fmt: skip
INSPECTION_COLUMNS: Final = (
    "visited_at", "purpose", "entry_code", "interior_source", "is_full_inspection", "list_year", "note",
)  # fmt: skip


def write_geopackage(package: Package) -> BinaryIO:
    """Return the package as a GeoPackage file, with what is on record now.

    Layers: ``parcels`` (a polygon for each parcel of a property; a property without one is there without
    shape), ``buildings`` (a point in the parcel) and ``inspections`` (the same). A re-check gets no
    attributes of buildings and no inspections, since it is blind.
    """
    property_ids = list_records(package.id)
    shapes = _shapes(property_ids)
    properties = Property.objects.filter(id__in=property_ids).order_by("account_number")
    rows = properties.values_list("id", *PROPERTY_COLUMNS)
    parcels = [(key, shape, values) for key, *values in rows for shape in shapes.get(key) or [None]]
    buildings = Building.objects.filter(property_id__in=property_ids).order_by(
        "property_id", "building_number"
    )
    inspections = Inspection.objects.filter(property_id__in=property_ids).order_by("visited_at", "id")
    with tempfile.TemporaryDirectory(prefix="gpkg-") as folder:
        path = Path(folder) / "package.gpkg"
        _write(path, "parcels", "MultiPolygon", PROPERTY_COLUMNS, parcels)
        hidden = package.is_blind
        columns = BUILDING_COLUMNS[:1] if hidden else BUILDING_COLUMNS
        _write(
            path,
            "buildings",
            "Point",
            columns,
            _at_parcels(buildings.values_list("property_id", *columns), shapes),
        )
        seen = inspections.none() if hidden else inspections
        _write(
            path, "inspections", "Point", INSPECTION_COLUMNS,
            _at_parcels(seen.values_list("property_id", *INSPECTION_COLUMNS), shapes),
        )  # fmt: skip
        return io.BytesIO(path.read_bytes())


def _shapes(property_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    import shapely

    links = ParcelProperty.objects.filter(
        property_id__in=property_ids, parcel__fabric__state=FabricVersion.State.CURRENT
    ).order_by("parcel__parcel_key")
    shapes: dict[UUID, list[Any]] = {}
    for property_id, geom in links.values_list("property_id", "parcel__geom"):
        shape: Any = shapely.from_wkb(bytes(geom))
        if shape.geom_type == "Polygon":
            shape = shapely.multipolygons([shape])
        shapes.setdefault(property_id, []).append(shape)
    return shapes


def _at_parcels(rows: Iterable[tuple[Any, ...]], shapes: dict[UUID, list[Any]]) -> list[tuple[Any, Any, Any]]:
    """Give each row a point inside of its property's first parcel, if it has one."""
    return [
        (key, shapes[key][0].point_on_surface() if key in shapes else None, values) for key, *values in rows
    ]


def _write(
    path: Path, layer: str, geometry_type: str, columns: Sequence[str], rows: Sequence[tuple[Any, Any, Any]]
) -> None:
    import numpy as np
    import shapely
    from pyogrio import raw

    def column(values: list[Any]) -> Any:
        if (
            values
            and all(isinstance(value, int) for value in values if value is not None)
            and None not in values
        ):
            return np.array(values)
        return np.array([None if value is None else str(value) for value in values], dtype=object)

    fields = ["property_id", *columns]
    found = [[str(key), *values] for key, _, values in rows]
    raw.write(
        path,
        np.array([None if shape is None else shapely.to_wkb(shape) for _, shape, _ in rows], dtype=object),
        [column([row[place] for row in found]) for place in range(len(fields))],
        fields,
        geometry_type=geometry_type,
        crs=f"EPSG:{WORKING_EPSG}",
        driver="GPKG",
        layer=layer,
        append=path.exists(),
    )
