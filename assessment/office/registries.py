"""What the office shows is registered here by the apps that own it.

The shell (layout, home, record card, search) knows no feature above it. An app registers its
panels, queues, navigation and search in ``AppConfig.ready()``::

    from assessment.office import registries as office

    office.panels.register(
        office.Panel(
            id="gis.map",
            title="Map",
            order=60,
            permission="view",
            template="gis/panel_map.html",
            context=pages.map_panel,
        )
    )

Registering the same id twice raises, so a typing slip is seen at start. Every callable is called
inside the request's database scope: it sees the towns the person may see and no others. A callable
returns plain values (dicts, dataclasses, rows), and reads through selectors only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from uuid import UUID

from assessment.region.actors import Actor
from assessment.region.rules import Permission

if TYPE_CHECKING:
    # The registries are imported by AppConfig modules, before the models can be.
    from assessment.region.models import Town


@dataclass(frozen=True)
class PageScope:
    """For whom, in which town and as of when a page is shown.

    Attributes
    ----------
    actor
        The signed-in person.
    town
        The town in the address of the page.
    as_of
        The 1 October or other day the record is shown as of; None shows it as it is now.
    memo
        What panels of the same page share, such as the card's rows; gone with the request.
    """

    actor: Actor
    town: Town
    as_of: dt.date | None = None
    memo: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def may(self, permission: str) -> bool:
        """Whether the person holds ``permission`` in this town; the empty permission is everybody's."""
        return not permission or self.actor.may(Permission(permission), self.town.code)

    def require(self, permission: str) -> None:
        """Raise `assessment.region.errors.Forbidden` unless the person holds ``permission`` in this town."""
        self.actor.require(Permission(permission), self.town.code)


class Registered(Protocol):
    """What every entry of a registry has."""

    @property
    def id(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def permission(self) -> str: ...


Entry = TypeVar("Entry", bound=Registered)


class DuplicateEntryError(Exception):
    """Two entries of one registry have the same id."""


class Registry(Generic[Entry]):
    """Entries by id, given out in their order (then by id, so the order of apps does not matter)."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def register(self, entry: Entry) -> Entry:
        """Add ``entry``.

        Raises
        ------
        DuplicateEntryError
            The id is taken by another entry.
        ValueError
            There is no such permission.
        """
        if entry.permission:
            Permission(entry.permission)
        if self._entries.get(entry.id, entry) != entry:
            raise DuplicateEntryError(entry.id)
        self._entries[entry.id] = entry
        return entry

    def unregister(self, entry_id: str) -> None:
        """Take the entry out again; for tests."""
        self._entries.pop(entry_id, None)

    def get(self, entry_id: str) -> Entry | None:
        return self._entries.get(entry_id)

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self._entries.values(), key=lambda entry: (entry.order, entry.id)))

    def __len__(self) -> int:
        return len(self._entries)

    def for_scope(self, scope: PageScope) -> list[Entry]:
        """The entries the person may see in the town, in order."""
        return [entry for entry in self if scope.may(entry.permission)]


@dataclass(frozen=True)
class Panel:
    """A section of the record card.

    Attributes
    ----------
    context
        ``(property_id, scope) -> values for the template``; None leaves the panel out for this property.
    template
        Included by the card; gets the values and ``page_scope``, ``town`` and ``panel``.
    order
        Place on the card; the office's own: 10 values, 20 land, 30 buildings, 40 features, 50 photos,
        60 map, 70 sales, 75 estimates, 80 owners, 90 permits, 100 inspections, 110 history.
    wide
        Whether the panel takes the whole width.
    printed
        Whether it is on the printed card.
    """

    id: str
    title: str
    order: int
    permission: str
    template: str
    context: Callable[[UUID, PageScope], Mapping[str, Any] | None]
    wide: bool = True
    printed: bool = True


@dataclass(frozen=True)
class QueueState:
    """How much waits in a queue. ``note`` is one short line, such as "oldest 12 days"."""

    count: int
    url: str
    note: str = ""


@dataclass(frozen=True)
class Queue:
    """Work that waits for somebody, shown on the town's home. ``state`` must be one cheap query."""

    id: str
    title: str
    order: int
    permission: str
    state: Callable[[PageScope], QueueState]


@dataclass(frozen=True)
class NavItem:
    """A link in the town's navigation. ``url_name`` takes the town's slug as ``town``.

    ``area`` marks the item as current on pages whose ``nav`` context is the same word.
    """

    id: str
    title: str
    order: int
    permission: str
    url_name: str
    area: str = ""


@dataclass(frozen=True)
class SearchHit:
    """One line of the search: ``title`` (address), ``detail`` (owner, map-block-lot), ``kind`` (badge)."""

    url: str
    title: str
    detail: str = ""
    kind: str = ""
    badges: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class SearchProvider:
    """Answers the search box.

    ``find(text, scope, limit)`` must come back in well under 50 ms: it is called at every key.
    """

    id: str
    title: str
    order: int
    permission: str
    find: Callable[[str, PageScope, int], list[SearchHit]]


@dataclass(frozen=True)
class Step:
    """A step of a town's year. ``state`` is one of ``done``, ``current``, ``waiting``."""

    title: str
    state: str
    note: str = ""
    url: str = ""


@dataclass(frozen=True)
class Track:
    """The year of one list, such as "Grand list 2025", as steps in their order."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class YearTrack:
    """Says where a town is in its year: ``tracks(scope)`` gives one `Track` for each list in work."""

    id: str
    order: int
    permission: str
    tracks: Callable[[PageScope], list[Track]]


panels: Registry[Panel] = Registry()
queues: Registry[Queue] = Registry()
nav_items: Registry[NavItem] = Registry()
search_providers: Registry[SearchProvider] = Registry()
year_tracks: Registry[YearTrack] = Registry()
