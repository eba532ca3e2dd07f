"""Progress bars for commands: shown on a terminal, silent otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def bar(iterable: Iterable[T], *, total: int | None = None, label: str = "") -> Iterator[T]:
    """Yield from ``iterable`` with a progress bar on standard error when that is a terminal."""
    yield from tqdm(iterable, total=total, desc=label, disable=not sys.stderr.isatty(), leave=False)
