"""Which function does which kind of job; features register theirs in their `tasks.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from assessment.jobs.errors import UnknownKind
from assessment.region.actors import Actor
from assessment.region.rules import Permission


class Progress(Protocol):
    """Tells how far the work is.

    Call it often: it is cheap, and raises `JobCancelled` when somebody cancelled the job.
    """

    def __call__(self, done: int, total: int = 0, label: str = "") -> None: ...


@dataclass(frozen=True)
class RunningJob:
    """What a handler gets. It runs outside of any transaction and opens its own scopes for `town_code`.

    It may run a second time after a worker died, so what it does must be safe to repeat.
    """

    id: UUID
    town_code: int
    payload: dict[str, Any] = field(repr=False)
    actor: Actor
    progress: Progress


Handler = Callable[[RunningJob], dict[str, Any] | None]


@dataclass(frozen=True)
class Registration:
    """A handler, and what one must be allowed to do in order to start, cancel or retry it."""

    kind: str
    title: str
    permission: Permission
    run: Handler


_registrations: dict[str, Registration] = {}
_loaders: list[Callable[[], None]] = []


def job_handler(
    kind: str, *, title: str = "", permission: Permission = Permission.EDIT_RECORD
) -> Callable[[Handler], Handler]:
    """Register the decorated function for a kind of job.

    Parameters
    ----------
    kind
        Stable name, stored in the rows.
    title
        How the jobs page calls it.
    permission
        What starting, cancelling and retrying need.
    """

    def register(run: Handler) -> Handler:
        known = _registrations.get(kind)
        if known is not None and known.run.__qualname__ != run.__qualname__:
            raise RuntimeError(f"two handlers for the kind of job {kind!r}")
        _registrations[kind] = Registration(
            kind=kind, title=title or kind.replace("_", " ").capitalize(), permission=permission, run=run
        )
        return run

    return register


def load_with(loader: Callable[[], None]) -> None:
    """Name the function that imports every feature's `tasks.py`; called when a kind is not known yet."""
    _loaders[:] = [loader]


def get_registration(kind: str) -> Registration:
    """Return the registration; raise `UnknownKind`."""
    if kind not in _registrations:
        for loader in _loaders:
            loader()
    try:
        return _registrations[kind]
    except KeyError:
        raise UnknownKind(f"There is no kind of job called {kind!r}.", kind=kind) from None


def list_kinds() -> list[str]:
    """Every registered kind."""
    return sorted(_registrations)
