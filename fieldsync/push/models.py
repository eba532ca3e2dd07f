"""The ledger of everything tablets ever sent, and what waits for a person."""

from __future__ import annotations

from django.db import models

from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.devices.models import Device
from fieldsync.push.rules import Status


class Mutation(TownModel):
    """One change as a device sent it, word for word, and what became of it.

    Inserted before anything else is done with it; the unique ``mutation_id`` is what makes a push
    idempotent. A trigger lets only the outcome of an unfinished one be written, and nothing be deleted.
    """

    mutation_id = models.UUIDField(help_text="made by the device")
    device = TownForeignKey(Device, related_name="mutations")
    device_seq = models.BigIntegerField()
    batch_id = models.UUIDField()
    kind = models.CharField(max_length=60)
    entity_id = models.UUIDField(null=True, blank=True)
    package_id = models.UUIDField(null=True, blank=True, help_text="as the device states it")
    author_id = models.UUIDField(null=True, blank=True, help_text="as the device states it")
    captured_at = models.DateTimeField(null=True, blank=True, help_text="by the device's clock")
    clock_offset_ms = models.BigIntegerField(null=True, blank=True)
    schema_version = models.SmallIntegerField()
    body = models.JSONField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in Status], default=Status.RECEIVED
    )
    result = models.JSONField(null=True, blank=True)
    held_for = models.UUIDField(null=True, blank=True, help_text="the entity that must arrive first")
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "mutation_id"], name="mutation_once_in_town")]
        indexes = [
            models.Index(fields=["device", "device_seq"], name="mutations_of_a_device"),
            models.Index(
                fields=["town", "held_for"], name="mutations_held", condition=models.Q(held_for__isnull=False)
            ),
        ]


class Quarantine(TownModel):
    """A mutation that was stored and not applied: it waits for a person, who applies or discards it.

    Written by `fieldsync.quarantine.services`. One person proposes to discard it, another one does.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPLIED = "applied", "Applied"
        DISCARDED = "discarded", "Discarded"

    mutation = TownForeignKey(Mutation, related_name="quarantines")
    device = TownForeignKey(Device, related_name="quarantines")
    code = models.CharField(max_length=40, help_text="one of fieldsync.problems.ITEM_CODES")
    detail = models.CharField(max_length=400, blank=True)
    other_body = models.JSONField(null=True, blank=True, help_text="the second body under a used id")
    other_sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    quarantined_at = models.DateTimeField()
    proposed_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True, help_text="to discard it"
    )
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_reason = models.CharField(max_length=200, blank=True)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    inspection_id = models.UUIDField(null=True, blank=True, help_text="the new visit that it was applied as")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mutation", "code", "other_sha256"], name="quarantined_once_for_a_reason"
            ),
            models.CheckConstraint(
                name="discarded_by_two_persons",
                condition=~models.Q(state="discarded")
                | (
                    models.Q(proposed_by__isnull=False, decided_by__isnull=False)
                    & ~models.Q(proposed_by=models.F("decided_by"))
                ),
            ),
        ]
        indexes = [models.Index(fields=["town", "state", "quarantined_at"])]
