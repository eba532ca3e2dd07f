"""Transfers of property, as the state's sales file and the cards tell them."""

import datetime as dt

from django.db import models
from django.db.models import Case, F, Q, Value, When

from assessment.property.models import Complex, ImportRun, Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from assessment.sales.rules.matching import Method, Reason
from assessment.sales.rules.screening import CHANGES, MEASURES
from assessment.sales.rules.validity import Validity

_VALIDITIES = [(validity.value, validity.value) for validity in Validity]
_METHODS = [(method.value, method.value) for method in Method]
_REASONS = [(reason.value, reason.value) for reason in Reason]


class Transfer(TownModel):
    """One recorded transfer. What the file says, which property it means, and whether it is evidence of value.

    Written by `assessment.sales.services` only. An import never overwrites what a person decided: a property
    given by hand, and a decision on validity.
    """

    BY_HAND = "by-hand"
    ON_CARD = "on-card"

    class Source(models.TextChoices):
        STATE = "state", "The state's sales file"
        CARD = "card", "A record card"

    source = models.CharField(max_length=10, choices=Source.choices, default=Source.STATE)
    list_year = models.PositiveSmallIntegerField(help_text="grand list that the assessed value is of")
    serial_number = models.CharField(max_length=40, help_text="once in a town and list year")
    recorded_on = models.DateField()
    address = models.CharField(max_length=160, blank=True, help_text="as the file has it")
    assessed_value = models.BigIntegerField(null=True, blank=True, help_text="at the sale, whole dollars")
    price = models.BigIntegerField(help_text="whole dollars")
    property_type = models.CharField(max_length=40, blank=True)
    residential_type = models.CharField(max_length=40, blank=True)
    nonuse_code = models.CharField(max_length=2, blank=True, help_text="two digits, blank when none is read")
    nonuse_raw = models.CharField(max_length=80, blank=True, help_text="as the file has it")
    assessor_remarks = models.TextField(blank=True)
    state_remarks = models.TextField(blank=True)
    location_x_ft = models.FloatField(null=True, blank=True, help_text="EPSG:2234")
    location_y_ft = models.FloatField(null=True, blank=True, help_text="EPSG:2234")

    property = TownForeignKey(Property, null=True, blank=True, related_name="transfers")
    complex = TownForeignKey(
        Complex,
        null=True,
        blank=True,
        related_name="transfers",
        help_text="the complex of a unit that has no account of its own",
    )
    match_method = models.CharField(
        max_length=20, blank=True, choices=[*_METHODS, (BY_HAND, BY_HAND), (ON_CARD, ON_CARD)]
    )
    match_score = models.PositiveSmallIntegerField(null=True, blank=True)
    match_reason = models.CharField(
        max_length=30, blank=True, choices=_REASONS, help_text="why there is no property"
    )
    match_note = models.CharField(max_length=200, blank=True)

    suggested_validity = models.CharField(max_length=12, choices=_VALIDITIES)
    suggested_reason = models.CharField(max_length=30)
    decided_validity = models.CharField(max_length=12, blank=True, choices=_VALIDITIES)
    decided_reason = models.CharField(max_length=400, blank=True)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    validity = models.GeneratedField(
        expression=Case(
            When(decided_validity=Value(""), then=F("suggested_validity")), default=F("decided_validity")
        ),
        output_field=models.CharField(max_length=12),
        db_persist=True,
        help_text="the person's decision, else the machine's suggestion",
    )
    import_run = TownForeignKey(ImportRun, null=True, blank=True, related_name="transfers")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "source", "list_year", "serial_number"], name="transfer_once_in_town"
            ),
            models.CheckConstraint(name="transfer_price_not_negative", condition=Q(price__gte=0)),
            models.CheckConstraint(
                name="transfer_has_one_match_or_a_reason",
                condition=Q(property__isnull=True, complex__isnull=True, match_method="")
                & ~Q(match_reason="")
                | Q(property__isnull=False, complex__isnull=True, match_reason="") & ~Q(match_method="")
                | Q(property__isnull=True, complex__isnull=False, match_reason="") & ~Q(match_method=""),
            ),
            models.CheckConstraint(
                name="transfer_decision_is_whole",
                condition=Q(decided_validity="", decided_at__isnull=True, decided_by__isnull=True)
                | ~Q(decided_validity="") & ~Q(decided_reason="") & Q(decided_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["town", "recorded_on"]),
            models.Index(fields=["town", "property"]),
            models.Index(fields=["town", "validity", "recorded_on"]),
        ]

    def __str__(self) -> str:
        return f"{self.list_year}/{self.serial_number} {self.address}"


class SaleFinding(TownModel):
    """The screen's reason to look at a sale: with which sales it was compared, and how far it is off.

    Rewritten by `assessment.sales.services.screening` at each screen; decides nothing.
    """

    transfer = TownForeignKey(Transfer, related_name="findings", on_delete=models.CASCADE)
    code = models.CharField(max_length=20, choices=[*MEASURES.items(), *CHANGES.items()])
    figure = models.FloatField(help_text="the sale's own: dollars, a ratio, a year or an ordinal day")
    group = models.CharField(max_length=120, blank=True)
    n = models.PositiveIntegerField(default=0)
    middle = models.FloatField(default=0)
    deviation = models.FloatField(default=0, help_text="standard deviations of logarithms")
    screened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "transfer", "code"], name="finding_once_on_sale")
        ]
        ordering = ("code",)

    @property
    def is_change(self) -> bool:
        """Whether it speaks of the property and not of the price."""
        return self.code in CHANGES

    @property
    def on(self) -> dt.date | None:
        """The day of a permit."""
        return dt.date.fromordinal(int(self.figure)) if self.code == "permit_after" else None
