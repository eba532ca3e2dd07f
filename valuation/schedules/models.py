"""Changes of cost tables that wait for a decision."""

from __future__ import annotations

from django.db import models

from assessment.region.walls import TownForeignKey, TownModel
from valuation.runs.models import Run
from valuation.specs.models import ModelSpec


class TableChange(TownModel):
    """Other cost tables for a town, with what they would do to its values, until somebody accepts or drops them.

    Written by `valuation.schedules.services` and, for `effect`, `valuation.schedules.counting` only; the tables
    of a change never change. Without its effect it cannot be accepted. Accepting makes the next version of the town's model, which
    binds nothing until the assessor adopts it for a list.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ACCEPTED = "accepted", "Accepted"
        DROPPED = "dropped", "Dropped"

    run = TownForeignKey(Run, related_name="table_changes")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    schedule = models.JSONField(help_text="all tables after the change")
    changed = models.JSONField(default=list, help_text="[[table, level, before, after], ...]")
    effect = models.JSONField(default=dict, help_text="as of valuation.schedules.effect.effect_of")
    reason = models.CharField(max_length=400)
    proposed_at = models.DateTimeField(auto_now_add=True)
    proposed_by_name = models.CharField(max_length=160)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by_name = models.CharField(max_length=160, blank=True)
    spec = models.ForeignKey(ModelSpec, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-proposed_at",)
        indexes = [models.Index(fields=["town", "-proposed_at"], name="table_changes_by_day")]
