"""Let the application refresh planner statistics after a bulk import."""

from __future__ import annotations

from django.db import migrations

from assessment.property.statistics import DROP_SQL, FUNCTION_SQL


class Migration(migrations.Migration):
    dependencies = [("gis", "0002_walls_and_search")]

    operations = [migrations.RunSQL(FUNCTION_SQL, DROP_SQL)]
