"""Restoring a backup, and the drill that does it beside the running server."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection as django_connection

from assessment.project.backup import databases, keys
from assessment.project.backup.databases import Database
from assessment.project.backup.errors import RestoreDiffers, RestoreRefused
from assessment.project.backup.making import BLOBS, CERTIFICATIONS, make_backup
from assessment.project.backup.manifest import DUMP, KEYS, Manifest, check_files, read_manifest
from assessment.project.backup.survey import compare_surveys, take_survey
from assessment.project.postgres import APP, ensure_cluster
from assessment.property.blobs import blob_path
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.restoring import run_restore_hooks
from assessment.region.scope import scope

UNFINISHED = "grandlist_restoring"


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    hooks: list[str]


def restore_backup(folder: Path, *, identity: Path | None, without_keys: bool = False) -> Restored:
    """Restore a backup into the settings' empty database and folders.

    With the private cluster the work is done in a database beside, which takes its place when it has been
    compared and the hooks have run: no request ever sees the old epoch.

    Raises
    ------
    BackupDamaged, RestoreRefused, RestoreDiffers
    """
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    opened: dict[str, bytes] = {}
    if manifest.keys and not without_keys:
        if identity is None:
            raise RestoreRefused(
                "The backup holds the keys that seal and sign: give --identity FILE, or --without-keys if they "
                "are in place already."
            )
        opened = keys.open_keys((folder / KEYS).read_bytes(), identity.read_text())
    target = databases.configured()
    _refuse_unless_unused(target)
    django_connection.close()
    if target.cluster is None:
        databases.load(target, folder / DUMP)
        _compare(target, manifest)
    else:
        target.cluster.drop_database(UNFINISHED)
        target.cluster.create_database(UNFINISHED)
        databases.load(target.named(UNFINISHED), folder / DUMP)
        _compare(target.named(UNFINISHED), manifest)
    _put_files(folder)
    keys.put_keys(opened)
    hooks = _begin_anew(target, manifest)
    if target.cluster is not None:
        target.cluster.drop_database(target.name)
        target.cluster.rename_database(UNFINISHED, target.name)
    return Restored(manifest, hooks)


@dataclass(frozen=True)
class Drill:
    """What a drill found: the figures, and every difference (none when the backup is good)."""

    tables: int
    rows: int
    policies: int
    files: int
    keys: int
    backup_s: float
    restore_s: float
    differences: list[str]


def run_drill(backup: Path | None = None) -> Drill:
    """Back up, restore into a scratch cluster, and compare counts, hashes, policies and keys.

    Parameters
    ----------
    backup
        Try this backup instead of a new one; its keys are then not opened.
    """
    with tempfile.TemporaryDirectory(prefix="grandlist-drill-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        begun = time.monotonic()
        folder = backup or scratch / "backup"
        if backup is None:
            identity = scratch / "identity"
            make_backup(folder, recipients=[keys.make_identity(identity)])
        made = time.monotonic()
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        differences = [f"the bytes of {sha256} are missing" for sha256 in manifest.missing_blobs]
        if backup is None:
            opened = keys.open_keys((folder / KEYS).read_bytes(), identity.read_text())
            differences += [f"the key {key} is missing" for key in manifest.keys if key not in opened]
        cluster = ensure_cluster(scratch, "postgres", durable=False)
        try:
            cluster.start()
            copy = databases.of_cluster(cluster, "grandlist")
            databases.load(copy, folder / DUMP)
            with databases.snapshot(copy) as (connection, _):
                differences += compare_surveys(manifest.survey, take_survey(connection))
        finally:
            cluster.remove()
        return Drill(
            tables=len(manifest.survey.tables),
            rows=manifest.survey.rows,
            policies=len(manifest.survey.structure["policies"]),
            files=len(manifest.files),
            keys=len(manifest.keys),
            backup_s=round(made - begun, 2),
            restore_s=round(time.monotonic() - made, 2),
            differences=differences,
        )


def _refuse_unless_unused(target: Database) -> None:
    if databases.is_empty(target):
        return
    with psycopg.connect(target.backup_url) as connection:
        try:
            row = connection.execute("SELECT count(*) FROM assessment_person").fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    # A schema without people is what a first start leaves; only the private cluster can be cleared of it.
    if row == (0,) and target.cluster is not None:
        return
    raise RestoreRefused(
        f"The database {target.name} is not empty. Restore into a new one: stop the office and set "
        "GRANDLIST_VAR_DIR to a new folder (or DATABASE_URL to an empty database)."
    )


def _compare(copy: Database, manifest: Manifest) -> None:
    with databases.snapshot(copy) as (connection, _):
        differences = compare_surveys(manifest.survey, take_survey(connection))
    if differences:
        raise RestoreDiffers("; ".join(differences[:5]), differences=differences[:100])


def _put_files(folder: Path) -> None:
    blobs = folder / BLOBS
    for path in sorted(blobs.rglob("*")) if blobs.is_dir() else []:
        if path.is_file():
            _put_file(path)
    certifications = folder / CERTIFICATIONS
    if certifications.is_dir():
        for path in certifications.rglob("*"):
            target = Path(settings.CERTIFICATIONS_DIR) / path.relative_to(certifications)
            if path.is_file() and target.exists() and target.read_bytes() != path.read_bytes():
                raise RestoreRefused(f"{target} exists and is a different certification: move it away first.")
        shutil.copytree(certifications, settings.CERTIFICATIONS_DIR, dirs_exist_ok=True)


def _put_file(path: Path) -> None:
    """Put one file in its place, unless it is there whole: a restore that was cut off may have left half of it."""
    name = blob_path(path.name)
    if default_storage.exists(name):
        digest = hashlib.sha256()
        with default_storage.open(name, "rb") as held:
            for chunk in held.chunks():
                digest.update(chunk)
        if digest.hexdigest() == path.name:
            return
        default_storage.delete(name)
    try:
        with path.open("rb") as file:
            default_storage.save(name, File(file))
    except OSError:
        default_storage.delete(name)
        raise


def _begin_anew(target: Database, manifest: Manifest) -> list[str]:
    """End all sessions and run the hooks, as the application role, in the restored database."""
    stated = django_connection.settings_dict
    before = dict(stated)
    if target.cluster is not None:
        parameters = target.cluster.parameters(APP, UNFINISHED)
        stated.update(
            NAME=UNFINISHED,
            USER=APP,
            PASSWORD=parameters["password"],
            HOST=parameters["host"],
            PORT=parameters["port"],
        )
    actor = Actor.system("restore")
    reason = f"restored from the backup of {manifest.made_at}"
    try:
        towns = list(Town.objects.values_list("code", flat=True))
        with scope(actor, towns=towns, reason=reason):
            with django_connection.cursor() as cursor:
                cursor.execute("DELETE FROM django_session")
                ended = cursor.rowcount
            return [f"sign-ins ended: {ended}", *run_restore_hooks(actor=actor, towns=towns, reason=reason)]
    finally:
        django_connection.close()
        stated.clear()
        stated.update(before)
