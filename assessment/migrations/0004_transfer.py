import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import assessment.region.ids
import assessment.region.walls
from assessment.property.journal import Journal
from assessment.region.walls import WallOff


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0003_the_roll_and_appeals"),
    ]

    operations = [
        migrations.CreateModel(
            name="Transfer",
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
                    "source",
                    models.CharField(
                        choices=[("state", "The state's sales file"), ("card", "A record card")],
                        default="state",
                        max_length=10,
                    ),
                ),
                (
                    "list_year",
                    models.PositiveSmallIntegerField(help_text="grand list that the assessed value is of"),
                ),
                ("serial_number", models.CharField(help_text="once in a town and list year", max_length=40)),
                ("recorded_on", models.DateField()),
                ("address", models.CharField(blank=True, help_text="as the file has it", max_length=160)),
                (
                    "assessed_value",
                    models.BigIntegerField(blank=True, help_text="at the sale, whole dollars", null=True),
                ),
                ("price", models.BigIntegerField(help_text="whole dollars")),
                ("property_type", models.CharField(blank=True, max_length=40)),
                ("residential_type", models.CharField(blank=True, max_length=40)),
                (
                    "nonuse_code",
                    models.CharField(
                        blank=True, help_text="two digits, blank when none is read", max_length=2
                    ),
                ),
                ("nonuse_raw", models.CharField(blank=True, help_text="as the file has it", max_length=80)),
                ("assessor_remarks", models.TextField(blank=True)),
                ("state_remarks", models.TextField(blank=True)),
                ("location_x_ft", models.FloatField(blank=True, help_text="EPSG:2234", null=True)),
                ("location_y_ft", models.FloatField(blank=True, help_text="EPSG:2234", null=True)),
                (
                    "match_method",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("exact", "exact"),
                            ("unit", "unit"),
                            ("complex", "complex"),
                            ("range", "range"),
                            ("street-name", "street-name"),
                            ("spelling", "spelling"),
                            ("complex-street", "complex-street"),
                            ("by-hand", "by-hand"),
                        ],
                        max_length=20,
                    ),
                ),
                ("match_score", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "match_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("no-address", "no-address"),
                            ("no-house-number", "no-house-number"),
                            ("no-such-street", "no-such-street"),
                            ("ambiguous-street", "ambiguous-street"),
                            ("no-such-number", "no-such-number"),
                            ("unit-unknown", "unit-unknown"),
                            ("ambiguous", "ambiguous"),
                            ("several-properties", "several-properties"),
                            ("town-has-no-properties", "town-has-no-properties"),
                        ],
                        help_text="why there is no property",
                        max_length=30,
                    ),
                ),
                ("match_note", models.CharField(blank=True, max_length=200)),
                (
                    "suggested_validity",
                    models.CharField(
                        choices=[
                            ("usable", "usable"),
                            ("price-only", "price-only"),
                            ("not-usable", "not-usable"),
                        ],
                        max_length=12,
                    ),
                ),
                ("suggested_reason", models.CharField(max_length=30)),
                (
                    "decided_validity",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("usable", "usable"),
                            ("price-only", "price-only"),
                            ("not-usable", "not-usable"),
                        ],
                        max_length=12,
                    ),
                ),
                ("decided_reason", models.CharField(blank=True, max_length=400)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "validity",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                decided_validity=models.Value(""), then=models.F("suggested_validity")
                            ),
                            default=models.F("decided_validity"),
                        ),
                        help_text="the person's decision, else the machine's suggestion",
                        output_field=models.CharField(max_length=12),
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "import_run",
                    assessment.region.walls.TownForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
                        to="assessment.importrun",
                    ),
                ),
                (
                    "property",
                    assessment.region.walls.TownForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
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
            options={
                "indexes": [
                    models.Index(fields=["town", "recorded_on"], name="assessment__town_id_1b9528_idx"),
                    models.Index(fields=["town", "property"], name="assessment__town_id_9c1ee3_idx"),
                    models.Index(
                        fields=["town", "validity", "recorded_on"], name="assessment__town_id_a6b6fa_idx"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("town", "source", "list_year", "serial_number"), name="transfer_once_in_town"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price__gte", 0)), name="transfer_price_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("match_method", ""),
                                ("property__isnull", True),
                                models.Q(("match_reason", ""), _negated=True),
                            ),
                            models.Q(
                                ("match_reason", ""),
                                ("property__isnull", False),
                                models.Q(("match_method", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="transfer_has_property_or_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("decided_validity", ""),
                            ),
                            models.Q(
                                models.Q(("decided_validity", ""), _negated=True),
                                models.Q(("decided_reason", ""), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="transfer_decision_is_whole",
                    ),
                ],
            },
        ),
        WallOff("Transfer"),
        Journal("Transfer"),
    ]
