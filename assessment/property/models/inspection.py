"""What was seen: inspections and observations. Never edited; acceptance is what changes the record."""

from __future__ import annotations

from django.db import models

from assessment.property.models.account import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel


class Inspection(TownModel):
    """One visit (or mailer, hearing, review) to a property, with its entry code. The id is the client's."""

    property = TownForeignKey(Property, related_name="inspections")
    purpose = models.CharField(max_length=30, help_text="revaluation, permit, sale, recheck, review, ...")
    entry_code = models.CharField(max_length=4, help_text="code table 'entry'")
    interior_source = models.CharField(
        max_length=20, blank=True, help_text="inspected, owner, estimated, mailer"
    )
    is_full_inspection = models.BooleanField(
        default=False, help_text="exterior measured and interior entered"
    )
    visited_at = models.DateTimeField()
    inspected_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    reviewed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    device_id = models.UUIDField(null=True, blank=True)
    package_id = models.UUIDField(null=True, blank=True)
    list_year = models.PositiveSmallIntegerField()
    refusal_note = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["town", "received_at"])]


class Observation(TownModel):
    """One field as seen on a day, for a list year; it changes the record only when it is accepted."""

    class State(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        CONFLICT = "conflict"
        SUPERSEDED = "superseded"

    property = TownForeignKey(Property, related_name="observations")
    inspection = TownForeignKey(Inspection, related_name="observations", null=True, blank=True)
    target_kind = models.CharField(max_length=20, help_text="property, building, land_line, section, feature")
    target_id = models.UUIDField()
    field = models.CharField(max_length=40, help_text="field of the target, or '*' for a whole new row")
    base_value = models.JSONField(null=True, help_text="what the observer's card said before")
    value = models.JSONField(null=True, help_text="what was seen")
    unit = models.CharField(max_length=10, blank=True)
    source = models.CharField(max_length=20, blank=True, help_text="inspected, owner, estimated, mailer, ...")
    is_estimated = models.BooleanField(default=False)
    observed_on = models.DateField()
    observed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    captured_at = models.DateTimeField(null=True, blank=True, help_text="by the observer's clock, corrected")
    list_year = models.PositiveSmallIntegerField(help_text="the list on which it bears")
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    decided_rule = models.CharField(
        max_length=60, blank=True, help_text="the rule that accepted it, if no person did"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    mutation_id = models.UUIDField(null=True, blank=True, help_text="the tablet's change that brought it")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["town", "state", "created_at"]),
            models.Index(fields=["town", "target_id", "field"]),
        ]
