import django.db.models.deletion
from django.db import migrations, models

import assessment.region.walls
from assessment.region.walls import AddTownReference


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0005_jobs"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="transfer",
            name="transfer_has_property_or_reason",
        ),
        migrations.AddField(
            model_name="transfer",
            name="complex",
            field=assessment.region.walls.TownForeignKey(
                blank=True,
                db_constraint=False,
                help_text="the complex of a unit that has no account of its own",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transfers",
                to="assessment.complex",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("complex__isnull", True),
                        ("match_method", ""),
                        ("property__isnull", True),
                        models.Q(("match_reason", ""), _negated=True),
                    ),
                    models.Q(
                        ("complex__isnull", True),
                        ("match_reason", ""),
                        ("property__isnull", False),
                        models.Q(("match_method", ""), _negated=True),
                    ),
                    models.Q(
                        ("complex__isnull", False),
                        ("match_reason", ""),
                        ("property__isnull", True),
                        models.Q(("match_method", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="transfer_has_one_match_or_a_reason",
            ),
        ),
        AddTownReference("Transfer", "complex"),
    ]
