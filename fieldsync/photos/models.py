"""Uploads under way."""

from __future__ import annotations

from django.db import models

from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.devices.models import Device


class Upload(TownModel):
    """The bytes of one photo on their way here. How many have come is the length of its file on disk.

    Begun again by the same device for the same photo and hash, it is the same upload: its id is made from
    these three. Written by `fieldsync.photos.services` and ``custody`` only.

    What a suspended or revoked device sends is verified and kept, and counts for no photo until a person
    says so: quarantined → verified, or discarded, which takes two persons.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", "Being received"
        VERIFIED = "verified", "Verified"
        QUARANTINED = "quarantined", "In quarantine"
        DISCARDED = "discarded", "Discarded"
        ENDED = "ended", "Ended"

    device = TownForeignKey(Device, related_name="uploads")
    photo_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    length = models.BigIntegerField()
    media_type = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVING)
    began_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    discard_asked_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "device", "photo_id", "sha256"], name="upload_once_for_a_photo"
            )
        ]
        indexes = [models.Index(fields=["town", "state", "expires_at"])]
