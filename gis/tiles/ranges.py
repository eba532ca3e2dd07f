"""HTTP byte ranges (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1

    def content_range(self, size: int) -> str:
        """The Content-Range of the answer, for a file of `size` bytes."""
        return f"bytes {self.first}-{self.last}/{size}"


class Unsatisfiable(Exception):
    """The range lies outside of the file: 416."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Range that a request asks for.

    Returns
    -------
    ByteRange or None
        None where the whole file is to be sent: no header, another unit, several ranges, or nonsense,
        which the standard says to ignore.

    Raises
    ------
    Unsatisfiable
        A well-formed range of which no byte exists.
    """
    found = _SINGLE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        wanted = int(found[2])
        if wanted == 0 or size == 0:
            raise Unsatisfiable
        return ByteRange(max(0, size - wanted), size - 1)
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return ByteRange(first, last)
