"""Which tile archives were made. Written by `gis.tiles.services` only."""

from __future__ import annotations

from django.db import models

from assessment.property.models import Blob
from assessment.region.walls import TownForeignKey, TownModel
from gis.fabric.models import FabricVersion


class TileArchive(TownModel):
    """The PMTiles archive of one fabric version; its bytes are a blob of the town."""

    fabric = TownForeignKey(FabricVersion, related_name="tile_archives")
    blob = TownForeignKey(Blob, related_name="+")
    min_zoom = models.PositiveSmallIntegerField()
    max_zoom = models.PositiveSmallIntegerField()
    duration_s = models.FloatField(help_text="how long making it took")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "fabric"], name="one_tile_archive_for_a_fabric")
        ]
