"""Content-addressed bytes through Django's storage API: files by default, S3-compatible by setting.

A blob is seen only through its town's row: the store itself knows hashes and no towns.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection

from assessment.property.models import Blob
from assessment.region.errors import NotFound, Problem
from assessment.region.ids import new_id

CHUNK_BYTES = 64 * 1024
_SEND_BYTES = 256 * 1024

_REGISTER_SQL = """
WITH made AS (
  INSERT INTO assessment_blob (id, town_id, sha256, byte_count, media_type, created_at)
  VALUES (%s, %s, %s, %s, %s, now()) ON CONFLICT (town_id, sha256) DO NOTHING RETURNING *)
SELECT * FROM made UNION ALL SELECT * FROM assessment_blob WHERE town_id = %s AND sha256 = %s LIMIT 1
"""


class BlobDamaged(Problem):
    """The stored bytes do not have the hash that they are kept under."""

    code, title, status = "blob-damaged", "A stored file is damaged", 500


def blob_path(sha256: str) -> str:
    """Return the storage name of the bytes with this hash."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def store_blob(source: BinaryIO | bytes, *, town_code: int, media_type: str) -> Blob:
    """Store bytes and return the town's blob row; the same bytes again cost one look.

    The bytes are flushed to disk before the row is written, so a row never points at nothing. Must be
    called in a scope that holds the town.
    """
    with tempfile.TemporaryFile(dir=_spool_dir()) as spool:
        digest, size = hashlib.sha256(), 0
        for chunk in _chunks(source):
            digest.update(chunk)
            spool.write(chunk)
            size += len(chunk)
        sha256 = digest.hexdigest()
        _keep_from_removal(sha256)
        if not default_storage.exists(blob_path(sha256)):
            spool.seek(0)
            _write(sha256, spool)
    return register_blob(sha256, byte_count=size, town_code=town_code, media_type=media_type)


def adopt_file(path: Path, *, sha256: str, town_code: int, media_type: str) -> Blob:
    """Move a finished, verified and fsynced file into the store, and return the town's blob row.

    On the file system this is one atomic rename; on other storages the bytes are copied. Whoever stores
    or removes the same bytes meanwhile waits for this transaction's end, as for `lock_bytes`.
    """
    size = path.stat().st_size
    name = blob_path(sha256)
    lock_bytes([sha256])
    if isinstance(default_storage, FileSystemStorage) or hasattr(default_storage, "base_location"):
        target = Path(default_storage.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        _fsync_folder(target.parent)
    else:
        with path.open("rb") as file:
            if not default_storage.exists(name):
                default_storage.save(name, File(file))
        path.unlink()
    return register_blob(sha256, byte_count=size, town_code=town_code, media_type=media_type)


def register_blob(sha256: str, *, byte_count: int, town_code: int, media_type: str) -> Blob:
    """Return the town's row for bytes that are in the store."""
    values = [new_id(), town_code, sha256, byte_count, media_type, town_code, sha256]
    # Where another transaction made it in this instant, the second look sees its row.
    found = list(Blob.objects.raw(_REGISTER_SQL, values)) or list(Blob.objects.raw(_REGISTER_SQL, values))
    return found[0]


def remove_blob(sha256: str, *, town_code: int) -> bool:
    """Remove a town's row for bytes, and the bytes where it was the last one; says whether they went.

    Must be called in a scope that reads every town, or another town's bytes would go. The caller knows
    that nothing of the town refers to them. Whoever stores the same bytes meanwhile waits, and stores
    them anew.
    """
    lock_bytes([sha256])
    Blob.objects.filter(town_id=town_code, sha256=sha256).delete()
    if Blob.objects.filter(sha256=sha256).exists():
        return False
    default_storage.delete(blob_path(sha256))
    return True


def lock_bytes(hashes: Iterable[str]) -> None:
    """Let those who look for bytes and those who store or remove them wait for each other, to the end of
    the transaction; always in the order of the hashes.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(h, 7)) FROM unnest(%s::text[]) h ORDER BY h",
            [sorted(set(hashes))],
        )


def _keep_from_removal(sha256: str) -> None:
    """Until the transaction ends; `remove_blob` waits for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 7))", [sha256])


def get_blob(sha256: str) -> Blob:
    """Return the blob if a town in scope holds it; `NotFound` otherwise."""
    blob = Blob.objects.filter(sha256=sha256).first()
    if blob is None:
        raise NotFound("There is no such file.")
    return blob


def open_blob(sha256: str) -> BinaryIO:
    """Open the bytes of a blob that a town in scope holds."""
    get_blob(sha256)
    return default_storage.open(blob_path(sha256), "rb")  # type: ignore[return-value]


class BlobPart:
    """Some bytes of a blob to be streamed in an answer, from `first` up to and without `stop`.

    Opened at the first chunk and closed after the last or by the server: an answer that is given up before
    leaves no file open. Looks for the blob at once, inside the scope; streaming needs no database.
    """

    def __init__(self, sha256: str, first: int, stop: int) -> None:
        self._name = blob_path(get_blob(sha256).sha256)
        self._first, self._stop = first, stop
        self._file: BinaryIO | None = None

    def __iter__(self) -> Iterator[bytes]:
        self._file = default_storage.open(self._name, "rb")  # type: ignore[assignment]
        assert self._file is not None
        try:
            self._file.seek(self._first)
            left = self._stop - self._first
            while left > 0 and (chunk := self._file.read(min(_SEND_BYTES, left))):
                left -= len(chunk)
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        """Close the file; Django calls it when the answer ends, however it ends."""
        if self._file is not None:
            self._file.close()


def _write(sha256: str, spool: BinaryIO) -> None:
    name = blob_path(sha256)
    if not hasattr(default_storage, "base_location"):
        default_storage.save(name, File(spool))
        return
    target = Path(default_storage.path(name))
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := spool.read(CHUNK_BYTES):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(target)  # atomic: two writers of the same bytes leave the same file
    _fsync_folder(target.parent)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _chunks(source: BinaryIO | bytes) -> Iterable[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def _spool_dir() -> str | None:
    if hasattr(default_storage, "base_location"):
        folder = Path(default_storage.path("spool"))
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)
    return None
