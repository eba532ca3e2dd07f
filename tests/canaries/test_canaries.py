"""Every route is asked for another town's things, and answers as for things that do not exist.

A route that names something for which `world.py` makes no canary fails the suite.
"""

from __future__ import annotations

import json
import re
from functools import cache
from uuid import uuid4

import pytest
from django.test import Client

from tests.canaries import field_world  # noqa: F401  registers its makers
from tests.canaries.routes import Route, list_routes
from tests.canaries.world import World, make_world
from tests.cast import Cast

# Addresses that belong to nobody's town, each with its reason.
PUBLIC: dict[str, str] = {
    "sign-in": "the form for signing in",
    "sign-out": "ends the own session",
    "healthz": "says whether the server works; no data",
    "ca.crt": "the public certificate that tablets are told to trust",
    "metrics": "counts; answered to the machines named in the settings only",
    "api/v1": "no page; the description is at docs",
    "api/field/v1": "no page; the description is at docs",
    "api/v1/openapi.json": "the description of the API",
    "api/v1/docs": "the description of the API",
    "api/field/v1/openapi.json": "the description of the API",
    "api/field/v1/docs": "the description of the API",
    "ogc": "the landing page: links only",
    "ogc/openapi.json": "the description of the API",
    "ogc/docs": "the description of the API",
}
# Values of parameters that name no thing of a town.
PLAIN: dict[str, object] = {"year": 2025, "day": "2025-10-01", "size": "web", "page": 1}
NOT_THERE: dict[str, object] = {"sha256": "f" * 64, "town": "no-such-town"}


@cache
def routes() -> tuple[Route, ...]:
    return tuple(list_routes())


def is_public(route: Route) -> bool:
    return route.address.rstrip("/") in PUBLIC or route.address.startswith(("static/", "problems/"))


def is_field(route: Route) -> bool:
    return route.address.startswith("api/field/")


OFFICE = [route for route in routes() if not is_public(route) and not is_field(route)]


@pytest.fixture
def worlds(cast: Cast) -> tuple[World, World]:
    return (
        make_world(cast.town_a, cast.assessor_a, "AARDVARK", cast.actor(cast.assessor_a)),
        make_world(cast.town_b, cast.assessor_b, "BUMBLEBEE", cast.actor(cast.assessor_b)),
    )


def client_of(world: World) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(world.person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def ask(client: Client, route: Route, values: dict[str, object], query: str = "") -> object:
    """Ask, and read the whole answer into its ``words``."""
    address = route.fill({**PLAIN, **values}) + query
    if route.method == "GET":
        response = client.get(address)
    else:
        response = client.generic(route.method, address, data="{}", content_type="application/json")
    content = b"".join(response.streaming_content) if response.streaming else response.content
    response.words = content.decode("utf-8", "replace")
    return response


def comparable(response: object, values: dict[str, object]) -> tuple[int, str]:
    """The answer without what only repeats the question."""
    text = response.words
    for value in sorted((str(v) for v in values.values()), key=len, reverse=True):
        text = text.replace(value, "…")
    text = re.sub(r'"request_id": "[^"]*"|csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"', "", text)
    return response.status_code, text


def absent(route: Route) -> dict[str, object]:
    """Values that name nothing, of the same form as the world's."""
    return {
        name: NOT_THERE.get(name, PLAIN.get(name, uuid4())) for name in route.parameters if name != "town"
    }


def gets(*, of_town: bool = False) -> list[Route]:
    return [r for r in OFFICE if r.method == "GET" and ("town" in r.parameters or not of_town)]


def test_every_name_in_an_address_has_a_canary(worlds):
    _, b = worlds
    unknown = {str(r): [n for n in r.parameters if n not in b.ids and n not in PLAIN] for r in OFFICE}
    assert {r: names for r, names in unknown.items() if names} == {}, (
        "make one of it in tests/canaries/world.py"
    )
    assert len(OFFICE) > 5


def test_the_own_town_gets_its_things(worlds):
    _, b = worlds
    client = client_of(b)
    answers = {str(route): ask(client, route, b.ids) for route in gets()}
    bad = {r: a.words[:300] for r, a in answers.items() if a.status_code not in (200, 206, 302, 303, 304)}
    assert bad == {}


def test_another_town_is_answered_like_no_town(worlds):
    a, b = worlds
    client = client_of(a)
    nowhere = {**b.ids, "town": "no-such-town"}
    wrong = {}
    for route in OFFICE:
        if "town" in route.parameters:
            theirs = comparable(ask(client, route, b.ids), b.ids)
            nothing = comparable(ask(client, route, nowhere), nowhere)
            if theirs[0] != 404 or theirs != nothing:
                wrong[str(route)] = (theirs[0], nothing[0])
    assert wrong == {}


def test_another_towns_thing_is_answered_like_nothing(worlds):
    a, b = worlds
    client = client_of(a)
    wrong = {}
    for route in OFFICE:
        if not {*route.parameters} - {"town"} - {*PLAIN}:
            continue
        here = {"town": a.town.slug} if "town" in route.parameters else {}
        theirs, nothing = {**b.ids, **here}, {**absent(route), **here}
        answer = comparable(ask(client, route, theirs), theirs)
        if answer != comparable(ask(client, route, nothing), nothing) or answer[0] < 400:
            wrong[str(route)] = answer[0]
    assert wrong == {}


def test_no_page_of_one_town_shows_the_other(worlds):
    a, b = worlds
    client = client_of(a)
    leaks = []
    for route in gets():
        for query in ("", "?q=BUMBLE", "?search=1&limit=100"):
            text = ask(client, route, a.ids, query).words
            if b.marker in text or str(b.ids["property_id"]) in text:
                leaks.append(str(route) + query)
    assert leaks == []


def test_nobody_is_sent_to_sign_in(worlds):
    _, b = worlds
    wrong = {}
    for route in OFFICE:
        response = ask(Client(raise_request_exception=False), route, b.ids)
        text = response.words
        if response.status_code not in (302, 401, 403, 404) or b.marker in text:
            wrong[str(route)] = (response.status_code, text[:200])
        if response.status_code == 401:
            assert json.loads(text)["code"] == "sign-in-needed"
    assert wrong == {}


def test_somebody_without_a_role_sees_no_town(worlds, cast: Cast):
    _, b = worlds
    client = Client(raise_request_exception=False)
    client.force_login(cast.nobody, backend="django.contrib.auth.backends.ModelBackend")
    leaks = {}
    for route in gets():
        response = ask(client, route, b.ids)
        if b.marker in response.words or ("town" in route.parameters and response.status_code != 404):
            leaks[str(route)] = response.status_code
    assert leaks == {}
