"""Keep end-of-day statements as they were signed."""

import django.db.models.deletion
from django.db import migrations, models

import assessment.region.ids
import assessment.region.walls
from assessment.region.walls import WallOff


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0009_property_search_by_town"),
        ("fieldsync", "0004_number_changes_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="Statement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=assessment.region.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("stated_at", models.DateTimeField()),
                ("epoch", models.UUIDField(blank=True, null=True)),
                (
                    "records_claimed",
                    models.BigIntegerField(help_text="changes that the tablet says it made and still holds"),
                ),
                ("records_here", models.BigIntegerField(help_text="those of them that the ledger has")),
                ("photos_claimed", models.IntegerField()),
                ("photos_here", models.IntegerField()),
                (
                    "missing_mutations",
                    models.JSONField(default=list, help_text="spans of device_seq, both ends included"),
                ),
                (
                    "missing_photos",
                    models.JSONField(default=list, help_text="SHA-256 of bytes that are not here"),
                ),
                (
                    "unknown_to_device",
                    models.JSONField(default=list, help_text="spans that the ledger has and the tablet lost"),
                ),
                ("held_count", models.IntegerField()),
                ("quarantined_count", models.IntegerField()),
                ("open_conflict_count", models.IntegerField()),
                (
                    "stale_packages",
                    models.JSONField(default=list, help_text="packages whose rows differ at the same place"),
                ),
                (
                    "is_complete",
                    models.BooleanField(help_text="nothing missing on either side, every checksum agrees"),
                ),
                (
                    "is_store_lost",
                    models.BooleanField(help_text="the tablet knows less of its own work than the server"),
                ),
                ("summary", models.CharField(max_length=200)),
                ("token", models.TextField(help_text="the signed statement, as the tablet has it")),
                (
                    "device",
                    assessment.region.walls.TownForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="fieldsync.device",
                    ),
                ),
                (
                    "town",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="assessment.town",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["device", "-stated_at"], name="statements_of_a_device"),
                    models.Index(fields=["town", "-stated_at"], name="statements_of_a_town"),
                ],
            },
        ),
        WallOff("Statement", append_only=True),
    ]
