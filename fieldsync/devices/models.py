"""Tablets and the codes by which they come in."""

from __future__ import annotations

from django.db import models

from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel


class Device(TownModel):
    """One tablet (strictly: one installation of the app, with its own key) of one town.

    Written by `fieldsync.devices.services` only. Never deleted: the ledger refers to it.
    """

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        REVOKED = "revoked", "Revoked"

    class Wipe(models.TextChoices):
        NONE = "none", "Keep everything"
        AFTER_UPLOAD = "after-upload", "Wipe after the last upload"
        NOW = "now", "Wipe now"

    name = models.CharField(max_length=80)
    public_key = models.CharField(max_length=200, help_text="P-256, base64url of the DER form")
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True, help_text="who carries it"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    wipe = models.CharField(max_length=12, choices=Wipe.choices, default=Wipe.NONE)
    state_reason = models.CharField(max_length=200, blank=True)
    app_version = models.CharField(max_length=40, blank=True)
    enrolled_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    clock_offset_ms = models.BigIntegerField(null=True, blank=True, help_text="positive: ahead of the server")
    acknowledged_seq = models.BigIntegerField(default=0, help_text="every device_seq up to here has arrived")
    queue = models.JSONField(default=dict, blank=True, help_text="what the device last said of its outbox")
    last_push_at = models.DateTimeField(null=True, blank=True)
    copied_at = models.DateTimeField(
        null=True, blank=True, help_text="when a number came twice with other content: it may be a copy"
    )
    wiped_at = models.DateTimeField(null=True, blank=True, help_text="when the device said that it was wiped")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "public_key"], name="device_key_once_in_town")]

    def __str__(self) -> str:
        return self.name


class EnrolmentCode(TownModel):
    """A code that lets one device in, once, until it expires; only its hash is kept.

    Written by `fieldsync.devices.services.make_enrolment_code` and ``enrol_device``.
    """

    code_sha256 = models.CharField(max_length=64)
    label = models.CharField(max_length=80, blank=True)
    person = models.ForeignKey(
        Person,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="who will carry it",
    )
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    device = TownForeignKey(Device, related_name="enrolment_codes", null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "code_sha256"], name="enrolment_code_once_in_town"),
            models.CheckConstraint(
                name="enrolment_code_used_with_a_device",
                condition=models.Q(used_at__isnull=True, device__isnull=True)
                | models.Q(used_at__isnull=False, device__isnull=False),
            ),
        ]


class DeviceEvent(TownModel):
    """One thing that was decided about a device or happened to it, who did it and why. Never changed.

    Written by `fieldsync.devices.services` and ``lifecycle`` only.
    """

    class What(models.TextChoices):
        ENROLLED = "enrolled", "Enrolled"
        SUSPENDED = "suspended", "Suspended"
        RESUMED = "resumed", "Resumed"
        REVOKED = "revoked", "Revoked"
        WIPE_ASKED = "wipe-asked", "Wipe asked for"
        WIPED = "wiped", "Wiped"
        COPY_SUSPECTED = "copy-suspected", "Copy suspected"
        COPY_CLEARED = "copy-cleared", "Copy cleared up"
        SIGNED_IN = "signed-in", "Person signed in"
        SIGNED_OUT = "signed-out", "Person signed out"

    device = TownForeignKey(Device, related_name="events")
    what = models.CharField(max_length=16, choices=What.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    by_name = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["device", "at"], name="events_of_a_device")]


class PersonSession(TownModel):
    """A person signed in on a device, with the grant by which they work there offline until it expires.

    Written by `fieldsync.devices.sessions` only. Ending it locks the device for the person and removes nothing.
    """

    device = TownForeignKey(Device, related_name="sessions")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    began_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["device", "began_at"], name="sessions_of_a_device")]


class SpentNonce(TownModel):
    """A nonce that a token was given for: it gives no second one. Kept until the nonce has expired."""

    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "digest"], name="nonce_spent_once")]


class DevicePace(TownModel):
    """How many requests a device may still make: its bucket of tokens. Written by `fieldsync.devices.pacing`."""

    device = TownForeignKey(Device, related_name="paces")
    tokens = models.FloatField()
    at_s = models.FloatField(help_text="seconds since 1970")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "device"], name="one_pace_for_a_device")]
