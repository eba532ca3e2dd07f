"""Ends a request between two SQL statements, as a power cut or a lost database does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


class PowerCut(BaseException):
    """The server's process ended here; nothing of it may catch this."""


@contextmanager
def crash_at(number: int) -> Iterator[None]:
    """Raise `PowerCut` in place of the statement of this number, and of every one after it."""
    with _before(number, _die):
        yield


@contextmanager
def lose_database_at(number: int) -> Iterator[list[bool]]:
    """Break the connection to the database just before the statement of this number; the list says if it was."""
    is_lost: list[bool] = []

    def lose() -> None:
        if not is_lost and connection.connection is not None:
            is_lost.append(True)
            connection.connection.close()

    with _before(number, lose):
        yield is_lost


def _die() -> None:
    raise PowerCut


@contextmanager
def _before(number: int, act: Callable[[], None]) -> Iterator[None]:
    count = 0

    def count_down(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        count += 1
        if count >= number:
            act()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count_down):
        yield
