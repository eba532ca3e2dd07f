"""The assessable account: identity, location, ownership."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from assessment.region.walls import TownForeignKey, TownModel


class Complex(TownModel):
    """A condominium complex: its units share land, are valued by complex, and often one polygon."""

    name = models.CharField(max_length=120)
    code = models.CharField(max_length=40)
    address = models.CharField(max_length=160, blank=True)
    declared_on = models.DateField(null=True, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "code"], name="complex_code_once_in_town")]


class Property(TownModel):
    """One assessable account (real, personal or vehicle); RCSA 12-62f-3's administration fields live here.

    Written by `assessment.property.services` only. Values are not here: they are lines of a grand list.
    """

    class Kind(models.TextChoices):
        REAL = "real", "Real estate"
        PERSONAL = "personal", "Personal property"
        VEHICLE = "vehicle", "Motor vehicle"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.REAL)
    account_number = models.CharField(max_length=40, help_text="the business number, given by the server")
    address = models.CharField(max_length=160, blank=True, help_text="location as one line")
    address_number = models.CharField(max_length=20, blank=True)
    street_name = models.CharField(max_length=100, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    property_city = models.CharField(max_length=60, blank=True)
    property_zip = models.CharField(max_length=10, blank=True)
    location_x_ft = models.FloatField(null=True, blank=True, help_text="EPSG:2234")
    location_y_ft = models.FloatField(null=True, blank=True, help_text="EPSG:2234")
    use_code = models.CharField(max_length=20, blank=True, help_text="the town's own use code (table 'use')")
    use_description = models.CharField(max_length=120, blank=True)
    state_class = models.CharField(max_length=3, blank=True, help_text="OPM abstract class 100 to 800")
    exempt_code = models.CharField(
        max_length=4, blank=True, help_text="OPM four-letter code of exempt property"
    )
    neighbourhood = models.CharField(max_length=20, blank=True)
    zoning = models.CharField(max_length=40, blank=True)
    census_tract = models.CharField(max_length=11, blank=True)
    total_acres = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    land_sqft = models.BigIntegerField(null=True, blank=True)
    frontage_ft = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    utilities = models.CharField(max_length=60, blank=True)
    topography = models.CharField(max_length=60, blank=True)
    complex = TownForeignKey(Complex, null=True, blank=True, related_name="units")
    common_interest_percent = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    comment = models.TextField(blank=True)
    user_fields = models.JSONField(
        default=dict, blank=True, help_text="the town's 20 fields, by slot '1' to '20'"
    )
    is_synthetic = models.BooleanField(
        default=False, help_text="characteristics generated for the demonstration"
    )
    is_retired = models.BooleanField(default=False)
    retired_on = models.DateField(null=True, blank=True)
    last_full_inspection_on = models.DateField(
        null=True, blank=True, help_text="CGS 12-62: once in ten years"
    )
    version = models.BigIntegerField(default=1, help_text="rises with every change of the card")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "kind", "account_number"], name="account_once_in_town"),
            models.CheckConstraint(name="acres_not_negative", condition=Q(total_acres__gte=0)),
            models.CheckConstraint(
                name="common_interest_is_a_percentage",
                condition=Q(common_interest_percent__gte=0) & Q(common_interest_percent__lte=100),
            ),
        ]
        indexes = [
            models.Index(fields=["town", "neighbourhood"]),
            models.Index(fields=["town", "street_name", "address_number"]),
        ]

    def __str__(self) -> str:
        return f"{self.account_number} {self.address}"


class PropertyAlias(TownModel):
    """An outside identifier (PID, Link, MBL, account of an older system) and when it was in use."""

    class IdType(models.TextChoices):
        PID = "pid", "Vendor's PID"
        LINK = "link", "State Link"
        MBL = "mbl", "Map/block/lot/unit"
        ACCOUNT = "account", "Account number"
        GIS = "gis", "Parcel fabric id"

    property = TownForeignKey(Property, related_name="aliases")
    id_type = models.CharField(max_length=10, choices=IdType.choices)
    value = models.CharField(max_length=80)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "property", "id_type", "value", "valid_from"], name="alias_once"
            )
        ]
        indexes = [models.Index(fields=["town", "id_type", "value"])]


class Owner(TownModel):
    """A party that owns, as the town knows it."""

    name = models.CharField(max_length=160)
    co_name = models.CharField(max_length=160, blank=True)
    mailing_address = models.CharField(max_length=200, blank=True)
    mailing_city = models.CharField(max_length=80, blank=True)
    mailing_state = models.CharField(max_length=20, blank=True)
    mailing_zip = models.CharField(max_length=12, blank=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["town", "name"])]


class ConfidentialityRequest(TownModel):
    """A request to keep a person's residential address confidential (CGS 1-217), from a day until another."""

    owner = TownForeignKey(Owner, related_name="confidentiality_requests")
    requested_on = models.DateField()
    agency = models.CharField(max_length=160, help_text="the public agency that the person serves")
    ends_on = models.DateField(null=True, blank=True)


class Ownership(TownModel):
    """An owner holds a property, or a share of it, from a day until another (exclusive)."""

    property = TownForeignKey(Property, related_name="ownerships")
    owner = TownForeignKey(Owner, related_name="ownerships")
    share_percent = models.DecimalField(max_digits=7, decimal_places=4, default=100)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    book_page = models.CharField(max_length=20, blank=True)
    is_confidential = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "property", "owner", "valid_from"], name="ownership_once"
            ),
            models.CheckConstraint(
                name="ownership_ends_after_it_begins",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
        ]


class UserFieldDefinition(TownModel):
    """What a town means by one of its 20 user-defined fields (RCSA 12-62f-3)."""

    slot = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=[(k, k) for k in ("text", "number", "date", "yes_no")])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "slot"], name="user_field_slot_once"),
            models.CheckConstraint(name="user_field_slot_1_to_20", condition=Q(slot__range=(1, 20))),
        ]
