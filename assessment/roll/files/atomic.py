"""Files that are whole or not there: written beside their place, flushed to disk, then moved over it."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from assessment.roll.errors import OutputNotWritten

_NO_ROOM = "there is no room left; free some, or write to another disk"
_NO_RIGHT = "you may not write there; choose another folder"
_NO_FOLDER = "its folder is not there; make it first, or choose another"
_WHAT_TO_DO = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: _NO_ROOM,
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EROFS: _NO_RIGHT,
    errno.ENOENT: _NO_FOLDER,
    errno.ENOTDIR: "a part of this path is a file; choose another folder",
    errno.EEXIST: "a file of this name is in the way; choose another folder",
    errno.EISDIR: "this is a folder; add the name of a file",
}


def _not_written(path: Path, error: OSError) -> OutputNotWritten:
    return OutputNotWritten(f"{path}: {_WHAT_TO_DO.get(error.errno or 0, error.strerror or error)}.")


def _require_place(path: Path) -> None:
    # A move would take the place of a device or a pipe, and fail on a folder only after all the work.
    if path.is_dir():
        raise _not_written(path, IsADirectoryError(errno.EISDIR, "is a folder"))
    if path.exists() and not path.is_file():
        raise OutputNotWritten(f"{path}: this is no ordinary file; give another name.")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a draft's path to write to; on leaving it becomes `path`, on an error nothing is left.

    Raises
    ------
    OutputNotWritten
        No such folder, no right to write there, or no room: in one line that says what to do.
    """
    _require_place(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}.part")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        # Where the folder cannot even be searched there is no draft either.
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Refuse a path that could not be written, before the work that fills it.

    Raises
    ------
    OutputNotWritten
        As `whole_file`.
    """
    _require_place(path)
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _not_written(path, error) from error


def make_folder(folder: Path) -> Path:
    """Return `folder`, made if it is not there.

    Raises
    ------
    OutputNotWritten
        When it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, "no right to write there")
    except OSError as error:
        raise _not_written(folder, error) from error
    return folder


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` as the file `path`, whole or not at all."""
    with whole_file(path) as draft:
        draft.write_bytes(content)


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by name into `folder`: none takes its place before all are on disk.

    Raises
    ------
    OutputNotWritten
        As `whole_file`; what was in the folder before is still there.
    """
    with ExitStack() as drafts:
        for name, content in files.items():
            draft = drafts.enter_context(whole_file(folder / name))
            try:
                draft.write_bytes(content)
            except OSError as error:
                raise _not_written(folder / name, error) from error
