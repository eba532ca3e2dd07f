"""Backup, restore and drill against real clusters."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from assessment.project.backup import databases, keys
from assessment.project.backup.databases import Database
from assessment.project.backup.errors import BackupDamaged, BackupRefused, RestoreRefused
from assessment.project.backup.making import make_backup
from assessment.project.backup.manifest import read_manifest
from assessment.project.backup.restoring import restore_backup, run_drill
from assessment.project.backup.survey import compare_surveys, take_survey
from assessment.project.postgres import APP, Cluster
from assessment.property.blobs import open_blob
from assessment.region.models import RoleAssignment
from assessment.region.scope import scope
from fieldsync.models import SyncEpoch
from tests.cast import SYSTEM, TOWN_A, TOWN_B
from tests.databases import TestDatabase, point_django_at
from tests.project.backup.conftest import PHOTO


def test_a_restore_elsewhere_has_every_row_wall_file_and_key(
    backup: Path, identity: Path, elsewhere: Cluster, settings: Settings
) -> None:
    restored = restore_backup(backup, identity=identity)
    copy = databases.of_cluster(elsewhere, "grandlist")
    point_django_at(TestDatabase(elsewhere, "grandlist"))
    with scope(SYSTEM, towns=[TOWN_A]):
        assert RoleAssignment.objects.count() == 5
        with open_blob(_sha256_of(restored.manifest.files)) as file:
            assert file.read() == PHOTO
    assert (settings.SEALING_KEYS_DIR / "sign-0062.pem").read_text() == "content of sign-0062.pem"
    assert (settings.SEALING_KEYS_DIR / "sign-0062.pem").stat().st_mode & 0o077 == 0
    assert (settings.CERTIFICATIONS_DIR / "62-2024.json").read_text() == "content of 62-2024.json"
    assert (settings.VAR_DIR / "secrets" / "django-secret-key").read_text() == settings.SECRET_KEY
    with psycopg.connect(elsewhere.url(APP)) as app:
        assert app.execute("SELECT count(*) FROM assessment_roleassignment").fetchone() == (0,), (
            "the walls stand"
        )
    assert databases.is_empty(copy) is False


def _sha256_of(files: dict[str, str]) -> str:
    return next(sha256 for name, sha256 in files.items() if name.startswith("blobs/"))


def test_a_restore_begins_a_new_epoch_and_ends_all_sign_ins(
    backup: Path, identity: Path, elsewhere: Cluster
) -> None:
    before = read_manifest(backup).survey.tables["fieldsync_syncepoch"].rows
    restored = restore_backup(backup, identity=identity)
    point_django_at(TestDatabase(elsewhere, "grandlist"))
    with scope(SYSTEM, towns=[TOWN_A, TOWN_B]):
        epochs = list(SyncEpoch.objects.order_by("began_at"))
    assert len(epochs) == before + 1
    assert epochs[-1].reason.startswith("restored from the backup of")
    assert "sync epoch: begun anew in 1 towns" in restored.hooks


def test_a_backup_without_a_recipient_is_refused_unless_the_keys_are_left_out_knowingly(
    source: Database, tmp_path: Path
) -> None:
    with pytest.raises(BackupRefused, match="--without-keys"):
        make_backup(tmp_path / "backup", recipients=[])
    assert not (tmp_path / "backup").exists()
    assert make_backup(tmp_path / "backup", recipients=[], without_keys=True).keys == []


def test_keys_lie_encrypted_and_open_for_nobody_else(
    backup: Path, tmp_path: Path, elsewhere: Cluster
) -> None:
    assert b"content of sign" not in (backup / "keys.age").read_bytes()
    stranger = tmp_path / "stranger.txt"
    keys.make_identity(stranger)
    with pytest.raises(RestoreRefused, match="somebody else"):
        restore_backup(backup, identity=stranger)
    with pytest.raises(RestoreRefused, match="--identity"):
        restore_backup(backup, identity=None)


def test_a_backup_never_overwrites(backup: Path, recipient: str) -> None:
    with pytest.raises(BackupRefused, match="not empty"):
        make_backup(backup, recipients=[recipient])


@pytest.mark.parametrize("victim", ["database.dump", "keys.age", "blobs", "certifications"])
def test_one_altered_byte_is_found_before_anything_is_restored(
    backup: Path, identity: Path, elsewhere: Cluster, victim: str
) -> None:
    path = backup / victim
    if path.is_dir():
        path = next(file for file in path.rglob("*") if file.is_file())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackupDamaged, match=path.name):
        restore_backup(backup, identity=identity)
    assert databases.is_empty(databases.of_cluster(elsewhere, "grandlist"))


def test_an_unfinished_backup_is_no_backup(source: Database, tmp_path: Path, recipient: str) -> None:
    (tmp_path / "half").mkdir()
    with pytest.raises(BackupDamaged, match="no finished backup"):
        restore_backup(tmp_path / "half", identity=None)


def test_a_database_with_people_is_never_overwritten(backup: Path, identity: Path, source: Database) -> None:
    with pytest.raises(RestoreRefused, match="not empty"):
        restore_backup(backup, identity=identity)


def test_a_file_that_the_record_names_and_the_store_lacks_is_reported(
    source: Database, settings: Settings, tmp_path: Path, recipient: str
) -> None:
    stored = next(path for path in (settings.VAR_DIR / "blobs").rglob("*") if path.is_file())
    stored.write_bytes(b"rotten")
    assert make_backup(tmp_path / "backup", recipients=[recipient]).missing_blobs == [stored.name]
    with pytest.raises(CommandError, match="missing or damaged"):
        call_command("backup", out=tmp_path / "again", recipient=[recipient])


def test_a_role_that_does_not_see_past_the_walls_may_not_back_up(
    committed_db: TestDatabase, tmp_path: Path, source: Database, recipient: str
) -> None:
    blind = Database(source.owner_url, committed_db.owner_url, source.binaries, source.cluster)
    with pytest.raises(BackupRefused, match="BYPASSRLS"):
        make_backup(tmp_path / "backup", recipients=[recipient], database=blind)


def test_the_drill_finds_nothing_and_says_how_much_it_compared(source: Database, capsys: Any) -> None:
    call_command("drill", json=True)
    figures = json.loads(capsys.readouterr().out)
    assert figures["differences"] == []
    assert figures["rows"] > 169
    assert figures["policies"] > 20
    assert figures["keys"] == 2


def test_the_drill_finds_what_is_not_in_the_dump(source: Database, backup: Path) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["survey"]["tables"]["assessment_town"]["rows"] += 1
    (backup / "manifest.json").write_text(json.dumps(manifest))
    assert run_drill(backup).differences == ["table assessment_town has 169 rows instead of 170"]


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        (
            "UPDATE assessment_town SET name = 'Hampden' WHERE code = 62",
            "table assessment_town has other contents",
        ),
        ("DELETE FROM assessment_roleassignment", "table assessment_roleassignment has 0 rows instead of"),
        ("ALTER TABLE assessment_roleassignment NO FORCE ROW LEVEL SECURITY", "walls: missing"),
        ("DROP POLICY town_reads ON assessment_roleassignment", "policies: missing"),
        ("GRANT UPDATE ON assessment_journalentry TO grandlist_app", "rights: added"),
        ("ALTER TABLE assessment_roleassignment DISABLE TRIGGER USER", "triggers: missing"),
    ],
)
def test_a_survey_sees_every_kind_of_difference(
    source: Database, committed_db: TestDatabase, statement: str, difference: str
) -> None:
    with databases.snapshot(source) as (connection, _):
        before = take_survey(connection)
    with psycopg.connect(committed_db.superuser_url) as superuser:
        superuser.execute("SET session_replication_role = replica")  # past the journal's triggers
        superuser.execute(statement)
    with databases.snapshot(source) as (connection, _):
        found = compare_surveys(before, take_survey(connection))
    assert any(line.startswith(difference) for line in found), found
