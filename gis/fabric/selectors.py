"""Reading the parcel fabric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from assessment.region.errors import NotFound
from gis.boxes import Box
from gis.fabric.models import FabricVersion, Parcel
from gis.fabric.search import FEATURES_FUNCTION, PARCELS_FUNCTION


def find_current_fabric(town_code: int) -> FabricVersion | None:
    """The fabric in force in the town, or None when none was imported."""
    return FabricVersion.objects.filter(town_id=town_code, state=FabricVersion.State.CURRENT).first()


def get_fabric(fabric_id: UUID) -> FabricVersion:
    """The fabric version; raise `NotFound`."""
    fabric = FabricVersion.objects.filter(id=fabric_id).first()
    if fabric is None:
        raise NotFound("There is no such fabric version.")
    return fabric


def list_fabrics(town_code: int, *, limit: int = 20, offset: int = 0) -> list[FabricVersion]:
    """Fabric versions of the town, newest first."""
    return list(FabricVersion.objects.filter(town_id=town_code).order_by("-number")[offset : offset + limit])


def list_parcels_of(property_id: UUID) -> list[Parcel]:
    """Parcels of the fabric in force on which the property stands, by parcel key."""
    return list(
        Parcel.objects.filter(
            property_links__property=property_id, fabric__state=FabricVersion.State.CURRENT
        ).order_by("parcel_key")
    )


def parcel_ids_in_box(fabric_id: UUID, area: Box, *, limit: int | None = None) -> list[UUID]:
    """Ids of the fabric's parcels whose bounding boxes meet `area`, in order of id.

    Goes through the search role's function, which keeps its index behind the walls (`gis.fabric.search`).
    """
    return _ids_in_box(PARCELS_FUNCTION, fabric_id, area, limit)


def layer_feature_ids_in_box(layer_id: UUID, area: Box, *, limit: int | None = None) -> list[UUID]:
    """Ids of the layer's features whose bounding boxes meet `area`, in order of id."""
    return _ids_in_box(FEATURES_FUNCTION, layer_id, area, limit)


def _ids_in_box(function: str, of: UUID, area: Box, limit: int | None) -> list[UUID]:
    sql = f"SELECT id FROM {function}(%s, %s::box) AS found(id) ORDER BY id"  # noqa: S608
    parameters: list[Any] = [of, area.text]
    if limit is not None:
        sql += " LIMIT %s"
        parameters.append(limit)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]


def parcels_by_id(ids: Sequence[UUID]) -> QuerySet[Parcel]:
    """The parcels with these ids, as far as they are in scope."""
    return Parcel.objects.filter(id__in=ids)
