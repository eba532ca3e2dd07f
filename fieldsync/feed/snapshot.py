"""One moment of the database for several queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_moment() -> Iterator[None]:
    """Run all queries inside on one snapshot (REPEATABLE READ), so that numbers and records fit together.

    To be entered before the first query of a transaction. Inside of another transaction it changes
    nothing: its own isolation level stays in force.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
