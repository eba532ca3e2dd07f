"""Tell why a record left a package."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fieldsync", "0009_quarantine_takes_two_persons"),
    ]

    operations = [
        migrations.AddField(
            model_name="packagerecord",
            name="reason",
            field=models.CharField(blank=True, help_text="why it left", max_length=40),
        ),
    ]
