"""Column names as they are spelt, and as they are compared."""

import re
from collections.abc import Iterable

_NOT_WORD = re.compile(r"[^0-9a-z]+")


def normalise_header(name: str) -> str:
    """Return a column name without case, spaces, underscores and punctuation.

    The state spells the same column `Assessed_Total`, `assessed_total` and `assessedtotal`,
    one publication after the other.
    """
    return _NOT_WORD.sub("", name.casefold())


def index_header(header: Iterable[str]) -> dict[str, int]:
    """Return each normalised name with its place; nameless columns are left out."""
    return {normalise_header(name): place for place, name in enumerate(header) if name.strip()}
