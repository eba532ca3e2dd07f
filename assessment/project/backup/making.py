"""Making a backup."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO, cast

import psycopg
from django.conf import settings
from django.core.files.storage import default_storage

from assessment.project.backup import databases, keys
from assessment.project.backup.databases import Database
from assessment.project.backup.errors import BackupRefused
from assessment.project.backup.manifest import DUMP, KEYS, Manifest, sha256_of
from assessment.project.backup.survey import take_survey
from assessment.property.blobs import blob_path
from assessment.region.progress import bar

CERTIFICATIONS = "certifications"
BLOBS = "blobs"


def make_backup(
    out: Path, *, recipients: list[str], without_keys: bool = False, database: Database | None = None
) -> Manifest:
    """Back up database, files, certifications and keys into the new folder ``out``.

    The folder gets its name when all is written and flushed: one that was interrupted is named
    ``….unfinished``. Rows, counts and dump are of one moment; files are content-addressed and never change.

    Raises
    ------
    BackupRefused
        The folder exists; or there is no recipient for the keys and leaving them out was not asked for.
    """
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise BackupRefused(f"{out} exists and is not empty: a backup never overwrites.")
    if not recipients and not without_keys:
        raise BackupRefused(
            "Without --recipient the keys that seal and sign would be missing, and signed lists could not be "
            "gone on with after a restore. Give --recipient age1…, or --without-keys if they are kept elsewhere."
        )
    stated_recipients = keys.read_recipients(recipients)
    database = database or databases.configured()
    folder = out.with_name(out.name + ".unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    with databases.snapshot(database) as (connection, snapshot_name):
        survey = take_survey(connection)
        databases.dump(database, folder / DUMP, snapshot_name=snapshot_name)
        missing = _copy_blobs(connection, folder / BLOBS)
        version = str(connection.info.server_version)
    _copy_certifications(folder / CERTIFICATIONS)
    sealed_names: list[str] = []
    if stated_recipients:
        sealed, sealed_names = keys.seal_keys(stated_recipients)
        (folder / KEYS).write_bytes(sealed)
    manifest = Manifest(
        made_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        postgres=version,
        survey=survey,
        files={
            str(path.relative_to(folder)): sha256_of(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
        keys=sealed_names,
        missing_blobs=missing,
    )
    manifest.write(folder)
    _flush(folder)
    if out.exists():
        out.rmdir()
    folder.rename(out)
    return manifest


def _copy_blobs(connection: psycopg.Connection, target: Path) -> list[str]:
    """Copy the bytes that any town's row names; return the hashes whose bytes are missing or damaged."""
    rows = connection.execute("SELECT DISTINCT sha256 FROM assessment_blob ORDER BY 1").fetchall()
    missing = []
    for (sha256,) in bar(rows, total=len(rows), label="files"):
        path = target / blob_path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not default_storage.exists(blob_path(sha256)):
            missing.append(sha256)
            continue
        digest = hashlib.sha256()
        with default_storage.open(blob_path(sha256), "rb") as source, path.open("wb") as copy:
            for chunk in iter(lambda: cast(BinaryIO, source).read(1 << 20), b""):
                digest.update(chunk)
                copy.write(chunk)
        if digest.hexdigest() != sha256:
            path.unlink()
            missing.append(sha256)
    return missing


def _copy_certifications(target: Path) -> None:
    source = Path(settings.CERTIFICATIONS_DIR)
    if source.is_dir():
        shutil.copytree(source, target)


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
