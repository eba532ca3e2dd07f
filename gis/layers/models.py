"""Layers that parcels and properties lie in. Written by `gis.layers.services` only."""

from __future__ import annotations

from django.contrib.postgres.indexes import GistIndex
from django.db import models

from assessment.region.walls import TownForeignKey, TownModel
from gis.boxes import BoxField


class Layer(TownModel):
    """A layer of a town of one kind, as imported from one file; importing anew replaces its features."""

    class Kind(models.TextChoices):
        NEIGHBOURHOOD = "neighbourhood", "Assessing neighbourhoods"
        ZONING = "zoning", "Zoning"
        FLOOD = "flood", "Flood zones"
        CENSUS = "census", "Census tracts"
        OTHER = "other", "Other"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=80)
    source_name = models.CharField(max_length=200)
    source_sha256 = models.CharField(max_length=64)
    source_crs = models.CharField(max_length=120)
    feature_count = models.PositiveIntegerField(default=0)
    imported_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "kind", "name"], name="layer_once_in_town")]

    def __str__(self) -> str:
        return self.name


class LayerFeature(TownModel):
    """One area of a layer: `geom` is WKB in EPSG:2234, valid."""

    layer = TownForeignKey(Layer, related_name="features")
    code = models.CharField(max_length=40)
    label = models.CharField(max_length=120, blank=True)
    attributes = models.JSONField(default=dict)
    geom = models.BinaryField(help_text="WKB, EPSG:2234")
    bbox = BoxField()

    class Meta:
        indexes = [GistIndex(fields=["layer", "bbox"], name="layer_feature_layer_bbox")]

    def __str__(self) -> str:
        return self.code
