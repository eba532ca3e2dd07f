"""Queue the numbering of the feeds once for a transaction, not once for each journaled row."""

from __future__ import annotations

from django.db import migrations

from fieldsync.feed.triggers import DROP_NUMBER_CHANGES_SQL, NUMBER_CHANGES_SQL


class Migration(migrations.Migration):
    dependencies = [("fieldsync", "0003_conflicts_of_observations")]

    operations = [
        migrations.RunSQL(DROP_NUMBER_CHANGES_SQL, migrations.RunSQL.noop),
        migrations.RunSQL(NUMBER_CHANGES_SQL, migrations.RunSQL.noop),
    ]
