"""Tell why a record left a package."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fieldsync", "0006_steps_rechecks_and_reviews"),
    ]

    operations = [
        migrations.AddField(
            model_name="packagerecord",
            name="reason",
            field=models.CharField(blank=True, help_text="why it left", max_length=40),
        ),
    ]
