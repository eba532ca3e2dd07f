"""Every route of the product, read from Django's URL registry and django-ninja's operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import PathView

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\{(?:\w+:)?(\w+)\}")


@dataclass(frozen=True)
class Route:
    """One method of one address; `parameters` are the names in it."""

    method: str
    address: str

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(first or second for first, second in _PARAMETER.findall(self.address))

    def fill(self, values: dict[str, object]) -> str:
        return "/" + _PARAMETER.sub(lambda match: str(values[match[1] or match[2]]), self.address)

    def __str__(self) -> str:
        return f"{self.method} /{self.address}"


def _walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern).lstrip("^").replace("\\Z", "")
        if isinstance(entry, URLResolver):
            yield from _walk(entry, route)
        else:
            yield route, entry


def list_routes() -> list[Route]:
    """Return every route, pages as GET (and POST where their view takes it)."""
    routes = set()
    for address, pattern in _walk(get_resolver(), ""):
        path_view = next((c for c in _closure(pattern.callback) if isinstance(c, PathView)), None)
        if path_view is not None:
            methods = {method for operation in path_view.operations for method in operation.methods}
        else:
            methods = set(getattr(pattern.callback, "canary_methods", ()) or _methods_of(pattern))
        routes |= {Route(method, address) for method in methods}
    return sorted(routes, key=lambda route: (route.address, route.method))


def _closure(callback: object) -> list[object]:
    return [cell.cell_contents for cell in getattr(callback, "__closure__", None) or ()]


def _methods_of(pattern: URLPattern) -> list[str]:
    view_class = getattr(pattern.callback, "view_class", None)
    if view_class is not None:
        return [m for m in ("GET", "POST", "PUT", "PATCH", "DELETE") if hasattr(view_class, m.lower())]
    return ["GET", "POST"]
