"""Versions of models, and their adoption by towns."""

from __future__ import annotations

from django.db import models

from assessment.region.ids import new_id
from assessment.region.models import Person
from assessment.region.walls import TownModel


class ModelSpec(models.Model):
    """One version of a model: how the cost schedule and the check beside it are made.

    Shared by the region's towns, so outside the walls: it holds tables and figures, nothing of one property.
    A version never changes; an edit is a new version. Written by `valuation.specs.services` only.

    With `schedule` given, its tables hold and a town's sales set local factors only; with `schedule` empty,
    a run calibrates the tables from the town's own sales by `calibration`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=160, blank=True)
    schedule = models.JSONField(
        default=dict, blank=True, help_text="tables of the cost approach; may be empty"
    )
    calibration = models.JSONField(
        default=dict, blank=True, help_text="roles, starts and orders of a calibration"
    )
    settings = models.JSONField(
        default=dict, blank=True, help_text="hold-out share, rounding, limits of flags"
    )
    evidence = models.JSONField(default=dict, blank=True, help_text="how the tables were found and judged")
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_by_name = models.CharField(max_length=160)

    class Meta:
        ordering = ("name", "-version")
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="spec_version_once"),
            models.CheckConstraint(name="spec_version_from_1", condition=models.Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class SpecAdoption(TownModel):
    """A town's assessor adopted a version for one list year. Without it nothing is posted from a run.

    Written by `valuation.specs.services.adopt_spec` only.
    """

    spec = models.ForeignKey(ModelSpec, on_delete=models.PROTECT, related_name="adoptions")
    list_year = models.PositiveSmallIntegerField()
    adopted_on = models.DateField()
    adopted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    adopted_by_name = models.CharField(max_length=160)
    reason = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "list_year"], name="one_adopted_spec_a_list_year"),
        ]
