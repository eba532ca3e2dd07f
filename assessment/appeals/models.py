"""Appeals to the board: a petition, its hearing, and the decision, of which an instrument is made."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from assessment.property.models import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from assessment.roll.models import GrandList, Instrument


class Petition(TownModel):
    """A written petition to the board of assessment appeals about one account of a signed list (CGS 12-111)."""

    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        SCHEDULED = "scheduled", "Hearing scheduled"
        NOT_HEARD = "not_heard", "Elected not to hear"
        WITHDRAWN = "withdrawn", "Withdrawn"
        DECIDED = "decided", "Decided"

    grand_list = TownForeignKey(GrandList, related_name="petitions")
    property = TownForeignKey(Property, related_name="petitions")
    petition_number = models.CharField(max_length=20)
    received_on = models.DateField()
    petitioner = models.CharField(max_length=160)
    send_to = models.CharField(max_length=320, blank=True)
    claimed_value = models.BigIntegerField(null=True, blank=True, help_text="appraised dollars, as claimed")
    grounds = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("petition_number",)
        constraints = [
            models.UniqueConstraint(
                fields=["town", "grand_list", "petition_number"], name="petition_number_once"
            ),
            models.UniqueConstraint(fields=["town", "grand_list", "property"], name="one_petition_a_list"),
            models.CheckConstraint(
                name="claimed_value_not_negative",
                condition=Q(claimed_value__isnull=True) | Q(claimed_value__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return self.petition_number


class Hearing(TownModel):
    """When and where the board hears a petition, and when the petitioner was told."""

    petition = TownForeignKey(Petition, related_name="hearings")
    starts_at = models.DateTimeField()
    place = models.CharField(max_length=160)
    notified_on = models.DateField()
    held = models.BooleanField(default=False)
    minutes = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "petition", "starts_at"], name="hearing_once"),
        ]


class Decision(TownModel):
    """What the board decided on a petition; a changed assessment points to its instrument."""

    class Outcome(models.TextChoices):
        CHANGED = "changed", "Changed"
        UNCHANGED = "unchanged", "No change"

    petition = TownForeignKey(Petition, related_name="decisions")
    decided_on = models.DateField()
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    explanation = models.CharField(max_length=400)
    instrument = TownForeignKey(Instrument, null=True, blank=True, related_name="decisions")
    mailed_on = models.DateField(null=True, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "petition"], name="petition_decided_once"),
            models.CheckConstraint(
                name="a_change_has_its_instrument",
                condition=Q(outcome="unchanged", instrument__isnull=True)
                | Q(outcome="changed", instrument__isnull=False),
            ),
            models.CheckConstraint(
                name="decision_mailed_after_it_is_made",
                condition=Q(mailed_on__isnull=True) | Q(mailed_on__gte=F("decided_on")),
            ),
        ]
