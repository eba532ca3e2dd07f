"""Walls around every town's rows, the guard of the ledger, and the trigger that numbers the feeds."""

from __future__ import annotations

from django.db import migrations

from assessment.region.walls import WallOff
from fieldsync.feed.triggers import DROP_NUMBER_CHANGES_SQL, NUMBER_CHANGES_SQL
from fieldsync.push.triggers import DROP_GUARD_LEDGER_SQL, GUARD_LEDGER_SQL


class Migration(migrations.Migration):
    dependencies = [("fieldsync", "0001_foundation")]

    operations = [
        WallOff("Device", "EnrolmentCode", "Package", "SyncEpoch", "FeedHead", "PackageRecord"),
        WallOff("Mutation", "Quarantine", "Conflict", "Upload"),
        migrations.RunSQL(GUARD_LEDGER_SQL, DROP_GUARD_LEDGER_SQL),
        migrations.RunSQL(NUMBER_CHANGES_SQL, DROP_NUMBER_CHANGES_SQL),
    ]
