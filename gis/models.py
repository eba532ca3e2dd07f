"""All models of the land, by feature."""

from gis.fabric.models import FabricVersion, Lineage, Parcel, ParcelProperty, TopologyFinding
from gis.layers.models import Layer, LayerFeature
from gis.tiles.models import TileArchive

__all__ = [
    "FabricVersion",
    "Layer",
    "LayerFeature",
    "Lineage",
    "Parcel",
    "ParcelProperty",
    "TileArchive",
    "TopologyFinding",
]
