"""Code tables: the state's, and each town's mapped to the state's."""

from __future__ import annotations

from django.db import models

from assessment.region.walls import TownModel


class StateCode(models.Model):
    """A code of the state's (OPM abstract classes and detail codes, exempt codes). Public reference data."""

    table = models.CharField(max_length=30)
    code = models.CharField(max_length=10)
    label = models.CharField(max_length=160)
    parent = models.CharField(max_length=10, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200, blank=True)
    verified = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "code"], name="state_code_once")]


class Code(TownModel):
    """One code of one of a town's tables ('use', 'style', 'grade', 'section', 'entry', ...).

    An import adds a code that it does not know with `is_mapped` false and reports it.
    """

    table = models.CharField(max_length=30)
    code = models.CharField(max_length=40)
    label = models.CharField(max_length=160, blank=True)
    state_class = models.CharField(max_length=3, blank=True, help_text="OPM class that it maps to")
    detail_code = models.CharField(max_length=4, blank=True, help_text="state detail code that it maps to")
    attributes = models.JSONField(
        default=dict, blank=True, help_text="factors, such as living and effective shares"
    )
    is_mapped = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "table", "code"], name="code_once_in_table")]
