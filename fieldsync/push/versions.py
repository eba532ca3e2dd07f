"""Every version of a mutation's shape ever shipped, and the way from each to the next.

A device sends what it wrote when it wrote it, however long ago: outbox entries are never rewritten on
the device. The server leads an old one up the chain before it applies it. The ledger keeps it as sent.
"""

from collections.abc import Callable, Mapping
from typing import Any

CURRENT_VERSION = 1

Body = dict[str, Any]

# CONVERTERS[n] makes a body of version n + 1 from one of version n.
CONVERTERS: Mapping[int, Callable[[Body], Body]] = {}


class SchemaTooNew(ValueError):
    """The mutation was written by an app newer than this server."""


class SchemaUnknown(ValueError):
    """No version of that number was ever shipped."""


def up_convert(
    body: Body,
    version: int,
    *,
    current: int = CURRENT_VERSION,
    converters: Mapping[int, Callable[[Body], Body]] = CONVERTERS,
) -> Body:
    """Return ``body`` in the current version.

    Raises
    ------
    SchemaTooNew, SchemaUnknown
        The caller quarantines the mutation; it is never refused.
    """
    if version > current:
        raise SchemaTooNew(f"version {version} is newer than {current}")
    if version < 1:
        raise SchemaUnknown(f"there is no version {version}")
    for step in range(version, current):
        body = converters[step](body)
    return body
