"""What the pages have in common: the town of the address, the permission, crumbs, and paging by number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.urls import reverse

from assessment.office.registries import PageScope
from assessment.office.shell import Crumb
from assessment.region.middleware import ScopedRequest

# Django gives a view its address's parts by name, whatever they are.
View = Callable[..., HttpResponseBase]


def town_page(permission: str, *, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """Make a view of a function that takes the page's scope in place of the town's slug.

    `TownScopeMiddleware` has answered already for a town in which the person holds no role; here the
    person lacks at most the permission, which is told as such.
    """

    def decorate(function: View) -> View:
        @wraps(function)
        def view(request: HttpRequest, town: str, **parts: Any) -> HttpResponseBase:
            if request.method not in (*methods, "HEAD", "OPTIONS"):
                return HttpResponseNotAllowed(methods)
            scope = page_scope(request)
            scope.require(permission)
            return function(request, scope, **parts)

        # The routes' register reads which methods to try on the walls between towns.
        view.canary_methods = methods  # type: ignore[attr-defined]

        return view

    return decorate


def page_scope(request: HttpRequest) -> PageScope:
    """Return the scope of a page below ``/t/<town>/``; as of the day in ``?as_of=``, if there is a good one."""
    scoped = cast(ScopedRequest, request)
    if scoped.town is None:
        raise Http404
    return PageScope(actor=scoped.actor, town=scoped.town, as_of=read_day(request.GET.get("as_of")))


def read_day(text: str | None) -> dt.date | None:
    """Return the day written as ``2025-10-01``, or None."""
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return None


def crumbs(scope: PageScope, *trail: tuple[str, str] | str) -> list[Crumb]:
    """Return the breadcrumbs from the town down; each of ``trail`` is a title, or title and address."""
    first = Crumb(scope.town.name, reverse("town-home", kwargs={"town": scope.town.slug}))
    return [first, *(Crumb(each) if isinstance(each, str) else Crumb(*each) for each in trail)]


def read_page_number(request: HttpRequest) -> int:
    """Return ``?page=``, from 1; anything else is 1."""
    text = request.GET.get("page", "1")
    return max(int(text), 1) if text.isdecimal() and len(text) < 6 else 1


@dataclass(frozen=True)
class RowPage:
    """One page of a list: rows, where it is, and how many there are in all (None: not counted)."""

    rows: Sequence[Any]
    number: int
    has_next: bool
    count: int | None = None
    size: int = 50

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_other_pages(self) -> bool:
        return self.has_previous or self.has_next

    @property
    def previous_page_number(self) -> int:
        return self.number - 1

    @property
    def next_page_number(self) -> int:
        return self.number + 1

    @property
    def pages(self) -> int | None:
        return None if self.count is None else max(1, -(-self.count // self.size))
