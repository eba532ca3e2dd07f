"""The change feed of each package: one row for each record with the number of its latest change."""

from __future__ import annotations

import uuid

from django.db import models

from assessment.region.walls import TownForeignKey, TownModel
from fieldsync.packages.models import Package


class SyncEpoch(TownModel):
    """One life of the town's data on this server; the youngest row is in force.

    A restore begins a new one before any traffic, since numbers given after the backup was taken will
    be given again, to other records.
    """

    epoch = models.UUIDField(default=uuid.uuid4, unique=True)
    began_at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(fields=["town", "-began_at"])]


class FeedHead(TownModel):
    """The highest number given in a package's feed. Locked until commit by whoever gives the next.

    Because the next writer cannot take numbers until this one has committed or aborted, whoever sees
    number n sees every smaller number that will ever be.
    """

    package = TownForeignKey(Package, related_name="feed_heads")
    head = models.BigIntegerField(default=0)
    is_open = models.BooleanField(default=True, help_text="changes are numbered until the package closes")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["package"], name="one_feed_head_for_a_package")]


class PackageRecord(TownModel):
    """One record in a package, with the number of its latest change; a removed one stays as a tombstone.

    ``content_hash`` is of the record as it would be delivered at ``seq``. The trigger that numbers a
    change clears it; whoever reads the feed next computes it and puts it back. ``joined_seq`` is the number
    with which the record last joined: a reader behind it has never had the record.
    """

    class Op(models.TextChoices):
        PUT = "put"
        REMOVE = "remove"

    package = TownForeignKey(Package, related_name="records")
    kind = models.CharField(max_length=20, default="card")
    record_id = models.UUIDField(help_text="of a card: the property's id")
    seq = models.BigIntegerField()
    joined_seq = models.BigIntegerField(default=0)
    op = models.CharField(max_length=6, choices=Op.choices, default=Op.PUT)
    reason = models.CharField(max_length=40, blank=True, help_text="why it left")
    content_hash = models.BigIntegerField(null=True, blank=True, help_text="64 bits, as a signed number")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["package", "kind", "record_id"], name="record_once_in_a_package")
        ]
        indexes = [
            models.Index(fields=["package", "seq"], name="feed_in_order"),
            # Without the town: the planner else finds the wall's index as good, which is the whole town.
            models.Index(fields=["record_id"], name="packages_of_a_record"),
        ]


class FeedStep(TownModel):
    """One transaction's changes in a package's feed: by it the journal tells which fields changed since.

    Written by the trigger that gives the numbers; removed when the package closes.
    """

    package = TownForeignKey(Package, related_name="feed_steps")
    last_seq = models.BigIntegerField(help_text="the highest number that the transaction was given")
    transaction_id = models.BigIntegerField(help_text="as the journal has it")
    first_entry_id = models.BigIntegerField(
        help_text="no journal entry of it is older: transaction ids begin anew after a restore"
    )

    class Meta:
        indexes = [models.Index(fields=["package", "last_seq"], name="feed_steps_in_order")]
