"""The files of uploads under way: one for each, whose length is how many bytes have come.

A lock on the file lives and dies with the request that holds it, so a dead connection blocks nobody.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from fieldsync.photos.rules import READ_BYTES, ChunkChecksum
from fieldsync.problems import DiskReserve, UploadLocked

_REREAD_BYTES = 1024 * 1024


class ChunkMismatch(Exception):
    """The chunk does not have the checksum that came with it; it was thrown away."""


@dataclass(frozen=True, slots=True)
class Received:
    """What one request brought.

    Attributes
    ----------
    length
        Bytes now in the file.
    is_cut
        Whether the body ended before its stated length.
    sha256
        Of the whole file, if it was received in this request from its first byte.
    """

    length: int
    is_cut: bool
    sha256: str | None


def spool_folder() -> Path:
    """Return the folder of the files, on the disk of the store, so that a finished one is only renamed."""
    if isinstance(default_storage, FileSystemStorage) or hasattr(default_storage, "base_location"):
        return Path(default_storage.path("uploads"))
    return Path(settings.VAR_DIR) / "uploads"


def path_of(upload_id: UUID) -> Path:
    """Return the file of an upload."""
    return spool_folder() / upload_id.hex[-2:] / upload_id.hex


def require_space(wanted_bytes: int) -> None:
    """Raise `DiskReserve` when a photo would eat into what is kept for the ledger."""
    folder = spool_folder()
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free - wanted_bytes < settings.DISK_RESERVE_MB * 1024 * 1024:
        raise DiskReserve


def length_of(upload_id: UUID) -> int:
    """Return how many bytes have come."""
    try:
        return path_of(upload_id).stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def locked_file(upload_id: UUID) -> Iterator[BinaryIO]:
    """Open an upload's file for this request alone.

    Raises
    ------
    UploadLocked
        Another request has it.
    """
    path = path_of(upload_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UploadLocked from error
        yield file


def receive(
    file: BinaryIO,
    read: Callable[[int], bytes],
    *,
    offset: int,
    count: int,
    check: ChunkChecksum | None,
) -> Received:
    """Append ``count`` bytes to a file in pieces of 64 KiB, so that memory stays flat.

    A body that ends early keeps what came, unless it had a checksum: then nothing of it can be trusted.

    Raises
    ------
    ChunkMismatch
        The bytes do not have the checksum; the file is as it was.
    """
    whole = hashlib.sha256() if offset == 0 else None
    chunk_hash = hashlib.new(check.algorithm) if check else None
    file.seek(offset)
    left = count
    while left:
        try:
            piece = read(min(READ_BYTES, left))
        except OSError:
            piece = b""  # the line broke: as an early end
        if not piece:
            break
        file.write(piece)
        left -= len(piece)
        if whole:
            whole.update(piece)
        if chunk_hash:
            chunk_hash.update(piece)
    if check and chunk_hash and (left or chunk_hash.digest() != check.digest):
        file.truncate(offset)
        if not left:
            raise ChunkMismatch
        return Received(offset, True, None)
    return Received(offset + count - left, left > 0, whole.hexdigest() if whole else None)


def hash_of(file: BinaryIO) -> str:
    """Return the SHA-256 of a whole file."""
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(_REREAD_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def head_of(file: BinaryIO) -> bytes:
    """Return the first bytes of a file."""
    file.seek(0)
    return file.read(32)


def flush(file: BinaryIO) -> None:
    """Bring a file's bytes to the disk itself: a receipt is given for them next."""
    os.fsync(file.fileno())


def discard(upload_id: UUID) -> None:
    """Remove an upload's file."""
    path_of(upload_id).unlink(missing_ok=True)
