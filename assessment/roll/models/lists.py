"""The working list: what each account is assessed at until the list is signed."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q

from assessment.property.models import Permit, Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from assessment.roll.rules.rounding import LEVELS, MODES, RoundingPolicy


class GrandList(TownModel):
    """One list of one town: its assessment year, kind, state, and the rules that it is made by.

    Written by `assessment.roll.services`. Once signed, accounts and lines no longer change: the list is
    its snapshot and the instruments that refer to it.
    """

    class Kind(models.TextChoices):
        REAL = "real", "Real estate"
        PERSONAL = "personal", "Personal property"
        MOTOR_VEHICLE = "motor_vehicle", "Motor vehicles"
        SUPPLEMENTAL = "supplemental", "Supplemental motor vehicles"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        VALUED = "valued", "Valued"
        SIGNED = "signed", "Signed"
        AFTER_BOARD = "after_board", "After the board"
        FINAL = "final", "Final"

    class Basis(models.TextChoices):
        CONVERSION = "conversion", "Conversion of the town's last list"
        ROLL_FORWARD = "roll_forward", "Rolled forward (interim year)"
        REVALUATION = "revaluation", "Revaluation"

    year = models.PositiveSmallIntegerField(help_text="the assessment date is 1 October of this year")
    kind = models.CharField(max_length=13, choices=Kind.choices, default=Kind.REAL)
    state = models.CharField(max_length=11, choices=State.choices, default=State.OPEN)
    basis = models.CharField(max_length=12, choices=Basis.choices)
    base_revaluation_on = models.DateField(help_text="1 October of the revaluation whose schedules hold")
    previous = TownForeignKey("self", null=True, blank=True, related_name="successors")
    rounding_unit = models.PositiveIntegerField(help_text="dollars")
    rounding_mode = models.CharField(max_length=10, choices=[(mode, mode) for mode in MODES])
    rounding_level = models.CharField(max_length=7, choices=[(level, level) for level in LEVELS])
    adopted_schedules = models.JSONField(default=dict, blank=True, help_text="model versions adopted for it")
    is_signing_extended = models.BooleanField(default=False, help_text="CGS 12-117: by up to one month")
    opened_at = models.DateTimeField(auto_now_add=True)
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField(help_text="last change of an account, line or exemption")

    class Meta:
        ordering = ("-year", "kind")
        constraints = [
            models.UniqueConstraint(fields=["town", "year", "kind"], name="one_list_of_a_kind_a_year"),
            models.CheckConstraint(name="rounding_unit_is_positive", condition=Q(rounding_unit__gte=1)),
            models.CheckConstraint(name="list_year_is_plausible", condition=Q(year__range=(1900, 2200))),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} list of 1 October {self.year}"

    @property
    def assessment_on(self) -> dt.date:
        """The assessment date."""
        return dt.date(self.year, 10, 1)

    @property
    def rounding(self) -> RoundingPolicy:
        """How its assessments are rounded."""
        return RoundingPolicy(self.rounding_unit, self.rounding_mode, self.rounding_level)  # type: ignore[arg-type]

    @property
    def is_signed(self) -> bool:
        """True from the signing on."""
        return self.state not in (self.State.OPEN, self.State.VALUED)


class Assessment(TownModel):
    """One property on one list, with the owner and location under which it is listed.

    It has no amounts: these are the sums of its lines. `exempt_code` is the state's four-letter code of
    wholly exempt property, which stands on the M-13a and not among the taxable accounts.
    """

    grand_list = TownForeignKey(GrandList, related_name="assessments")
    property = TownForeignKey(Property, related_name="assessments")
    list_number = models.CharField(max_length=20, blank=True, help_text="given and frozen at the signing")
    account = models.CharField(max_length=40, help_text="the property's business number")
    owner = models.CharField(max_length=160, blank=True)
    co_owner = models.CharField(max_length=160, blank=True)
    mailing_address = models.CharField(max_length=320, blank=True)
    location = models.CharField(max_length=160, blank=True)
    is_confidential = models.BooleanField(default=False, help_text="an owner is protected, CGS 1-217")
    exempt_code = models.CharField(max_length=4, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "grand_list", "property"], name="property_once_on_a_list"
            ),
            models.UniqueConstraint(
                fields=["town", "grand_list", "list_number"],
                name="list_number_once",
                condition=~Q(list_number=""),
            ),
        ]
        indexes = [models.Index(fields=["town", "property"])]

    def __str__(self) -> str:
        return f"{self.list_number or 'not numbered'} {self.account}"


class AssessmentLine(TownModel):
    """A component of an assessment by state detail code: what it is appraised and assessed at."""

    assessment = TownForeignKey(Assessment, related_name="lines")
    line_number = models.PositiveSmallIntegerField()
    detail_code = models.CharField(max_length=4)
    quantity = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    unit = models.CharField(max_length=10, blank=True)
    appraised = models.BigIntegerField(help_text="whole dollars")
    assessed = models.BigIntegerField(help_text="whole dollars")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "assessment", "line_number"], name="line_number_once"),
            models.CheckConstraint(
                name="line_amounts_not_negative", condition=Q(appraised__gte=0, assessed__gte=0)
            ),
        ]


class Exemption(TownModel):
    """A partial exemption of a taxable account, as granted; what takes effect stops at the gross."""

    assessment = TownForeignKey(Assessment, related_name="exemptions")
    code = models.CharField(max_length=20)
    amount = models.BigIntegerField(help_text="whole dollars granted")
    statute = models.CharField(max_length=40, blank=True)
    granted_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "assessment", "code"], name="exemption_once"),
            models.CheckConstraint(name="exemption_not_negative", condition=Q(amount__gte=0)),
        ]


class ChangeReason(TownModel):
    """Why the lines or exemptions of an account were set on a list: kind, date and explanation. Append-only.

    On an interim list every change has one that an interim year allows.
    """

    class Kind(models.TextChoices):
        PERMIT = "permit", "Permit"
        NEW_CONSTRUCTION = "new_construction", "New construction"
        DEMOLITION = "demolition", "Demolition or damage"
        SPLIT = "split", "Split or merger"
        CORRECTION = "correction", "Correction of an error"
        EXEMPTION = "exemption", "Exemption"
        USE_VALUE = "use_value", "Use value (PA 490)"
        REVALUATION = "revaluation", "Revaluation"

    assessment = TownForeignKey(Assessment, related_name="change_reasons")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    dated_on = models.DateField()
    explanation = models.CharField(max_length=400, blank=True)
    permit = TownForeignKey(Permit, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=80, blank=True, help_text="the run or paper that the value is from")
    gross_before = models.BigIntegerField()
    gross_after = models.BigIntegerField()
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["town", "assessment", "made_at"])]


INTERIM_REASONS = frozenset(
    {
        ChangeReason.Kind.PERMIT,
        ChangeReason.Kind.NEW_CONSTRUCTION,
        ChangeReason.Kind.DEMOLITION,
        ChangeReason.Kind.SPLIT,
        ChangeReason.Kind.CORRECTION,
        ChangeReason.Kind.EXEMPTION,
        ChangeReason.Kind.USE_VALUE,
    }
)
