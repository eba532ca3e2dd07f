"""The parcel fabric of a town, version by version. Written by `gis.fabric.services` only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q

from assessment.property.models import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from gis.boxes import BoxField
from gis.fabric.rules.kinds import Descent, FindingKind
from gis.fabric.rules.units import acres

if TYPE_CHECKING:
    import shapely


class FabricVersion(TownModel):
    """One state of a town's parcel layer, as imported from one file. Its parcels never change."""

    class State(models.TextChoices):
        DRAFT = "draft"
        CURRENT = "current"
        SUPERSEDED = "superseded"

    number = models.PositiveIntegerField(help_text="1, 2, 3, ... in the town")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    source_name = models.CharField(max_length=200)
    source_sha256 = models.CharField(max_length=64)
    source_layer = models.CharField(max_length=120, blank=True)
    source_crs = models.CharField(max_length=120, help_text="as the file states it, or as stated for it")
    identifier_column = models.CharField(max_length=120)
    row_count = models.PositiveIntegerField()
    parcel_count = models.PositiveIntegerField()
    refused_count = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=dict, help_text="findings of the topology report by kind")
    changes = models.JSONField(default=dict, help_text="added, removed, reshaped, redescribed since the last")
    imported_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    imported_by_name = models.CharField(max_length=160)
    imported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "number"], name="fabric_number_once_in_town"),
            models.UniqueConstraint(
                fields=["town"], condition=Q(state="current"), name="one_current_fabric_in_town"
            ),
        ]

    def __str__(self) -> str:
        return f"fabric {self.number} of town {self.town_id}"


class Parcel(TownModel):
    """One parcel of one fabric version: its identifier in the layer, its words and its shape.

    `geom` is WKB in EPSG:2234, two-dimensional and valid; `original_geom` is the shape as it came, kept
    where it had to be repaired.
    """

    fabric = TownForeignKey(FabricVersion, related_name="parcels")
    row = models.PositiveIntegerField(help_text="row in the file, from 1")
    parcel_key = models.CharField(max_length=80)
    address = models.CharField(max_length=160, blank=True)
    kind = models.CharField(
        max_length=60, blank=True, help_text="as the layer says, such as Parcel or Condo Main"
    )
    use = models.CharField(max_length=120, blank=True, help_text="land use, as the layer says")
    attributes = models.JSONField(default=dict, help_text="every cell of the row")
    geom = models.BinaryField(help_text="WKB, EPSG:2234")
    original_geom = models.BinaryField(null=True, help_text="WKB, EPSG:2234, before the repair")
    bbox = BoxField()
    area_sqft = models.FloatField()
    is_multipart = models.BooleanField(default=False)
    is_repaired = models.BooleanField(default=False)
    shape_digest = models.CharField(max_length=32)
    words_digest = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "fabric", "parcel_key"], name="parcel_key_once_in_fabric"
            ),
            models.CheckConstraint(name="parcel_has_area", condition=Q(area_sqft__gt=0)),
            models.CheckConstraint(
                name="repaired_parcel_keeps_its_original",
                condition=Q(is_repaired=False) | Q(original_geom__isnull=False),
            ),
        ]
        indexes = [GistIndex(fields=["fabric", "bbox"], name="parcel_fabric_bbox")]

    def __str__(self) -> str:
        return self.parcel_key

    @property
    def acres(self) -> float:
        """Area of the drawn shape in acres; the record's own acreage may differ."""
        return acres(self.area_sqft)

    @property
    def shape(self) -> shapely.Geometry:
        """The shape, in EPSG:2234."""
        import shapely

        return shapely.from_wkb(bytes(self.geom))


class ParcelProperty(TownModel):
    """A property stands on a parcel. Many to many: condominium units share a parcel, a farm has several."""

    class Method(models.TextChoices):
        ALIAS = "alias", "an identifier in common"
        CREATED = "created", "the property was made for the parcel"
        COMPLEX = "complex", "the parcel of the condominium complex"
        INHERITED = "inherited", "carried over from the fabric before"
        HAND = "hand", "linked by a person"

    parcel = TownForeignKey(Parcel, related_name="property_links")
    property = TownForeignKey(Property, related_name="parcel_links")
    method = models.CharField(max_length=10, choices=Method.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "parcel", "property"], name="parcel_linked_once")
        ]
        indexes = [models.Index(fields=["town", "property"])]


class TopologyFinding(TownModel):
    """One thing that the topology report of a fabric version found."""

    fabric = TownForeignKey(FabricVersion, related_name="topology_findings")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in FindingKind])
    rows = models.JSONField(help_text="rows in the file, from 1")
    parcel_keys = models.JSONField(help_text="identifiers of those rows")
    area_sqft = models.FloatField(null=True)
    detail = models.CharField(max_length=200, blank=True)
    x_ft = models.FloatField(null=True, help_text="EPSG:2234")
    y_ft = models.FloatField(null=True, help_text="EPSG:2234")

    class Meta:
        indexes = [models.Index(fields=["town", "fabric", "kind"])]


class Lineage(TownModel):
    """A parcel of one fabric stands, in part, where a parcel of the fabric before it stood."""

    parent = TownForeignKey(Parcel, related_name="child_lines")
    child = TownForeignKey(Parcel, related_name="parent_lines")
    descent = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in Descent])
    common_sqft = models.FloatField()
    share_of_parent = models.FloatField()
    share_of_child = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "parent", "child"], name="descent_once")]
        indexes = [models.Index(fields=["town", "child"])]
