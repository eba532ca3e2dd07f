"""Making tile archives."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from assessment.jobs.models import Job
from assessment.jobs.services import start_job
from assessment.property.blobs import store_blob
from assessment.property.rules.addresses import split_address
from assessment.region.actors import Actor
from assessment.region.rules import Permission
from assessment.region.scope import scope
from gis.fabric.models import FabricVersion, Parcel, ParcelProperty
from gis.fabric.selectors import get_fabric
from gis.tiles.models import TileArchive
from gis.tiles.selectors import find_archive

if TYPE_CHECKING:
    from gis.tiles.making import TileParcel

TILES_JOB: Final = "map_tiles"
MEDIA_TYPE: Final = "application/vnd.pmtiles"


def start_tiles(fabric: FabricVersion, *, actor: Actor) -> Job:
    """Queue the making of a fabric's tiles; a second call while it waits returns the same job."""
    return start_job(
        TILES_JOB, actor=actor, town=fabric.town_id, payload={"fabric_id": str(fabric.id)}, key=str(fabric.id)
    )


def make_tiles(fabric_id: UUID, *, actor: Actor, town_code: int) -> TileArchive:
    """Make the archive of a fabric version and store it; one that exists is returned as it is.

    Runs outside of any transaction: the parcels are read in one scope, written to a file without holding
    anything in the database, and stored in another.

    Raises
    ------
    NotFound
        The town has no such fabric version.
    TilesFailed
        The archive could not be made.
    """
    from gis.tiles.making import (  # here: it brings GDAL, which no request needs
        MAX_ZOOM,
        MIN_ZOOM,
        write_archive,
    )

    actor.require(Permission.IMPORT, town_code)
    with scope(actor, towns=[town_code], reason="map tiles"):
        fabric = get_fabric(fabric_id)
        made = find_archive(fabric_id)
        if made is not None:
            return made
        parcels = _read(fabric)
        name = f"{fabric.town.name}, fabric {fabric.number}"
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tiles-") as folder:
        path = Path(folder) / "parcels.pmtiles"
        write_archive(path, parcels, name=name)
        duration_s = time.perf_counter() - began
        with scope(actor, towns=[town_code], reason="map tiles"), path.open("rb") as stream:
            blob = store_blob(stream, town_code=town_code, media_type=MEDIA_TYPE)
            try:
                with transaction.atomic():
                    return TileArchive.objects.create(
                        town_id=town_code,
                        fabric=fabric,
                        blob=blob,
                        min_zoom=MIN_ZOOM,
                        max_zoom=MAX_ZOOM,
                        duration_s=duration_s,
                        made_at=timezone.now(),
                    )
            except IntegrityError:
                # Two workers made it at once (a late one was taken for dead): the first one's is kept.
                return TileArchive.objects.select_related("blob").get(town_id=town_code, fabric=fabric)


def _read(fabric: FabricVersion) -> list[TileParcel]:
    from gis.tiles.making import TileParcel

    properties: dict[UUID, list[UUID]] = defaultdict(list)
    for parcel_id, property_id in ParcelProperty.objects.filter(parcel__fabric=fabric).values_list(
        "parcel_id", "property_id"
    ):
        properties[parcel_id].append(property_id)
    rows = Parcel.objects.filter(fabric=fabric).order_by("row")
    return [
        TileParcel(
            key=key,
            address=address,
            number=split_address(address).number,
            property=str(properties[parcel_id][0]) if len(properties[parcel_id]) == 1 else "",
            wkb=bytes(geom),
        )
        for parcel_id, key, address, geom in rows.values_list("id", "parcel_key", "address", "geom")
    ]
