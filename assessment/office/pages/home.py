"""Home: the towns one may see, where each is in its year, and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from assessment.jobs.selectors import list_jobs
from assessment.office import registries
from assessment.office.pages.base import town_page
from assessment.office.pages.jobs import view_of
from assessment.office.registries import PageScope, Track
from assessment.office.shell import tracks_of
from assessment.office.tags import words
from assessment.region.middleware import ScopedRequest
from assessment.region.models import Town
from assessment.region.selectors import list_towns

# With more towns than this, the regional home leaves the queues to the towns' own pages.
MOST_TOWNS_WITH_QUEUES = 6


@dataclass(frozen=True)
class WaitingQueue:
    """A queue and how much waits in it."""

    title: str
    count: int
    url: str
    note: str


@dataclass(frozen=True)
class TownOverview:
    """One town on the regional home."""

    town: Town
    roles: str
    tracks: list[Track]
    queues: list[WaitingQueue]


def home(request: HttpRequest) -> HttpResponse:
    """Show every town in which the person holds a role."""
    actor = cast(ScopedRequest, request).actor
    towns = list_towns(actor.towns)
    overviews = []
    for town in towns:
        scope = PageScope(actor=actor, town=town)
        queues = list_queues(scope) if len(towns) <= MOST_TOWNS_WITH_QUEUES else []
        overviews.append(TownOverview(town, describe_roles(scope), tracks_of(scope), queues))
    return render(request, "office/home.html", {"towns": overviews})


@town_page("view")
def town_home(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Show the town's year, the queues the person may work, and the latest jobs."""
    values = {
        "nav": "home",
        "roles": describe_roles(scope),
        "tracks": tracks_of(scope),
        "queues": list_queues(scope),
        "jobs": [view_of(job, scope) for job in list_jobs(towns=[scope.town.code], limit=5)],
    }
    return render(request, "office/town_home.html", values)


def list_queues(scope: PageScope) -> list[WaitingQueue]:
    """Return the queues the person may work in the town, with their counts."""
    found = []
    for queue in registries.queues.for_scope(scope):
        state = queue.state(scope)
        found.append(WaitingQueue(queue.title, state.count, state.url, state.note))
    return found


def describe_roles(scope: PageScope) -> str:
    """Return the person's roles in the town in words."""
    roles = sorted(role.value for role in scope.actor.roles.get(scope.town.code, frozenset()))
    return ", ".join(words(role) for role in roles)
