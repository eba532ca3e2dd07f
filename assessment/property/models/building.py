"""Buildings, their sketch, and what else stands on the land."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models.account import Property
from assessment.region.walls import TownForeignKey, TownModel


class Building(TownModel):
    """One building (or condominium unit) of a property; RCSA 12-62f-3's characteristics."""

    property = TownForeignKey(Property, related_name="buildings")
    building_number = models.PositiveSmallIntegerField(default=1)
    use_code = models.CharField(max_length=20, blank=True)
    detail_code = models.CharField(max_length=4, blank=True, help_text="state detail code, such as 13 or 22")
    occupancy = models.CharField(max_length=40, blank=True)
    style = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=40, blank=True)
    grade = models.CharField(max_length=20, blank=True)
    condition = models.CharField(max_length=20, blank=True)
    year_built = models.PositiveSmallIntegerField(null=True, blank=True)
    effective_year_built = models.PositiveSmallIntegerField(null=True, blank=True)
    stories = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    story_height_ft = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    living_area_sqft = models.PositiveIntegerField(null=True, blank=True)
    gross_area_sqft = models.PositiveIntegerField(null=True, blank=True)
    effective_area_sqft = models.PositiveIntegerField(null=True, blank=True)
    total_rooms = models.PositiveSmallIntegerField(null=True, blank=True)
    bedrooms = models.PositiveSmallIntegerField(null=True, blank=True)
    full_baths = models.PositiveSmallIntegerField(null=True, blank=True)
    half_baths = models.PositiveSmallIntegerField(null=True, blank=True)
    kitchens = models.PositiveSmallIntegerField(null=True, blank=True)
    fireplaces = models.PositiveSmallIntegerField(null=True, blank=True)
    units = models.PositiveSmallIntegerField(null=True, blank=True)
    elevators = models.PositiveSmallIntegerField(null=True, blank=True)
    exterior_wall = models.CharField(max_length=40, blank=True)
    roof_structure = models.CharField(max_length=40, blank=True)
    roof_cover = models.CharField(max_length=40, blank=True)
    interior_wall = models.CharField(max_length=40, blank=True)
    floor_cover = models.CharField(max_length=40, blank=True)
    plumbing = models.CharField(max_length=40, blank=True)
    bath_style = models.CharField(max_length=40, blank=True)
    kitchen_style = models.CharField(max_length=40, blank=True)
    heat_fuel = models.CharField(max_length=40, blank=True)
    heat_type = models.CharField(max_length=40, blank=True)
    ac_type = models.CharField(max_length=40, blank=True)
    basement_type = models.CharField(max_length=40, blank=True)
    basement_area_sqft = models.PositiveIntegerField(null=True, blank=True)
    basement_finish = models.CharField(max_length=40, blank=True)
    finished_basement_sqft = models.PositiveIntegerField(null=True, blank=True)
    attic = models.CharField(max_length=40, blank=True)
    garage_attached_spaces = models.PositiveSmallIntegerField(null=True, blank=True)
    use_mix = models.JSONField(
        default=list, blank=True, help_text="non-residential: use, percent or square feet"
    )
    percent_good = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    functional_obsolescence_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    external_obsolescence_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    percent_complete = models.DecimalField(max_digits=5, decimal_places=2, default=100)
    remodelled_year = models.PositiveSmallIntegerField(null=True, blank=True)
    estimated_fields = models.JSONField(default=list, blank=True, help_text="fields that nobody could see")
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "property", "building_number"], name="building_number_once"
            ),
            models.CheckConstraint(
                name="percent_complete_is_a_percentage",
                condition=Q(percent_complete__gte=0) & Q(percent_complete__lte=100),
            ),
            models.CheckConstraint(
                name="year_built_is_plausible",
                condition=Q(year_built__isnull=True) | Q(year_built__range=(1600, 2100)),
            ),
        ]


class Section(TownModel):
    """One area of a building's sketch: a closed polygon, a label that tells its use, and a storey."""

    property = TownForeignKey(Property, related_name="sections")
    building = TownForeignKey(Building, related_name="sections")
    label = models.CharField(max_length=10, help_text="code table 'section', such as BAS or FUS")
    storey = models.SmallIntegerField(default=1)
    points_ft = models.JSONField(
        help_text="[[x, y], ...] in feet from the sketch's origin, first point not repeated"
    )
    area_sqft = models.DecimalField(max_digits=12, decimal_places=2)
    perimeter_ft = models.DecimalField(max_digits=12, decimal_places=2)
    is_interior_plan = models.BooleanField(default=False, help_text="never on a public page (CGS 12-62)")

    class Meta:
        constraints = [models.CheckConstraint(name="section_has_area", condition=Q(area_sqft__gt=0))]


class Feature(TownModel):
    """An outbuilding, yard improvement or extra feature."""

    property = TownForeignKey(Property, related_name="features")
    building = TownForeignKey(Building, related_name="features", null=True, blank=True)
    line_number = models.PositiveSmallIntegerField(default=1)
    code = models.CharField(max_length=20)
    description = models.CharField(max_length=80, blank=True)
    detail_code = models.CharField(max_length=4, blank=True, help_text="state detail code, such as 14")
    quantity = models.DecimalField(max_digits=12, decimal_places=2, default=1)
    unit = models.CharField(max_length=10, default="each", help_text="each, sqft or ft")
    grade = models.CharField(max_length=20, blank=True)
    condition = models.CharField(max_length=20, blank=True)
    year_built = models.PositiveSmallIntegerField(null=True, blank=True)
    percent_good = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    percent_complete = models.DecimalField(max_digits=5, decimal_places=2, default=100)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="feature_quantity_not_negative", condition=Q(quantity__gte=0))
        ]
