"""What every page's frame shows: the person's towns, the town's navigation and where it is in its year."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from assessment.office import registries
from assessment.office.registries import PageScope, Track
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.selectors import list_towns


@dataclass(frozen=True)
class Crumb:
    """A breadcrumb; the last one has no address."""

    title: str
    url: str = ""


@dataclass(frozen=True)
class NavLink:
    """An entry of the town's navigation, ready for the template."""

    title: str
    url: str
    area: str


class Shell:
    """Read by the base template; each part is computed only when a page shows it."""

    def __init__(self, actor: Actor | None, town: Town | None) -> None:
        self._actor = actor
        self._scope = PageScope(actor=actor, town=town) if actor and town else None

    @cached_property
    def towns(self) -> list[Town]:
        return list_towns(self._actor.towns) if self._actor else []

    @cached_property
    def nav(self) -> list[NavLink]:
        if self._scope is None:
            return []
        slug = self._scope.town.slug
        return [
            NavLink(item.title, reverse(item.url_name, kwargs={"town": slug}), item.area)
            for item in registries.nav_items.for_scope(self._scope)
        ]

    @cached_property
    def status(self) -> str:
        """The step at which each open list stands, as one line."""
        if self._scope is None:
            return ""
        return " · ".join(
            f"{track.title}: {current.title}"
            for track in tracks_of(self._scope)
            if (current := next((step for step in track.steps if step.state == "current"), None))
        )


def tracks_of(scope: PageScope) -> list[Track]:
    """Return the years in progress in the town, in the order of their registry."""
    return [track for source in registries.year_tracks.for_scope(scope) for track in source.tracks(scope)]


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``shell`` and ``town``, also on pages that answer a failure."""
    actor, town = getattr(request, "actor", None), getattr(request, "town", None)
    return {"shell": Shell(actor, town), "town": town}
