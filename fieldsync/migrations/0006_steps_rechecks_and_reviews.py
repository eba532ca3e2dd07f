"""Steps of the feeds, packages for a person, quality re-checks, and answers of a field review."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import assessment.region.ids
import assessment.region.walls
from assessment.region.walls import AddTownReference, WallOff
from fieldsync.feed.triggers import DROP_NUMBER_CHANGES_SQL, NUMBER_CHANGES_SQL


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0009_property_search_by_town"),
        ("fieldsync", "0005_statements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="package",
            name="checked_out_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="package",
            name="checked_out_by",
            field=assessment.region.walls.TownForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="checked_out",
                to="fieldsync.device",
            ),
        ),
        migrations.AddField(
            model_name="package",
            name="parent",
            field=assessment.region.walls.TownForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="children",
                to="fieldsync.package",
            ),
        ),
        migrations.AddField(
            model_name="package",
            name="person",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="package",
            name="reason",
            field=models.CharField(
                blank=True, help_text="why it was drawn, for whoever gets it", max_length=400
            ),
        ),
        migrations.AddField(
            model_name="packagerecord",
            name="joined_seq",
            field=models.BigIntegerField(default=0),
        ),
        migrations.CreateModel(
            name="Recheck",
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
                ("inspected_from", models.DateField(blank=True, null=True)),
                ("inspected_to", models.DateField(blank=True, null=True)),
                ("seed", models.BigIntegerField()),
                ("percent", models.DecimalField(decimal_places=2, max_digits=5)),
                (
                    "population",
                    models.PositiveIntegerField(
                        help_text="properties that the person inspected in the batch"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Being looked at"),
                            ("agreed", "Agrees"),
                            ("sent_back", "Sent back"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("fields_compared", models.PositiveIntegerField(default=0)),
                ("fields_agreeing", models.PositiveIntegerField(default=0)),
                ("drawn_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "first_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "follow_up",
                    assessment.region.walls.TownForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sent_back_by",
                        to="fieldsync.package",
                    ),
                ),
                (
                    "package",
                    assessment.region.walls.TownForeignKey(
                        db_constraint=False,
                        help_text="what the second person takes",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rechecks",
                        to="fieldsync.package",
                    ),
                ),
                (
                    "source_package",
                    assessment.region.walls.TownForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rechecked_by",
                        to="fieldsync.package",
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
        ),
        migrations.CreateModel(
            name="RecheckItem",
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
                ("fields_compared", models.PositiveIntegerField(default=0)),
                ("fields_agreeing", models.PositiveIntegerField(default=0)),
                (
                    "comparison",
                    models.JSONField(blank=True, default=list, help_text="[{path, first, second, agrees}]"),
                ),
                (
                    "first_inspection",
                    assessment.region.walls.TownForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="assessment.inspection",
                    ),
                ),
                (
                    "property",
                    assessment.region.walls.TownForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recheck_items",
                        to="assessment.property",
                    ),
                ),
                (
                    "recheck",
                    assessment.region.walls.TownForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="fieldsync.recheck",
                    ),
                ),
                (
                    "second_inspection",
                    assessment.region.walls.TownForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="assessment.inspection",
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
        ),
        migrations.CreateModel(
            name="ReviewAnswer",
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
                ("list_year", models.PositiveSmallIntegerField()),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("agree", "The value is right"),
                            ("change", "Another value"),
                            ("look", "Somebody has to look"),
                        ],
                        max_length=6,
                    ),
                ),
                (
                    "proposed_value",
                    models.BigIntegerField(blank=True, help_text="as the tablet showed it", null=True),
                ),
                (
                    "value",
                    models.BigIntegerField(blank=True, help_text="the reviewer's, whole dollars", null=True),
                ),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("mutation_id", models.UUIDField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(help_text="by the tablet's clock")),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "device",
                    assessment.region.walls.TownForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fieldsync.device",
                    ),
                ),
                (
                    "package",
                    assessment.region.walls.TownForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review_answers",
                        to="fieldsync.package",
                    ),
                ),
                (
                    "property",
                    assessment.region.walls.TownForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review_answers",
                        to="assessment.property",
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
        ),
        migrations.CreateModel(
            name="FeedStep",
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
                (
                    "last_seq",
                    models.BigIntegerField(help_text="the highest number that the transaction was given"),
                ),
                ("transaction_id", models.BigIntegerField(help_text="as the journal has it")),
                (
                    "first_entry_id",
                    models.BigIntegerField(
                        help_text="no journal entry of it is older: transaction ids begin anew after a restore"
                    ),
                ),
                (
                    "package",
                    assessment.region.walls.TownForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="feed_steps",
                        to="fieldsync.package",
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
                "indexes": [models.Index(fields=["package", "last_seq"], name="feed_steps_in_order")],
            },
        ),
        migrations.AddIndex(
            model_name="recheck",
            index=models.Index(fields=["town", "state", "drawn_at"], name="fieldsync_r_town_id_e5dce8_idx"),
        ),
        migrations.AddConstraint(
            model_name="recheck",
            constraint=models.UniqueConstraint(fields=("package",), name="one_recheck_for_a_package"),
        ),
        migrations.AddConstraint(
            model_name="recheck",
            constraint=models.CheckConstraint(
                condition=models.Q(("fields_agreeing__lte", models.F("fields_compared"))),
                name="no_more_fields_agree_than_were_compared",
            ),
        ),
        migrations.AddIndex(
            model_name="recheckitem",
            index=models.Index(fields=["town", "property"], name="fieldsync_r_town_id_29a6f1_idx"),
        ),
        migrations.AddConstraint(
            model_name="recheckitem",
            constraint=models.UniqueConstraint(
                fields=("recheck", "property"), name="property_once_in_a_recheck"
            ),
        ),
        migrations.AddIndex(
            model_name="reviewanswer",
            index=models.Index(
                fields=["town", "list_year", "property"], name="fieldsync_r_town_id_243a98_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decision", "change"), _negated=True),
                    models.Q(("value__gte", 0), models.Q(("reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="another_value_is_stated_with_its_reason",
            ),
        ),
        AddTownReference("Package", "parent"),
        AddTownReference("Package", "checked_out_by"),
        WallOff("FeedStep", "Recheck", "RecheckItem"),
        WallOff("ReviewAnswer", append_only=True),
        migrations.RunSQL(DROP_NUMBER_CHANGES_SQL, migrations.RunSQL.noop),
        migrations.RunSQL(NUMBER_CHANGES_SQL, migrations.RunSQL.noop),
    ]
