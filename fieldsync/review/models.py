"""What a reviewer in the field said of a proposed value."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.devices.models import Device
from fieldsync.packages.models import Package


class ReviewAnswer(TownModel):
    """One decision about one property's proposed value; a later one stands beside it, none is changed.

    It moves no value by itself: whoever reviews values reads it. The id is the tablet's.
    """

    class Decision(models.TextChoices):
        AGREE = "agree", "The value is right"
        CHANGE = "change", "Another value"
        LOOK = "look", "Somebody has to look"

    package = TownForeignKey(Package, related_name="review_answers", null=True, blank=True)
    property = TownForeignKey(Property, related_name="review_answers")
    list_year = models.PositiveSmallIntegerField()
    decision = models.CharField(max_length=6, choices=Decision.choices)
    proposed_value = models.BigIntegerField(null=True, blank=True, help_text="as the tablet showed it")
    value = models.BigIntegerField(null=True, blank=True, help_text="the reviewer's, whole dollars")
    reason = models.CharField(max_length=400, blank=True)
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    device = TownForeignKey(Device, related_name="+", null=True, blank=True)
    mutation_id = models.UUIDField(null=True, blank=True)
    answered_at = models.DateTimeField(help_text="by the tablet's clock")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="another_value_is_stated_with_its_reason",
                condition=~Q(decision="change") | Q(value__gte=0) & ~Q(reason=""),
            )
        ]
        indexes = [models.Index(fields=["town", "list_year", "property"])]
