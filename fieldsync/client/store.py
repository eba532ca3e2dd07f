"""What a tablet keeps on its disk: its records, its outbox, its photos, in one SQLite file.

An entry leaves the outbox only by a final result that names its id, so a lost answer, a crash or a
server that forgot costs nothing: it is sent again, and the server answers as it did the first time.
"""

from fieldsync.client.retention import Retention
from fieldsync.client.shelf import Shelf, patched

__all__ = ["Store", "patched"]


class Store(Retention, Shelf):
    """The tablet's disk. Safe for use from several threads; each method is one transaction."""
