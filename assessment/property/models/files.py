"""Bytes and papers: blobs, photos, documents, permits."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from assessment.property.models.account import Property
from assessment.property.models.building import Building
from assessment.region.walls import TownForeignKey, TownModel


class Blob(TownModel):
    """Bytes that a town holds, by their SHA-256; two towns with the same bytes hold a row each."""

    sha256 = models.CharField(max_length=64)
    byte_count = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "sha256"], name="blob_once_in_town"),
            models.CheckConstraint(name="sha256_is_hex", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
        ]


class Photo(TownModel):
    """A photo of a property. It counts only when its bytes are here and match the hash it was declared with.

    Declared by a tablet (or only named by its visit, while ``sha256`` is empty) → receiving → verified →
    processed or unprocessable; missing when the bytes have been due for too long, until they come.
    ``warnings`` holds objects with ``code`` and ``text``: what its file says otherwise than its tablet.
    """

    class State(models.TextChoices):
        DECLARED = "declared", "Declared"
        RECEIVING = "receiving", "Being received"
        VERIFIED = "verified", "Verified"
        PROCESSED = "processed", "Processed"
        MISSING = "missing", "Missing"
        UNPROCESSABLE = "unprocessable", "Cannot be shown"

    property = TownForeignKey(Property, related_name="photos", null=True, blank=True)
    building = TownForeignKey(Building, related_name="photos", null=True, blank=True)
    inspection_id = models.UUIDField(null=True, blank=True, db_index=True)
    role = models.CharField(max_length=20, blank=True, help_text="front, rear, outbuilding, ...")
    is_primary = models.BooleanField(default=False)
    state = models.CharField(max_length=15, choices=State.choices, default=State.DECLARED)
    sha256 = models.CharField(max_length=64, blank=True)
    byte_count = models.BigIntegerField(null=True, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    web_sha256 = models.CharField(max_length=64, blank=True)
    thumbnail_sha256 = models.CharField(max_length=64, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    accuracy_m = models.FloatField(null=True, blank=True)
    exif = models.JSONField(default=dict, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    version_of = models.UUIDField(
        null=True, blank=True, help_text="the photo under whose id a tablet declared these other bytes"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["town", "sha256"]),
            models.Index(
                fields=["town", "version_of"], condition=Q(version_of__isnull=False), name="photo_version_of"
            ),
            models.Index(fields=["town", "state", "created_at"]),
        ]


class Document(TownModel):
    """A paper of a property, kept as it came."""

    property = TownForeignKey(Property, related_name="documents")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=160)
    blob = TownForeignKey(Blob, related_name="documents")
    is_confidential = models.BooleanField(default=False)
    retention_class = models.CharField(max_length=40, blank=True)
    dated_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Permit(TownModel):
    """A building permit; what it says is finished by a given day is a reason for an interim change."""

    property = TownForeignKey(Property, related_name="permits")
    permit_number = models.CharField(max_length=40)
    issued_on = models.DateField()
    kind = models.CharField(max_length=60, blank=True)
    description = models.TextField(blank=True)
    estimated_cost = models.BigIntegerField(null=True, blank=True)
    percent_complete = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    occupancy_certified_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "permit_number", "property"], name="permit_once")
        ]
