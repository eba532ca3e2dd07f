"""What other apps read of the land; each feature keeps its own selectors beside its models."""

from gis.fabric.selectors import (
    find_current_fabric,
    get_fabric,
    list_fabrics,
    list_parcels_of,
    parcel_ids_in_box,
    parcels_by_id,
)
from gis.sitemap.rules import SiteMap
from gis.sitemap.selectors import find_site_map, get_site_map

__all__ = [
    "SiteMap",
    "find_current_fabric",
    "find_site_map",
    "get_fabric",
    "get_site_map",
    "list_fabrics",
    "list_parcels_of",
    "parcel_ids_in_box",
    "parcels_by_id",
]
