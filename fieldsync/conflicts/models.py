"""Where field and office disagree."""

from __future__ import annotations

from django.db import models

from assessment.property.models import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.devices.models import Device
from fieldsync.push.models import Mutation


class Conflict(TownModel):
    """One field for which a tablet and the office have different values; both are kept, with their authors.

    ``theirs`` is what the record held when the tablet's value arrived, ``ours`` is the tablet's. Closed
    only by a person, with a reason, through `fieldsync.conflicts.services`; a closed one can be reopened.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        OFFICE = "office", "The office's value stays"
        FIELD = "field", "The field's value was taken"
        OTHER = "other", "Another value was set"

    class Kind(models.TextChoices):
        CLASH = "clash", "Both sides changed it"
        INVARIANT = "invariant", "The card would contradict itself"
        RETIRED = "edit-vs-retire", "What was changed is no longer there"

    property = TownForeignKey(Property, related_name="field_conflicts")
    mutation = TownForeignKey(Mutation, related_name="conflicts")
    device = TownForeignKey(Device, related_name="conflicts")
    observation_id = models.UUIDField(
        null=True, blank=True, help_text="what was seen, as the record keeps it"
    )
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.CLASH)
    why = models.CharField(max_length=200, blank=True)
    field = models.CharField(max_length=120, help_text="path on the card, such as building/<id>/condition")
    base = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    ours = models.JSONField(null=True)
    theirs_author = models.CharField(max_length=160, blank=True)
    theirs_at = models.DateTimeField(null=True, blank=True)
    ours_author = models.CharField(max_length=160)
    ours_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    answer = models.JSONField(null=True, blank=True)
    before_answer = models.JSONField(null=True, blank=True, help_text="what undoing the answer puts back")
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    author_says = models.CharField(
        max_length=400, blank=True, help_text="the field's author, from the tablet"
    )
    author_says_at = models.DateTimeField(null=True, blank=True)
    arose_at = models.DateTimeField()

    def field_name(self) -> str:
        """The field's own name, without the row that it is on."""
        return self.field.rpartition("/")[2]

    def row_kind(self) -> str:
        """The kind of row that the field is on."""
        return self.field.partition("/")[0] if "/" in self.field else "property"

    def is_of_row(self) -> bool:
        """Whether it is about a whole row: there, or not there."""
        return self.field.endswith("/*")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mutation", "field"], name="conflict_once_for_a_field")
        ]
        indexes = [models.Index(fields=["town", "state", "arose_at"])]
