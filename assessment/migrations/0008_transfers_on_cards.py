from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0007_property_search"),
    ]

    operations = [
        migrations.AlterField(
            model_name="transfer",
            name="match_method",
            field=models.CharField(
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
                    ("on-card", "on-card"),
                ],
                max_length=20,
            ),
        ),
    ]
