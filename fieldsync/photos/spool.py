"""The files of uploads under way: one for each, whose length is how many bytes have come.

A request holds its turn by a lock on a file beside, which lives and dies with the request. Where the holder
has been silent for a while, a newer request takes the turn over, and the older one, should it wake, finds
that its turn has gone before it can write.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from fieldsync.photos.rules import READ_BYTES, ChunkChecksum
from fieldsync.problems import DiskReserve, UploadLocked

_REREAD_BYTES = 1024 * 1024
_HEAD_BYTES = 32
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OPEN_TRIES = 5


class ChunkMismatch(Exception):
    """The chunk does not have the checksum that came with it; it was thrown away."""


class DiskFull(Exception):
    """The disk took no more; what had been written before is in the file."""


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


class Turn:
    """One request's right to append to an upload's file, until a newer one takes it over."""

    def __init__(self, path: Path, file: IO[bytes], lock: int) -> None:
        self.path, self.file, self._lock = path, file, lock

    @contextmanager
    def moment(self) -> Iterator[IO[bytes]]:
        """Keep everybody else out for one short step.

        Raises
        ------
        UploadLocked
            A newer request has taken the turn over.
        """
        with _flock(self.file):
            if not _is_at(self._lock, _lock_path(self.path)):
                raise UploadLocked("A newer request of the tablet goes on with this upload.")
            yield self.file

    def length(self) -> int:
        """Return how many bytes have come."""
        return os.fstat(self.file.fileno()).st_size

    def append(self, piece: bytes) -> None:
        """Write behind the last byte, all of it or as much as the disk takes."""
        with self.moment() as file:
            file.seek(0, os.SEEK_END)
            view = memoryview(piece)
            try:
                while view:
                    view = view[file.write(view) :]
            except OSError as error:
                if error.errno in _NO_ROOM:
                    raise DiskFull from error
                raise

    def truncate(self, length: int) -> None:
        """Throw away what came behind ``length``."""
        with self.moment() as file:
            file.truncate(length)

    def sha256(self) -> str:
        """Return the SHA-256 of the whole file."""
        self.file.seek(0)
        digest = hashlib.sha256()
        while piece := self.file.read(_REREAD_BYTES):
            digest.update(piece)
        return digest.hexdigest()

    def head(self) -> bytes:
        """Return the first bytes."""
        return os.pread(self.file.fileno(), _HEAD_BYTES, 0)

    def flush(self) -> None:
        """Bring the bytes to the disk itself: a receipt is given for them next.

        Raises
        ------
        DiskFull
            They did not get there. What the system still shows of them proves nothing, so they are gone.
        """
        try:
            os.fsync(self.file.fileno())
        except OSError as error:
            self.truncate(0)
            raise DiskFull from error


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
    try:
        free = shutil.disk_usage(folder).free
    except FileNotFoundError:
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
def take_turn(upload_id: UUID) -> Iterator[Turn]:
    """Open an upload's file for this request alone.

    Raises
    ------
    UploadLocked
        Another request has it and has written a moment ago, or takes it over meanwhile.
    DiskFull
        There is no room for even an empty file.
    """
    path = path_of(upload_id)
    try:
        file, lock = _claim(path)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull from error
        raise
    turn = Turn(path, file, lock)
    try:
        yield turn
    finally:
        with _flock(file):
            if _is_at(lock, _lock_path(path)):
                _lock_path(path).unlink()
        os.close(lock)
        file.close()


def receive(
    turn: Turn,
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
    DiskFull
        Without a checksum, the file has what fitted; with one, it is as it was.
    """
    whole = hashlib.sha256() if offset == 0 else None
    chunk_hash = check.begin() if check else None
    left = count
    while left:
        try:
            piece = read(min(READ_BYTES, left))
        except OSError:
            piece = b""  # the line broke: as an early end
        if not piece:
            break
        try:
            turn.append(piece)
        except DiskFull:
            if check:
                turn.truncate(offset)
            raise
        left -= len(piece)
        if whole:
            whole.update(piece)
        if chunk_hash:
            chunk_hash.update(piece)
    if check and chunk_hash and (left or chunk_hash.digest() != check.digest):
        turn.truncate(offset)
        if not left:
            raise ChunkMismatch
        return Received(offset, True, None)
    return Received(offset + count - left, left > 0, whole.hexdigest() if whole else None)


def discard(upload_id: UUID) -> None:
    """Remove an upload's file."""
    path_of(upload_id).unlink(missing_ok=True)


def sweep(before: float) -> int:
    """Remove files that nobody has written to since ``before`` (seconds since 1970); returns how many."""
    count = 0
    for path in spool_folder().glob("*/*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                count += 1
    return count


def _claim(path: Path) -> tuple[IO[bytes], int]:
    for _ in range(_OPEN_TRIES):
        file = _open(path)
        try:
            with _flock(file):
                # Whoever finished it in this instant has moved it into the store, where nobody writes.
                if _is_at(file.fileno(), path):
                    return file, _lock(path, file)
        except BaseException:
            file.close()
            raise
        file.close()
    raise UploadLocked


def _open(path: Path) -> IO[bytes]:
    flags = os.O_RDWR | os.O_CREAT
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
    return os.fdopen(descriptor, "r+b", buffering=0)


def _lock(path: Path, file: IO[bytes]) -> int:
    """Return the locked file beside ``path``; the caller has the moment, so nobody else does this now."""
    name = _lock_path(path)
    lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        last_s = max(os.fstat(lock).st_mtime, os.fstat(file.fileno()).st_mtime)
        os.close(lock)
        if time.time() - last_s < settings.UPLOAD_TAKEOVER_S:
            raise UploadLocked from error
        name.unlink()
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.utime(lock)
    return lock


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".turn")


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    own = os.fstat(descriptor)
    return (there.st_ino, there.st_dev) == (own.st_ino, own.st_dev)


@contextmanager
def _flock(file: IO[bytes]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
