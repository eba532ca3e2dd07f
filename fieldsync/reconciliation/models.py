"""End-of-day statements, kept as they were signed."""

from __future__ import annotations

from django.db import models

from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.devices.models import Device


class Statement(TownModel):
    """One comparison of a tablet's inventory with the server's, as it was signed and given to the tablet.

    Written by `fieldsync.reconciliation.services.reconcile` only, and never changed.
    """

    device = TownForeignKey(Device, related_name="statements")
    stated_at = models.DateTimeField()
    epoch = models.UUIDField(null=True, blank=True)
    records_claimed = models.BigIntegerField(help_text="changes that the tablet says it made and still holds")
    records_here = models.BigIntegerField(help_text="those of them that the ledger has")
    photos_claimed = models.IntegerField()
    photos_here = models.IntegerField()
    missing_mutations = models.JSONField(default=list, help_text="spans of device_seq, both ends included")
    missing_photos = models.JSONField(default=list, help_text="SHA-256 of bytes that are not here")
    unknown_to_device = models.JSONField(
        default=list, help_text="spans that the ledger has and the tablet lost"
    )
    held_count = models.IntegerField()
    quarantined_count = models.IntegerField()
    open_conflict_count = models.IntegerField()
    stale_packages = models.JSONField(default=list, help_text="packages whose rows differ at the same place")
    is_complete = models.BooleanField(help_text="nothing missing on either side, every checksum agrees")
    is_store_lost = models.BooleanField(help_text="the tablet knows less of its own work than the server")
    summary = models.CharField(max_length=200)
    token = models.TextField(help_text="the signed statement, as the tablet has it")

    class Meta:
        indexes = [
            models.Index(fields=["device", "-stated_at"], name="statements_of_a_device"),
            models.Index(fields=["town", "-stated_at"], name="statements_of_a_town"),
        ]
