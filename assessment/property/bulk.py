"""Many rows in one statement.

The application role may not make temporary tables, and COPY is refused under row-level security; arrays
through `unnest` take the same rows in one statement, so the walls hold and the journal's trigger fires once.
The arrays are written as text here: the driver's own way costs five times as much for each value.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.db import connection, models

from assessment.region.ids import new_id_texts

T = TypeVar("T")

# Types whose arrays cannot be given as they are: each element goes as text.
_READ_FROM_TEXT = ("jsonb", "box")


# An import makes millions of values that hold no cycles: looking for some took a third of its time.
_COLLECT_AFTER: Final = (100_000, 50, 100)


@contextmanager
def rare_collection() -> Iterator[None]:
    """Let the garbage collector look for cycles rarely while rows are read and written in bulk."""
    before = gc.get_threshold()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def in_batches(items: Iterable[T], size: int) -> Iterable[list[T]]:
    """Yield lists of at most ``size`` items."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def insert_rows(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows given by attribute name (``town_id``, not ``town``); the model's defaults fill the rest.

    Rows that state no ``id`` get one each.

    Returns
    -------
    int
        How many rows were inserted.
    """
    if not rows:
        return 0
    stated = set().union(*rows)
    given: list[models.Field[Any, Any]] = []
    columns: list[list[Any]] = []
    chosen: list[str] = []
    constants: list[Any] = []
    names: list[str] = []
    for field in model._meta.concrete_fields:
        if _is_generated(field):
            continue
        names.append(f'"{field.column}"')
        if field.primary_key and field.attname not in stated:
            chosen.append(_cast(field))
            given.append(field)
            columns.append(new_id_texts(len(rows)))
            continue
        default = _default(field)
        column = [row.get(field.attname, default) for row in rows] if field.attname in stated else [default]
        first = column[0]
        if all(value is first for value in column):
            # One value for all rows (the town, a default) is sent once.
            chosen.append(_constant(field))
            constants.append(_uniform(field, [first])[0])
        else:
            chosen.append(_cast(field))
            given.append(field)
            columns.append(column)
    # ids differ, so there is always a column that is given by rows, unless there is one row alone.
    source = f"FROM unnest({_arrays(given)}) AS given({_given(given)})" if given else ""
    statement = (
        f'INSERT INTO "{model._meta.db_table}" ({", ".join(names)}) SELECT {", ".join(chosen)} {source}'
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*constants, *_parameters(given, columns)])
        return int(cursor.rowcount)


def update_rows(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], attributes: Sequence[str]
) -> int:
    """Set ``attributes`` of the rows whose ``id`` and ``town_id`` are given.

    Returns
    -------
    int
        How many rows were updated.
    """
    if not rows or not attributes:
        return 0
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    keys = [by_name["id"], by_name["town_id"]]
    fields = [by_name[name] for name in attributes]
    columns = [[row[field.attname] for row in rows] for field in (*keys, *fields)]
    sets = ", ".join(f'"{field.column}" = {_cast(field)}' for field in fields)
    statement = (
        f'UPDATE "{model._meta.db_table}" AS kept SET {sets} '  # noqa: S608
        f"FROM unnest({_arrays([*keys, *fields])}) AS given({_given([*keys, *fields])}) "
        "WHERE kept.id = given.id AND kept.town_id = given.town_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, _parameters([*keys, *fields], columns))
        return int(cursor.rowcount)


def _is_generated(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.AutoField | models.GeneratedField)


def _default(field: models.Field[Any, Any]) -> Any:
    if isinstance(field, models.DateTimeField) and (field.auto_now or field.auto_now_add):
        return field.pre_save(field.model(), add=True)
    return field.get_default()


def _array_type(field: models.Field[Any, Any]) -> str:
    return "text" if _kind(field) in ("varchar", *_READ_FROM_TEXT) else _kind(field)


def _kind(field: models.Field[Any, Any]) -> str:
    return (field.db_type(connection) or "text").split("(")[0]


def _arrays(fields: Sequence[models.Field[Any, Any]]) -> str:
    return ", ".join(f"%s::{_array_type(field)}[]" for field in fields)


def _given(fields: Sequence[models.Field[Any, Any]]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def _cast(field: models.Field[Any, Any]) -> str:
    name = f'given."{field.column}"'
    return f"{name}::{_kind(field)}" if _kind(field) in _READ_FROM_TEXT else name


def _constant(field: models.Field[Any, Any]) -> str:
    return f"%s::{_kind(field) if _kind(field) in _READ_FROM_TEXT else _array_type(field)}"


def _parameters(fields: Sequence[models.Field[Any, Any]], columns: Sequence[list[Any]]) -> list[Any]:
    return [_array(field, _uniform(field, column)) for field, column in zip(fields, columns, strict=True)]


def _array(field: models.Field[Any, Any], column: list[Any]) -> Any:
    """Return the values as the text of an array, or as they are where the driver has to write them."""
    write = _TEXT_OF.get(_array_type(field))
    if write is None:
        return column
    return "{" + ",".join(["NULL" if value is None else write(value) for value in column]) + "}"


def _quoted(value: Any) -> str:
    text = str(value)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    return f'"{text}"'


def _isoformat(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())


# How a value is written in the text of an array, by the type of its elements.
_TEXT_OF: Final[Mapping[str, Callable[[Any], str]]] = {
    "boolean": lambda value: "t" if value else "f",
    "date": _isoformat,
    "text": _quoted,
    "uuid": lambda value: value if isinstance(value, str) else value.hex,
    **dict.fromkeys(("bigint", "integer", "numeric", "smallint"), str),
    "double precision": repr,
}


def _uniform(field: models.Field[Any, Any], column: list[Any]) -> list[Any]:
    """Return the values in one Python type: the driver refuses lists of mixed ones."""
    if isinstance(field, models.JSONField):
        return [None if value is None else json.dumps(value, default=str) for value in column]
    if isinstance(field, models.DecimalField):
        return [None if value is None else Decimal(value) for value in column]
    if isinstance(field, models.FloatField):
        return [None if value is None else float(value) for value in column]
    if isinstance(field, models.CharField | models.TextField):
        return [None if value is None else str(value) for value in column]
    return column
