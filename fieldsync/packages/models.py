"""Work packages: which properties a collector has to see, and the parts a tablet takes them by."""

from __future__ import annotations

from django.db import models

from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.devices.models import Device


class Package(TownModel):
    """A piece of field work for one device or person. Written by `fieldsync.packages.services` only.

    Drawn (its properties are chosen) → building → ready → closed; a failed build leaves it drawn.
    Its properties are the rows of `PackageRecord`; what a device takes is in ``manifest``. With a person
    and no device, any tablet that the person carries may take it. ``checked_out_by`` informs the office
    and hinders nobody.
    """

    class State(models.TextChoices):
        DRAWN = "drawn", "Drawn"
        BUILDING = "building", "Being built"
        READY = "ready", "Ready"
        CLOSED = "closed", "Closed"

    class Kind(models.TextChoices):
        REVALUATION = "revaluation", "Revaluation"
        PERMIT = "permit", "Permits"
        SALE = "sale", "Sales to verify"
        RECHECK = "recheck", "Quality re-check"
        REVIEW = "review", "Field review"
        OTHER = "other", "Other"

    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.REVALUATION)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAWN)
    device = TownForeignKey(Device, related_name="packages", null=True, blank=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    parent = TownForeignKey("self", related_name="children", null=True, blank=True)
    reason = models.CharField(max_length=400, blank=True, help_text="why it was drawn, for whoever gets it")
    selection = models.JSONField(default=dict, blank=True, help_text="how the properties were chosen")
    list_year = models.PositiveSmallIntegerField()
    schema_version = models.PositiveSmallIntegerField(default=1)
    record_count = models.PositiveIntegerField(default=0)
    byte_count = models.BigIntegerField(default=0)
    manifest = models.JSONField(null=True, blank=True)
    drawn_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    drawn_at = models.DateTimeField()
    assigned_at = models.DateTimeField(null=True, blank=True)
    built_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    checked_out_by = TownForeignKey(Device, related_name="checked_out", null=True, blank=True)
    checked_out_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["town", "state", "drawn_at"])]

    def __str__(self) -> str:
        return self.title

    @property
    def is_blind(self) -> bool:
        """Whether its cards hide what the first collector entered."""
        return self.kind == self.Kind.RECHECK
