"""Overrides of conclusions, and the closing of a run before its values are posted."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from valuation.runs.models import Conclusion, Run


class Override(TownModel):
    """A person concluded another value than the run: who, why, how much before and after, and who agreed.

    Written by `valuation.review.services` only. While it waits, the conclusion stands as it was. `batch` is
    shared by overrides that were asked for together and are decided together.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for a second person"
        IN_FORCE = "in_force", "In force"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        SUPERSEDED = "superseded", "Replaced by a later one"

    run = TownForeignKey(Run, related_name="overrides")
    conclusion = TownForeignKey(Conclusion, related_name="overrides")
    property = TownForeignKey(Property, related_name="overrides")
    batch = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices)
    reason_code = models.CharField(max_length=20)
    note = models.CharField(max_length=1000)
    value_before = models.BigIntegerField(help_text="appraised, whole dollars")
    value_after = models.BigIntegerField()
    components_before = models.JSONField()
    components_after = models.JSONField()
    weights_before = models.JSONField(default=dict)
    second_person_because = models.JSONField(default=list, blank=True)
    effect = models.JSONField(
        default=dict, blank=True, help_text="ratio study of the stratum before and after"
    )
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_by_name = models.CharField(max_length=160)
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_by_name = models.CharField(max_length=160, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ("-proposed_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["town", "conclusion"],
                condition=Q(state="waiting"),
                name="one_waiting_override_of_conclusion",
            ),
            models.UniqueConstraint(
                fields=["town", "conclusion"],
                condition=Q(state="in_force"),
                name="one_override_in_force_of_conclusion",
            ),
            models.CheckConstraint(name="override_not_negative", condition=Q(value_after__gte=0)),
            models.CheckConstraint(name="override_has_a_note", condition=~Q(note="")),
        ]
        indexes = [models.Index(fields=["town", "run", "state"], name="overrides_of_run")]


class Closing(TownModel):
    """Somebody with the authority closed a run: every check as it stood, and what was accepted with which reason.

    Written by `valuation.review.closing.close_run` only, and never changed. Posting a revaluation needs one.
    """

    run = TownForeignKey(Run, related_name="closings")
    checks = models.JSONField(help_text="[{id, title, state, found}]")
    accepted = models.JSONField(default=dict, help_text="reason by check that was missed and accepted")
    values_sha256 = models.CharField(max_length=64, help_text="of the values as concluded at that moment")
    closed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    closed_by_name = models.CharField(max_length=160)
    closed_at = models.DateTimeField()

    class Meta:
        ordering = ("-closed_at",)
        indexes = [models.Index(fields=["town", "run", "-closed_at"], name="closings_of_run")]
