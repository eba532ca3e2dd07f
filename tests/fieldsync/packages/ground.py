"""Parcels under the tests' houses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import shapely

from assessment.region.scope import scope
from gis.fabric.models import FabricVersion, Parcel, ParcelProperty
from tests.cast import SYSTEM, TOWN_A

SIDE_FT = 100
# In Hamden.
WEST_FT, SOUTH_FT = 959_000, 702_000


def lay_ground(
    property_ids: Sequence[UUID], *, x_ft: float = WEST_FT, y_ft: float = SOUTH_FT, apart_ft: float = SIDE_FT
) -> FabricVersion:
    """Put each property on a square lot of 100 ft, from west to east, in a current fabric of town A."""
    with scope(SYSTEM, towns=[TOWN_A], reason="the tests' ground"):
        fabric = FabricVersion.objects.create(
            town_id=TOWN_A, number=1, state="current", source_name="x", source_sha256="0" * 64,
            source_crs="EPSG:2234", identifier_column="ID", row_count=1, parcel_count=1,
            imported_by_name="x", imported_at=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        for place, property_id in enumerate(property_ids):
            west = x_ft + place * apart_ft
            box = (west, y_ft, west + SIDE_FT, y_ft + SIDE_FT)
            parcel = Parcel.objects.create(
                town_id=TOWN_A, fabric=fabric, row=place + 1, parcel_key=str(place + 1),
                geom=shapely.to_wkb(shapely.box(*box)), bbox=box, area_sqft=SIDE_FT**2, shape_digest="x",
                words_digest="x", address=f"{place + 1} MAIN ST",
            )  # fmt: skip
            ParcelProperty.objects.create(
                town_id=TOWN_A, parcel=parcel, property_id=property_id, method="hand"
            )
    return fabric
