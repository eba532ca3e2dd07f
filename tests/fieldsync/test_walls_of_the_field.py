"""Every address of the field API is asked, by a tablet of one town, for the things of another."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from assessment.property.models import Building
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from tests.canaries.routes import Route, list_routes
from tests.canaries.world import picture
from tests.cast import SYSTEM, TOWN_B, Cast
from tests.fieldsync.conftest import MakeTablet, build_houses, draw

PREFIX = "api/field/v1/"
NOT_THERE: dict[str, Any] = {"sha256": "f" * 64}
# Addresses that take no id in themselves; what their bodies may name is asked below.
WITHOUT_IDS = {
    "", "openapi.json", "docs", "conflicts", "devices/enrol", "devices/token", "devices/me", "devices/wiped", "sessions", "sessions/end", "mutations/status", "packages",
    "photos/lookup", "push", "reconcile", "statement-key", "uploads", "docs/",
}  # fmt: skip


def routes() -> list[Route]:
    return [route for route in list_routes() if route.address.startswith(PREFIX)]


@pytest.fixture
def theirs(make_tablet: MakeTablet, cast: Cast) -> dict[str, Any]:
    """A package, its blob, an upload, a photo and a change of town B."""
    houses = build_houses(TOWN_B, 2)
    tablet = make_tablet(person=cast.collector_b, town_code=TOWN_B)
    package = draw(houses, tablet.device_id, TOWN_B)
    tablet.download(str(package.id))
    tablet.take_photo(picture("BEE"), property_id=str(houses[0].property_id), role="front")
    pushed = tablet.push()
    with scope(SYSTEM, towns=[TOWN_B], reason="the office"):
        Building.objects.filter(id=houses[0].building_id).update(style="Ranch")
    tablet.patch_card(str(houses[0].property_id), {houses[0].path("style"): "Cape Cod"})
    clash = tablet.push()[0]["conflict_ids"][0]
    tablet.upload_photos()
    [photo] = tablet.store.photos("received")
    return {
        "package_id": package.id,
        "cursor": package.manifest["cursor"],
        "sha256": package.manifest["parts"][0]["sha256"],
        "upload_id": photo["url"].rstrip("/").rpartition("/")[2],
        "mutation_id": pushed[0]["mutation_id"],
        "photo_sha256": photo["sha256"],
        "conflict_id": clash,
    }


def ask(tablet: Tablet, route: Route, values: dict[str, Any], cursor: str) -> tuple[int, str]:
    """The status and the problem of an answer, without what only repeats the question."""
    path = route.fill(values).removeprefix(f"/{PREFIX}")
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "X-HTTP-Method-Override": "PATCH",
        "Content-Type": "application/offset+octet-stream",
    }
    options: dict[str, Any] = {"headers": headers, "content": b""} if "uploads" in path else {}
    if path.endswith("/answer"):
        options = {"json": {"choice": "withdraw", "reason": "it is not mine"}}
    if path.endswith("/changes"):
        options["params"] = {"cursor": cursor}
    try:
        answer = tablet.transport.send(route.method, path, **options)
    except ProblemAnswer as problem:
        document = {name: value for name, value in problem.document.items() if name != "request_id"}
        text = json.dumps(document, sort_keys=True)
        for value in values.values():
            text = text.replace(str(value), "…")
        return problem.status, text
    return answer.status_code, "taken"


def test_every_address_of_the_field_is_asked():
    unknown = {r.address for r in routes() if not r.parameters} - {PREFIX + each for each in WITHOUT_IDS}
    assert unknown == set(), "name it in WITHOUT_IDS, and ask for what its body may name"
    assert {n for r in routes() for n in r.parameters} == {"conflict_id", "package_id", "sha256", "upload_id"}


def test_another_towns_things_are_answered_like_nothing(tablet: Tablet, theirs: dict[str, Any]):
    wrong = {}
    for route in (r for r in routes() if r.parameters):
        nothing = {name: NOT_THERE.get(name, uuid4()) for name in route.parameters}
        answer = ask(tablet, route, {name: theirs[name] for name in route.parameters}, theirs["cursor"])
        if answer != ask(tablet, route, nothing, theirs["cursor"]) or answer[0] not in (404, 410):
            wrong[str(route)] = answer
    assert wrong == {}


def test_another_towns_changes_photos_and_packages_are_not_told_of(tablet: Tablet, theirs: dict[str, Any]):
    send = tablet.transport.send
    status = send("POST", "mutations/status", json={"ids": [theirs["mutation_id"]]}).json()
    assert (status["results"], status["unknown"]) == ([], [theirs["mutation_id"]])
    looked_up = send("POST", "photos/lookup", json={"sha256": [theirs["photo_sha256"]]}).text
    unknown = send("POST", "photos/lookup", json={"sha256": ["e" * 64]}).text
    assert looked_up.replace(theirs["photo_sha256"], "") == unknown.replace("e" * 64, "")
    assert tablet.list_packages() == []
    assert send("GET", "conflicts", params={"only_open": False}).json() == {"conflicts": []}
