"""Uploads under way."""

from __future__ import annotations

from django.db import models

from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.devices.models import Device


class Upload(TownModel):
    """The bytes of one photo on their way here. How many have come is the length of its file on disk.

    Begun again by the same device for the same photo and hash, it is the same upload.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving"
        VERIFIED = "verified"
        ENDED = "ended"

    device = TownForeignKey(Device, related_name="uploads")
    photo_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    length = models.BigIntegerField()
    media_type = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    began_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "device", "photo_id", "sha256"], name="upload_once_for_a_photo"
            )
        ]
        indexes = [models.Index(fields=["town", "state", "expires_at"])]
