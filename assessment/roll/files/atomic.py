"""Files that are whole or not there: written beside their place, flushed to disk, then moved over it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assessment.roll.errors import OutputNotWritten


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a draft's path to write to; on leaving it becomes `path`, on an error nothing is left.

    Raises
    ------
    OutputNotWritten
        No such folder, no right to write there, or no room: in one line.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}.part")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise OutputNotWritten(f"{path}: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)


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
            raise PermissionError(13, "no right to write there")
    except OSError as error:
        raise OutputNotWritten(f"{folder}: {error.strerror or error}.") from error
    return folder


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` as the file `path`, whole or not at all."""
    with whole_file(path) as draft:
        draft.write_bytes(content)
