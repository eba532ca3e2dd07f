"""The towns that a transaction acts for; what the walls (row-level security) and the journal read.

Everything is set for the current transaction only (``set_config(..., true)``), so a pooled connection
carries nothing over, and with nothing stated nothing is seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from django.db import connections, transaction

from assessment.region.actors import Actor


@dataclass(frozen=True)
class Scope:
    """What the current transaction may see and write, and on whose behalf."""

    actor: Actor
    towns: tuple[int, ...]
    read_only: tuple[int, ...] = ()
    reason: str = ""
    effective_on: dt.date | None = None
    request_id: str = ""


_current: ContextVar[Scope | None] = ContextVar("grandlist_scope", default=None)
_EMPTY = ("", "", "", "", "", "", "", "")
_NAMES = ("read_towns", "write_towns", "actor", "actor_name", "device", "reason", "effective_on", "request")
_SET_SQL = "SELECT " + ", ".join(f"set_config('grandlist.{name}', %s, true)" for name in _NAMES)


def current_scope() -> Scope | None:
    """Return the scope of the running transaction, or None."""
    return _current.get()


def _values(scope: Scope | None) -> tuple[str, ...]:
    if scope is None:
        return _EMPTY
    actor = scope.actor
    return (
        ",".join(str(code) for code in sorted({*scope.towns, *scope.read_only})),
        ",".join(str(code) for code in sorted(scope.towns)),
        str(actor.person_id or ""),
        actor.name,
        str(actor.device_id or ""),
        scope.reason,
        scope.effective_on.isoformat() if scope.effective_on else "",
        scope.request_id,
    )


def _apply(scope: Scope | None, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(_SET_SQL, _values(scope))


@contextmanager
def scope(
    actor: Actor,
    *,
    towns: Iterable[int] = (),
    read_only: Iterable[int] = (),
    reason: str | None = None,
    effective_on: dt.date | None = None,
    request_id: str | None = None,
    using: str = "default",
) -> Iterator[Scope]:
    """Open a transaction (or a savepoint) that acts for ``towns`` on behalf of ``actor``.

    Parameters
    ----------
    towns
        Codes of the towns that may be read and written.
    read_only
        Codes of further towns that may be read: a stated grant for regional work.
    reason
        Why; the journal keeps it. Inherited from the outer scope when None.
    effective_on
        The calendar day on which what is recorded is true, where it is not today.

    Notes
    -----
    Scopes nest; the outer one is in force again on leaving. After a rollback PostgreSQL itself puts
    the outer values back.
    """
    outer = _current.get()
    inner = Scope(
        actor=actor,
        towns=tuple(sorted(set(towns))),
        read_only=tuple(sorted(set(read_only))),
        reason=reason if reason is not None else (outer.reason if outer else ""),
        effective_on=effective_on if effective_on else (outer.effective_on if outer else None),
        request_id=request_id if request_id is not None else (outer.request_id if outer else ""),
    )
    is_outermost = not transaction.get_connection(using).in_atomic_block
    with transaction.atomic(using=using):
        token = _current.set(inner)
        try:
            _apply(inner, using)
            yield inner
            # At the end of the transaction itself the settings end with it.
            if not is_outermost and not transaction.get_connection(using).needs_rollback:
                _apply(outer, using)
        finally:
            _current.reset(token)


@contextmanager
def because(reason: str, *, effective_on: dt.date | None = None, using: str = "default") -> Iterator[Scope]:
    """State a reason (and a day) for the writes inside; the towns and the actor stay as they are."""
    outer = _current.get()
    if outer is None:
        raise RuntimeError("`because` needs an open scope: nobody acts here")
    with scope(
        outer.actor,
        towns=outer.towns,
        read_only=outer.read_only,
        reason=reason,
        effective_on=effective_on,
        using=using,
    ) as inner:
        yield inner


@contextmanager
def speaking(
    *,
    actor: Actor | None = None,
    reason: str = "",
    effective_on: dt.date | None = None,
    using: str = "default",
) -> Iterator[Scope]:
    """State who acts, why and for which day, inside a scope and without a savepoint of its own.

    For services whose failure undoes the whole transaction: a savepoint and two statements more for each
    reason were a tenth of a small push. After an exception the settings are not put back, so whoever
    catches one has to have a savepoint around it.
    """
    outer = _current.get()
    if outer is None:
        raise RuntimeError("nobody acts here: open a scope first")
    inner = replace(
        outer,
        actor=actor or outer.actor,
        reason=reason or outer.reason,
        effective_on=effective_on or outer.effective_on,
    )
    token = _current.set(inner)
    try:
        if inner != outer:
            _apply(inner, using)
        yield inner
        if inner != outer:
            _apply(outer, using)
    finally:
        _current.reset(token)
