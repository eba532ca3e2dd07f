"""Quality re-checks: what a second person saw, beside what the first did."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from assessment.property.models import Inspection, Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.packages.models import Package
from fieldsync.quality.rules import agreement_percent


class Recheck(TownModel):
    """A random share of one collector's inspections, looked at again by another. Written by its services.

    The draw can be repeated: the same inspections and ``seed`` give the same properties.
    """

    class State(models.TextChoices):
        OPEN = "open", "Being looked at"
        AGREED = "agreed", "Agrees"
        SENT_BACK = "sent_back", "Sent back"

    package = TownForeignKey(Package, related_name="rechecks", help_text="what the second person takes")
    source_package = TownForeignKey(Package, related_name="rechecked_by", null=True, blank=True)
    first_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    inspected_from = models.DateField(null=True, blank=True)
    inspected_to = models.DateField(null=True, blank=True)
    seed = models.BigIntegerField()
    percent = models.DecimalField(max_digits=5, decimal_places=2)
    population = models.PositiveIntegerField(help_text="properties that the person inspected in the batch")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    fields_compared = models.PositiveIntegerField(default=0)
    fields_agreeing = models.PositiveIntegerField(default=0)
    follow_up = TownForeignKey(Package, related_name="sent_back_by", null=True, blank=True)
    drawn_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["package"], name="one_recheck_for_a_package"),
            models.CheckConstraint(
                name="no_more_fields_agree_than_were_compared",
                condition=Q(fields_agreeing__lte=models.F("fields_compared")),
            ),
        ]
        indexes = [models.Index(fields=["town", "state", "drawn_at"])]

    @property
    def agreement_percent(self) -> Decimal | None:
        """Share of the compared fields that agree; None before the first."""
        return agreement_percent(self.fields_compared, self.fields_agreeing)


class RecheckItem(TownModel):
    """One property of a re-check: the first inspection, the second, and how each field compares."""

    recheck = TownForeignKey(Recheck, related_name="items")
    property = TownForeignKey(Property, related_name="recheck_items")
    first_inspection = TownForeignKey(Inspection, related_name="+")
    second_inspection = TownForeignKey(Inspection, related_name="+", null=True, blank=True)
    fields_compared = models.PositiveIntegerField(default=0)
    fields_agreeing = models.PositiveIntegerField(default=0)
    comparison = models.JSONField(default=list, blank=True, help_text="[{path, first, second, agrees}]")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recheck", "property"], name="property_once_in_a_recheck")
        ]
        indexes = [models.Index(fields=["town", "property"])]
