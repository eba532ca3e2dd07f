"""The comparables that a run chose for each property."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models import Property
from assessment.region.walls import TownForeignKey, TownModel
from valuation.runs.models import Run


class ComparableSet(TownModel):
    """The comparable sales of one property in one run, with their adjustments in whole dollars.

    Written by `valuation.comparables.services.write_comparables` only, and never changed: what an appeal was
    shown stays. Facts are those that the run valued; a sold property's facts stand in its own row.
    """

    run = TownForeignKey(Run, related_name="comparable_sets")
    property = TownForeignKey(Property, related_name="comparable_sets")
    value = models.BigIntegerField(help_text="the model's value, to which the adjustments lead")
    indicated = models.BigIntegerField(
        help_text="weighted adjusted prices in whole dollars; 0 without any sale"
    )
    facts = models.JSONField(default=dict, help_text="facts of the property, by column")
    sales = models.JSONField(
        default=list,
        help_text="[[property, transfer, price, day, model's value then, dissimilarity %, weight %, [dollars by "
        "component]], ...], best first",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "run", "property"], name="comparables_once_in_run"),
            models.CheckConstraint(
                name="comparables_not_negative", condition=Q(value__gte=0, indicated__gte=0)
            ),
        ]
        indexes = [models.Index(fields=["town", "property"], name="comparables_by_property")]
