"""What came in from files, and what those files said of values."""

from __future__ import annotations

from django.db import models

from assessment.property.models.account import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel


class ImportRun(TownModel):
    """One run of an import, also a dry one: which file, by whom, and its report by row."""

    kind = models.CharField(max_length=20, help_text="parcels, cama, sales, geocodes, ...")
    file_name = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    mapping = models.CharField(max_length=60, blank=True)
    is_dry_run = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    run_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    counts = models.JSONField(default=dict, help_text="read, added, changed, unchanged, rejected, ...")
    report = models.JSONField(default=dict, help_text="rows with their reason")

    class Meta:
        indexes = [models.Index(fields=["town", "started_at"])]


class StatedValue(TownModel):
    """What a file or a town's last signed list says an account is worth, for one list year.

    Used to balance a conversion and as a comparison in ratio studies; never a feature of a model.
    """

    property = TownForeignKey(Property, related_name="stated_values")
    list_year = models.PositiveSmallIntegerField()
    basis = models.CharField(max_length=20, default="card", help_text="card, or the town's signed 'list'")
    detail_code = models.CharField(
        max_length=4, help_text="state detail code, or '' when only a total is stated", blank=True
    )
    component = models.CharField(
        max_length=20, help_text="land, building, outbuilding, total, exemption, net"
    )
    appraised = models.BigIntegerField(null=True, blank=True)
    assessed = models.BigIntegerField(null=True, blank=True)
    import_run = TownForeignKey(ImportRun, related_name="stated_values", null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "property", "list_year", "basis", "component", "detail_code"],
                name="stated_value_once",
            )
        ]
