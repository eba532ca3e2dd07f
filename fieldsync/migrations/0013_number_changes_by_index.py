"""Find the records that a change bears on by their index, also before the table has statistics."""

from __future__ import annotations

from django.db import migrations, models

from fieldsync.feed.triggers import DROP_NUMBER_CHANGES_SQL, NUMBER_CHANGES_SQL


class Migration(migrations.Migration):
    dependencies = [("fieldsync", "0012_room_for_results")]

    operations = [
        migrations.RemoveIndex(model_name="packagerecord", name="packages_of_a_record"),
        migrations.AddIndex(
            model_name="packagerecord",
            index=models.Index(fields=["record_id"], name="packages_of_a_record"),
        ),
        migrations.RunSQL(DROP_NUMBER_CHANGES_SQL, migrations.RunSQL.noop),
        migrations.RunSQL(NUMBER_CHANGES_SQL, migrations.RunSQL.noop),
    ]
