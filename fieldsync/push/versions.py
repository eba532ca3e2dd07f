"""Every version of a mutation's shape ever shipped, and the way from each to the next.

A device sends what it wrote when it wrote it, however long ago: outbox entries are never rewritten on
the device. The server leads an old one up the chain before it applies it. The ledger keeps it as sent.

What changes a shape adds a version here, a module that converts to it, and the mutations of the version
before to ``tests/golden/mutations/``, recorded from the client that still wrote them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fieldsync.push import version_1_to_2
from fieldsync.push.version_1_to_2 import UnitUnknown

CURRENT_VERSION = 2
OLDEST_VERSION = 1

Body = dict[str, Any]

# CONVERTERS[n] makes a body of version n + 1 from one of version n.
CONVERTERS: Mapping[int, Callable[[Body], Body]] = {1: version_1_to_2.convert}

__all__ = [
    "CONVERTERS",
    "CURRENT_VERSION",
    "OLDEST_VERSION",
    "SchemaTooNew",
    "SchemaUnknown",
    "UnitUnknown",
    "up_convert",
]


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
    """Return ``body`` in the current version; the one given is left as it is.

    Raises
    ------
    SchemaTooNew, SchemaUnknown, UnitUnknown
        The caller quarantines the mutation; it is never refused.
    """
    if version > current:
        raise SchemaTooNew(f"version {version} is newer than {current}")
    if version < OLDEST_VERSION:
        raise SchemaUnknown(f"there is no version {version}")
    for step in range(version, current):
        body = converters[step](body)
    return body
