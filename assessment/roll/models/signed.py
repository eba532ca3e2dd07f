"""What was signed: rows that nobody may change, and the certification of their root."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from assessment.property.models import Property
from assessment.region.models import Person
from assessment.region.walls import TownForeignKey, TownModel
from assessment.roll.models.lists import GrandList


class SnapshotRow(TownModel):
    """One account of a signed list, as it was signed. Inserted by `sign_grand_list`; never changed.

    The application role may insert and select only, and triggers refuse an update or delete to everybody,
    and an insert once the list is signed. `row_hash` and `link` are its place in the hash chain (`rules.chain`).
    """

    grand_list = TownForeignKey(GrandList, related_name="snapshot_rows")
    property = TownForeignKey(Property, related_name="snapshot_rows")
    seq = models.PositiveIntegerField()
    list_number = models.CharField(max_length=20)
    account = models.CharField(max_length=40)
    owner = models.CharField(max_length=160, blank=True)
    co_owner = models.CharField(max_length=160, blank=True)
    mailing_address = models.CharField(max_length=320, blank=True)
    location = models.CharField(max_length=160, blank=True)
    confidential = models.BooleanField()
    exempt_code = models.CharField(max_length=4, blank=True)
    lines = models.JSONField(help_text="[code, quantity, unit, appraised, assessed] each")
    exemptions = models.JSONField(help_text="[code, amount that takes effect, statute] each")
    gross = models.BigIntegerField()
    exempt = models.BigIntegerField()
    net = models.BigIntegerField()
    row_hash = models.BinaryField()
    link = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "grand_list", "seq"], name="snapshot_seq_once"),
            models.UniqueConstraint(fields=["town", "grand_list", "property"], name="snapshot_property_once"),
            models.UniqueConstraint(
                fields=["town", "grand_list", "list_number"], name="snapshot_number_once"
            ),
            models.CheckConstraint(
                name="snapshot_net_is_gross_less_exempt",
                condition=Q(net=F("gross") - F("exempt")) & Q(net__gte=0) & Q(gross__gte=0),
            ),
        ]


class Certification(TownModel):
    """The signer's certification of one list: root, totals, certificate and signature. Append-only.

    `statement` is the exact text that was signed with the town's Ed25519 key. A copy of it with the
    signature lies outside PostgreSQL; `verify_grand_list` compares with that copy.
    """

    grand_list = TownForeignKey(GrandList, related_name="certifications")
    root = models.CharField(max_length=64)
    accounts = models.PositiveIntegerField()
    gross = models.BigIntegerField()
    exempt = models.BigIntegerField()
    net = models.BigIntegerField()
    checkpoints = models.JSONField()
    signed_at = models.DateTimeField()
    signer = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    signer_name = models.CharField(max_length=120)
    certificate_number = models.CharField(max_length=40, blank=True)
    statement = models.TextField()
    signature = models.CharField(max_length=128)
    public_key = models.CharField(max_length=64)
    pdf_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["town", "grand_list"], name="certified_once"),
            models.CheckConstraint(name="root_is_hex", condition=Q(root__regex="^[0-9a-f]{64}$")),
        ]
