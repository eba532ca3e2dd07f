"""Room on each page for the new version of a row, so that an update need not touch every index.

Rows of the record are changed in place for years; with full pages each change of a column that no index holds
would still write to all of them. It holds for pages written from now on.
"""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("assessment", "0012_findings_on_sales")]

    operations = [
        migrations.RunSQL(
            [
                "ALTER TABLE assessment_property SET (fillfactor = 80)",
                "ALTER TABLE assessment_building SET (fillfactor = 80)",
            ],
            [
                "ALTER TABLE assessment_property RESET (fillfactor)",
                "ALTER TABLE assessment_building RESET (fillfactor)",
            ],
        )
    ]
