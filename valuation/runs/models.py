"""A run, what it estimated, how it was judged, and what was concluded."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from valuation.specs.models import ModelSpec


class Run(TownModel):
    """One valuation of one town: which facts (by hash), by which version and code, with which result.

    Written by `valuation.runs.services` only. `tables` holds the schedule and local factors that made the
    values, so that an interim year can value at them.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        POSTED = "posted", "Posted to the list"
        FAILED = "failed", "Failed"

    spec = models.ForeignKey(ModelSpec, on_delete=models.PROTECT, related_name="runs")
    list_year = models.PositiveSmallIntegerField(help_text="the valuation date is 1 October of this year")
    base_run = TownForeignKey("self", null=True, blank=True, related_name="interim_runs")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    facts_on = models.DateField(
        null=True,
        blank=True,
        help_text="the record was read as it stood on this day; none: when the run began",
    )
    note = models.CharField(max_length=400, blank=True)
    snapshot_sha256 = models.CharField(max_length=64, blank=True, help_text="of the facts and sales used")
    values_sha256 = models.CharField(max_length=64, blank=True, help_text="of the concluded values")
    code_version = models.CharField(max_length=80)
    seed = models.PositiveIntegerField(default=0)
    tables = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    stages = models.JSONField(default=list, blank=True, help_text="[{name, seconds}]")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    started_by_name = models.CharField(max_length=160)

    class Meta:
        ordering = ("-started_at",)
        indexes = [models.Index(fields=["town", "list_year", "-started_at"])]

    def __str__(self) -> str:
        return f"{self.list_year} by {self.spec}"


class Estimate(TownModel):
    """What one approach says one property is worth, with its parts. Never changed; a new run makes new ones."""

    class Approach(models.TextChoices):
        COST = "cost", "Cost"
        MARKET = "market", "Market"
        INCOME = "income", "Income"

    run = TownForeignKey(Run, related_name="estimates")
    property = TownForeignKey(Property, related_name="estimates")
    approach = models.CharField(max_length=10, choices=Approach.choices)
    value = models.BigIntegerField(help_text="whole dollars")
    low = models.BigIntegerField(help_text="lower end of the 90 % interval")
    high = models.BigIntegerField(help_text="upper end")
    components = models.JSONField(
        default=list, help_text="[[state detail code, dollars, quantity, unit], ...]"
    )
    explanation = models.JSONField(default=list, help_text="[[words, dollars], ...], which sum to the value")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "run", "property", "approach"], name="estimate_once_in_run"
            ),
            models.CheckConstraint(name="estimate_not_negative", condition=Q(value__gte=0)),
        ]
        indexes = [models.Index(fields=["town", "property"])]


class RatioStudyRecord(TownModel):
    """The ratio study of one way of valuing on one stratum of the sales that the run was not fitted on."""

    run = TownForeignKey(Run, related_name="ratio_studies")
    subject = models.CharField(
        max_length=20, help_text="cost, market, cards, fixed_value, value_per_area, ..."
    )
    stratum_kind = models.CharField(max_length=20, default="all", help_text="all, group or neighbourhood")
    stratum = models.CharField(max_length=60, default="all")
    sales_from = models.DateField()
    sales_to = models.DateField()
    n = models.PositiveIntegerField()
    trimmed = models.PositiveIntegerField(default=0)
    trim_rule = models.CharField(max_length=10)
    figures = models.JSONField(help_text="each statistic with its interval")
    notes = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "run", "subject", "stratum_kind", "stratum", "trim_rule"],
                name="study_once_in_run",
            )
        ]


class Conclusion(TownModel):
    """The value concluded for one property, from which approaches, with what to look at.

    Written by `valuation.runs.services`; a reviewer's override keeps the reason and the person.
    """

    run = TownForeignKey(Run, related_name="conclusions")
    property = TownForeignKey(Property, related_name="conclusions")
    list_year = models.PositiveSmallIntegerField()
    value = models.BigIntegerField(help_text="appraised, whole dollars: the sum of the components")
    components = models.JSONField(help_text="[[state detail code, dollars, quantity, unit], ...]")
    weights = models.JSONField(default=dict, help_text="approach to weight, summing to 1")
    flags = models.JSONField(default=list)
    reviewer = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=400, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_note = models.CharField(max_length=400, blank=True, db_default="")
    concluded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "run", "property"], name="conclusion_once_in_run"),
            models.CheckConstraint(name="conclusion_not_negative", condition=Q(value__gte=0)),
        ]
        indexes = [models.Index(fields=["town", "property", "list_year"])]
