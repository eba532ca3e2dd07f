"""Search each town in the order of its index, instead of sorting all that fits in all of them."""

from __future__ import annotations

from django.db import migrations

from assessment.property.search import REPLACE_SQL


class Migration(migrations.Migration):
    dependencies = [("assessment", "0008_transfers_on_cards")]

    operations = [migrations.RunSQL(REPLACE_SQL, migrations.RunSQL.noop)]
