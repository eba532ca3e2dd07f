"""The map as a panel of the record card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from assessment.office.registries import PageScope


def map_panel(property_id: UUID, page_scope: PageScope) -> Mapping[str, Any] | None:
    """The site map, or None (no panel) for a property without a parcel."""
    from gis.sitemap.selectors import find_site_map  # here: it brings shapely, which most pages never need

    del page_scope
    drawn = find_site_map(property_id)
    return None if drawn is None else {"map": drawn, "map_id": property_id}
