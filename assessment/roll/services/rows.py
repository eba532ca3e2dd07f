"""Writing tens of thousands of rows in one statement. COPY is refused under row-level security; unnest is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connection

CHUNK = 5000


def insert_rows(table: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows, each in the order of `columns` (name to PostgreSQL type); return how many.

    A column of type ``jsonb`` takes text.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(
        f'r."{name}"::jsonb' if kind == "jsonb" else f'r."{name}"' for name, kind in columns.items()
    )
    arrays = ", ".join(f"%s::{'text' if kind == 'jsonb' else kind}[]" for kind in columns.values())
    sql = f'INSERT INTO "{table}" ({names}) SELECT {values} FROM unnest({arrays}) AS r({names})'  # noqa: S608 names are ours
    written = 0
    with connection.cursor() as cursor:
        for chunk in _chunks(rows):
            cursor.execute(sql, [list(column) for column in zip(*chunk, strict=True)])
            written += len(chunk)
    return written


def _chunks(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
