"""The map of a property for its record card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import shapely

from assessment.property.rules.addresses import split_address
from assessment.region.errors import NotFound
from gis.boxes import Box
from gis.fabric.models import Parcel, ParcelProperty
from gis.fabric.rules.units import acres
from gis.fabric.selectors import list_parcels_of, parcel_ids_in_box, parcels_by_id
from gis.sitemap.rules import Drawable, SiteMap, draw, window_around

MOST_PARCELS: Final = 600
"""A window with more parcels than this (around a reservoir, say) is drawn with the first so many."""


def get_site_map(property_id: UUID, width_px: int = 640, height_px: int = 400) -> SiteMap:
    """The property's parcels with their neighbours.

    Raises
    ------
    NotFound
        The property stands on no parcel of the fabric in force.
    """
    drawn = find_site_map(property_id, width_px, height_px)
    if drawn is None:
        raise NotFound("No parcel is known for this property.")
    return drawn


def find_site_map(property_id: UUID, width_px: int = 640, height_px: int = 400) -> SiteMap | None:
    """The property's parcels with their neighbours; None when it stands on no parcel. Four queries."""
    own = list_parcels_of(property_id)
    if not own:
        return None
    window = window_around([parcel.bbox for parcel in own], width_px=width_px, height_px=height_px)
    own_ids = {parcel.id for parcel in own}
    around = _around(own[0].fabric_id, window, own_ids)
    properties = _properties_on([parcel.id for parcel in around])
    drawables = [
        _drawable(parcel, parcel.id in own_ids, properties.get(parcel.id)) for parcel in [*around, *own]
    ]
    keys = ", ".join(parcel.parcel_key for parcel in own)
    return draw(
        drawables,
        window,
        width_px=width_px,
        height_px=height_px,
        acres=acres(sum(parcel.area_sqft for parcel in own)),
        description=f"parcel {keys}" if len(own) == 1 else f"parcels {keys}",
    )


def _around(fabric_id: UUID, window: Box, own_ids: set[UUID]) -> list[Parcel]:
    ids = [
        found for found in parcel_ids_in_box(fabric_id, window, limit=MOST_PARCELS) if found not in own_ids
    ]
    return list(parcels_by_id(ids).only("id", "town_id", "parcel_key", "address", "geom"))


def _properties_on(parcel_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The property on each parcel that has exactly one."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    links = ParcelProperty.objects.filter(parcel__in=parcel_ids).values_list("parcel_id", "property_id")
    for parcel_id, property_id in links:
        found[parcel_id].append(property_id)
    return {parcel_id: ids[0] for parcel_id, ids in found.items() if len(ids) == 1}


def _drawable(parcel: Parcel, is_this: bool, property_id: UUID | None) -> Drawable:
    return Drawable(
        shape=shapely.from_wkb(bytes(parcel.geom)),
        parcel_key=parcel.parcel_key,
        address=parcel.address,
        label=split_address(parcel.address).number,
        is_this=is_this,
        property_id=property_id,
    )
