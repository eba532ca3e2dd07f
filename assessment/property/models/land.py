"""Land lines of a card."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models.account import Property
from assessment.region.walls import TownForeignKey, TownModel


class LandLine(TownModel):
    """One kind of land of a property, valued by its own unit and factors."""

    class Unit(models.TextChoices):
        ACRE = "acre", "acres"
        SQFT = "sqft", "square feet"
        FRONT_FOOT = "front_foot", "front feet"
        LOT = "lot", "lots"

    property = TownForeignKey(Property, related_name="land_lines")
    line_number = models.PositiveSmallIntegerField(default=1)
    land_type = models.CharField(
        max_length=20, default="primary", help_text="primary, excess, rear, wetland, ..."
    )
    use_code = models.CharField(max_length=20, blank=True)
    detail_code = models.CharField(max_length=4, blank=True, help_text="state detail code, such as 11 or 12")
    quantity = models.DecimalField(max_digits=14, decimal_places=4, help_text="in `unit`")
    unit = models.CharField(max_length=10, choices=Unit.choices, default=Unit.ACRE)
    depth_ft = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    size_factor = models.DecimalField(max_digits=8, decimal_places=4, default=1)
    site_index = models.DecimalField(max_digits=8, decimal_places=4, default=1)
    condition_factor = models.DecimalField(max_digits=8, decimal_places=4, default=1)
    neighbourhood_factor = models.DecimalField(max_digits=8, decimal_places=4, default=1)
    classified_use = models.CharField(max_length=30, blank=True, help_text="PA 490 class, if classified")
    note = models.CharField(max_length=200, blank=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "property", "line_number"], name="land_line_number_once"),
            models.CheckConstraint(name="land_quantity_not_negative", condition=Q(quantity__gte=0)),
        ]
