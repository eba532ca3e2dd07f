"""Reading tile archives."""

from __future__ import annotations

from uuid import UUID

from assessment.region.errors import NotFound
from gis.tiles.models import TileArchive


def find_archive(fabric_id: UUID) -> TileArchive | None:
    """The archive of a fabric version with its blob, or None."""
    return TileArchive.objects.select_related("blob").filter(fabric=fabric_id).first()


def get_archive(town_code: int, fabric_id: UUID) -> TileArchive:
    """The archive of a fabric version of the town; `NotFound` when there is none, or it is another town's."""
    archive = TileArchive.objects.select_related("blob").filter(town_id=town_code, fabric=fabric_id).first()
    if archive is None:
        raise NotFound("There are no such tiles.")
    return archive
