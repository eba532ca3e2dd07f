"""How a list compared with the one that the town brought, and who took responsibility for what differs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from assessment.roll.models.lists import GrandList


class BalanceRun(TownModel):
    """One comparison of a list with the town's stated values; the last one counts."""

    grand_list = TownForeignKey(GrandList, related_name="balance_runs")
    run_at = models.DateTimeField()
    run_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    stated_basis = models.CharField(max_length=20)
    tolerance = models.PositiveIntegerField(help_text="dollars per account")
    accounts = models.PositiveIntegerField()
    matched = models.PositiveIntegerField()
    ours = models.JSONField(help_text="accounts, gross, exempt, net")
    theirs = models.JSONField(help_text="accounts, gross, exempt, net")
    classes = models.JSONField(help_text="net by class: class, ours, theirs")

    class Meta:
        indexes = [models.Index(fields=["town", "grand_list", "run_at"])]


class BalanceDifference(TownModel):
    """A figure that differs; it stands in the way of the list until the assessor signs it off with a reason."""

    run = TownForeignKey(BalanceRun, related_name="differences")
    account = models.CharField(max_length=40)
    item = models.CharField(max_length=40)
    ours = models.BigIntegerField(null=True, blank=True)
    theirs = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    signed_off_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    signed_off_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "run", "account", "item"], name="difference_once"),
            models.CheckConstraint(
                name="signed_off_with_a_reason",
                condition=Q(signed_off_at__isnull=True) | ~Q(reason=""),
            ),
        ]
