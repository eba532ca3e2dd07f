"""Owners' returns of income and expenses, and the market figures that a town values by."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models import Property
from assessment.region.walls import TownForeignKey, TownModel


class IncomeReturn(TownModel):
    """What the owner of rented property stated of a calendar year. Confidential: CGS 12-63c.

    Written by `valuation.income.services.record_return` only and never changed: a correction is a newer row of
    the same property and year. No export reads it; only who may see confidential things sees it.
    """

    property = TownForeignKey(Property, related_name="income_returns")
    income_year = models.PositiveSmallIntegerField()
    received_on = models.DateField()
    area_sqft = models.PositiveIntegerField(help_text="rentable area that the rent is for")
    gross_rent = models.BigIntegerField(help_text="dollars of the year at full occupancy")
    other_income = models.BigIntegerField(default=0)
    vacancy_loss = models.BigIntegerField(default=0)
    expenses = models.BigIntegerField(
        default=0, help_text="operating expenses, without property tax and interest"
    )
    reserves = models.BigIntegerField(default=0)
    note = models.CharField(max_length=400, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by_name = models.CharField(max_length=160)

    class Meta:
        ordering = ("-income_year", "-recorded_at")
        constraints = [
            models.CheckConstraint(
                name="income_return_not_negative",
                condition=Q(
                    gross_rent__gte=0,
                    other_income__gte=0,
                    vacancy_loss__gte=0,
                    expenses__gte=0,
                    reserves__gte=0,
                ),
            )
        ]
        indexes = [models.Index(fields=["town", "property"], name="income_return_by_property")]


class IncomeRates(TownModel):
    """A town's market figures of the income approach for a list year. Never changed: the newest row counts.

    Written by `valuation.income.services.set_income_rates` only.
    """

    list_year = models.PositiveSmallIntegerField()
    mill_rate = models.DecimalField(max_digits=6, decimal_places=3, help_text="dollars of tax for $1,000")
    rates = models.JSONField(default=dict, help_text="group to figures")
    weights = models.JSONField(default=dict, help_text="group to percent of income beside cost")
    source = models.CharField(max_length=400)
    verified = models.BooleanField(default=False)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by_name = models.CharField(max_length=160)

    class Meta:
        ordering = ("-list_year", "-recorded_at")
        constraints = [
            models.CheckConstraint(name="mill_rate_sensible", condition=Q(mill_rate__gt=0, mill_rate__lt=200))
        ]
