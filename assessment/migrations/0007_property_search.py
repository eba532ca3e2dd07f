"""Search for properties as one types, with indexes that the walls would otherwise put out of use."""

from __future__ import annotations

from django.db import migrations

from assessment.property.search import DROP_SQL, SEARCH_SQL


class Migration(migrations.Migration):
    dependencies = [("assessment", "0006_transfer_of_a_complex")]

    operations = [migrations.RunSQL(SEARCH_SQL, DROP_SQL)]
