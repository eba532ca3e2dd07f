"""What changes a list after its signing: dated instruments that refer to it, and notices to owners."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from assessment.roll.models.lists import Assessment, GrandList


class Instrument(TownModel):
    """One dated paper that changes what one account of a signed list is taxed on. Append-only.

    The snapshot stays; an instrument that was wrong is answered by another. `number` is given by the
    server, in order within the list and kind. The account's identity is copied, since an omitted property
    stands on no snapshot.
    """

    class Kind(models.TextChoices):
        CORRECTION = "correction", "Certificate of correction"
        PRORATION = "proration", "Proration"
        OMITTED = "omitted", "Omitted property"
        BOARD = "board", "Board of assessment appeals"
        COURT = "court", "Court"

    grand_list = TownForeignKey(GrandList, related_name="instruments")
    property = TownForeignKey(Property, related_name="instruments")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.CharField(max_length=20)
    dated_on = models.DateField()
    list_number = models.CharField(max_length=20)
    account = models.CharField(max_length=40)
    owner = models.CharField(max_length=160, blank=True)
    location = models.CharField(max_length=160, blank=True)
    statute = models.CharField(max_length=40)
    explanation = models.CharField(max_length=400)
    carries_forward = models.BooleanField(help_text="whether the next list starts from its effect")
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("dated_on", "number")
        constraints = [
            models.UniqueConstraint(fields=["town", "grand_list", "number"], name="instrument_number_once"),
        ]
        indexes = [models.Index(fields=["town", "grand_list", "property"])]

    def __str__(self) -> str:
        return self.number


class InstrumentLine(TownModel):
    """What an instrument changes: dollars, more or fewer, in one code of one section. Append-only."""

    class Section(models.TextChoices):
        ASSESSED = "assessed", "Assessment by detail code"
        EXEMPTION = "exemption", "Exemption by code"
        EXEMPT_PROPERTY = "exempt_property", "Tax-exempt property by code"

    instrument = TownForeignKey(Instrument, related_name="lines")
    line_number = models.PositiveSmallIntegerField()
    section = models.CharField(max_length=15, choices=Section.choices)
    code = models.CharField(max_length=20)
    appraised_change = models.BigIntegerField(default=0)
    amount_change = models.BigIntegerField(help_text="assessed or exempt dollars, more or fewer")
    count_change = models.SmallIntegerField(
        default=0, help_text="accounts that carry the code, more or fewer"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "instrument", "line_number"], name="instrument_line_once"
            ),
        ]


class Notice(TownModel):
    """A notice of a changed assessment to an owner: both amounts, and when it was mailed."""

    class Kind(models.TextChoices):
        INCREASE = "increase", "Increase"
        REVALUATION = "revaluation", "Revaluation"
        CHANGED = "changed", "Changed after the hearing"

    assessment = TownForeignKey(Assessment, related_name="notices")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    dated_on = models.DateField()
    mailed_on = models.DateField(null=True, blank=True)
    gross_before = models.BigIntegerField()
    gross_after = models.BigIntegerField()
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "assessment", "kind", "dated_on"], name="notice_once_a_day"
            ),
            models.CheckConstraint(
                name="notice_mailed_after_it_is_dated",
                condition=Q(mailed_on__isnull=True) | Q(mailed_on__gte=models.F("dated_on")),
            ),
        ]
