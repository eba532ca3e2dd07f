"""The journal turns each new or deleted row into JSON once, not twice."""

from __future__ import annotations

from django.db import migrations

from assessment.property.journal import FUNCTION_SQL


class Migration(migrations.Migration):
    dependencies = [("assessment", "0013_room_for_updates")]

    operations = [migrations.RunSQL(FUNCTION_SQL, migrations.RunSQL.noop)]
