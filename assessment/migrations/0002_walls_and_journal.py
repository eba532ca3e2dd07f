"""Walls around every town's rows, the journal's triggers, and the 169 towns."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

from django.db import migrations
from django.utils.text import slugify

from assessment.property.journal import FUNCTION_SQL, Journal
from assessment.region.walls import SCOPE_SQL, WallOff

# A person may read their own role rows without any town: that is how the towns are found at sign-in.
OWN_ROLES_SQL = """
CREATE POLICY own_roles ON assessment_roleassignment FOR SELECT
USING (person_id = nullif(current_setting('grandlist.actor', true), '')::uuid);
"""

# The journal is written by its trigger function (the owner's) and altered by nobody.
JOURNAL_WALL_SQL = """
ALTER TABLE assessment_journalentry ENABLE ROW LEVEL SECURITY;
ALTER TABLE assessment_journalentry FORCE ROW LEVEL SECURITY;
CREATE POLICY town_reads ON assessment_journalentry FOR SELECT
  USING (town_id = ANY ((SELECT grandlist_read_towns())::smallint[]));
CREATE POLICY town_inserts ON assessment_journalentry FOR INSERT
  WITH CHECK (town_id = ANY ((SELECT grandlist_write_towns())::smallint[]));
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON assessment_journalentry FROM grandlist_app;
"""


def load_towns(apps, schema_editor):
    path = Path(__file__).resolve().parents[1] / "region" / "reference" / "towns.json.gz"
    towns = json.loads(gzip.decompress(path.read_bytes()))["towns"]
    town_model = apps.get_model("assessment", "Town")
    town_model.objects.bulk_create(
        town_model(**{**town, "boundary": base64.b64decode(town["boundary"]), "slug": slugify(town["name"])})
        for town in towns
    )


class Migration(migrations.Migration):
    dependencies = [("assessment", "0001_foundation")]

    operations = [
        migrations.RunSQL(SCOPE_SQL, migrations.RunSQL.noop),
        WallOff("RoleAssignment", "TownPolicy", "AgreementTown", "CostShare"),
        migrations.RunSQL(OWN_ROLES_SQL, migrations.RunSQL.noop),
        WallOff("Complex", "Property", "PropertyAlias", "Owner", "ConfidentialityRequest", "Ownership"),
        WallOff("UserFieldDefinition", "LandLine", "Building", "Section", "Feature", "Code"),
        WallOff(
            "Blob", "Photo", "Document", "Permit", "Inspection", "Observation", "ImportRun", "StatedValue"
        ),
        migrations.RunSQL(JOURNAL_WALL_SQL, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTION_SQL, migrations.RunSQL.noop),
        Journal("Property", property_column="id"),
        Journal("PropertyAlias", "Ownership", "LandLine", "Building", "Section", "Feature", "Photo"),
        Journal("Document", "Permit", "Inspection", "Observation"),
        Journal(
            "Owner",
            "ConfidentialityRequest",
            "Complex",
            "Code",
            "UserFieldDefinition",
            property_column="none",
        ),
        Journal("TownPolicy", "RoleAssignment", property_column="none"),
        migrations.RunPython(load_towns, migrations.RunPython.noop),
    ]
