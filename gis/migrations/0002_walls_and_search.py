"""Walls around every town's land, and search by place that keeps its index behind them."""

from __future__ import annotations

from django.db import migrations

from assessment.region.walls import WallOff
from gis.fabric.search import DROP_SQL, SEARCH_SQL


class Migration(migrations.Migration):
    dependencies = [("gis", "0001_foundation"), ("assessment", "0002_walls_and_journal")]

    operations = [
        WallOff("FabricVersion", "Parcel", "ParcelProperty", "TopologyFinding", "Lineage"),
        WallOff("Layer", "LayerFeature", "TileArchive"),
        migrations.RunSQL(SEARCH_SQL, DROP_SQL),
    ]
