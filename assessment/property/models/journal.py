"""The journal of the legal record, written by triggers and altered by nobody."""

from __future__ import annotations

from django.db import models

from assessment.region.models import Town


class JournalEntry(models.Model):
    """One row of the record was inserted, updated or deleted: who, when, why, from where, before and after.

    Written by the trigger function ``grandlist_journal`` alone (also for bulk SQL); the application role
    may only read it. For an update, `before` and `after` hold the changed columns.
    """

    id = models.BigAutoField(primary_key=True)
    town = models.ForeignKey(Town, on_delete=models.PROTECT, related_name="+", db_index=False)
    property_id = models.UUIDField(null=True)
    table_name = models.CharField(max_length=63)
    row_id = models.UUIDField()
    operation = models.CharField(max_length=1, choices=[("I", "insert"), ("U", "update"), ("D", "delete")])
    at = models.DateTimeField()
    effective_on = models.DateField()
    transaction_id = models.BigIntegerField()
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=160)
    device_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=400)
    request_id = models.CharField(max_length=64)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(fields=["town", "property_id", "id"], name="journal_by_property"),
            models.Index(fields=["town", "row_id", "id"], name="journal_by_row"),
        ]
