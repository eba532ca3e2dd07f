"""A client that still writes version 1, against today's server, over HTTP."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from assessment.property.models import (
    Building,
    Feature,
    Inspection,
    LandLine,
    Observation,
    Photo,
    Property,
    Section,
)
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.client.overlay import fields_of
from fieldsync.packages.cards import render_cards
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, draw

BODIES = [json.loads(line) for line in Path("tests/golden/mutations/v1.ndjson").read_text().splitlines()]
SQUARE = [[0, 0], [30.5, 0], [30.5, 20], [0, 20]]


@pytest.fixture
def golden_town(tablet: Tablet) -> None:
    """The properties, buildings, sections, lines and features that the golden mutations name."""
    ids: dict[str, dict[str, set[str]]] = {}
    for body in BODIES:
        property_id = body["entity_id"] if body["kind"] == "card.patch" else body["data"].get("property_id")
        if property_id is None:
            continue
        rows = ids.setdefault(
            property_id, {"building": set(), "section": set(), "land_line": set(), "feature": set()}
        )
        for path, change in {
            **body.get("changes", {}),
            **body.get("data", {}).get("observations", {}),
        }.items():
            found = re.match(r"(\w+)/([^/]+)/", path)
            is_new_row = path.endswith("/*") and change["new"] is not None
            if found and not is_new_row:
                rows[found[1]].add(found[2])
    with scope(SYSTEM, towns=[TOWN_A], reason="the golden town"):
        for number, (property_id, rows) in enumerate(ids.items()):
            own: dict[str, Any] = {"town_id": TOWN_A, "property_id": UUID(property_id)}
            Property.objects.create(
                id=UUID(property_id), town_id=TOWN_A, account_number=str(number), address=f"{number} ELM ST"
            )
            (building,) = rows["building"]
            Building.objects.create(
                id=UUID(building), year_built=1950, living_area_sqft=1820, style="Colonial", **own
            )
            for key in rows["section"]:
                Section.objects.create(
                    id=UUID(key),
                    building_id=UUID(building),
                    label="BAS",
                    points_ft=SQUARE,
                    area_sqft="610",
                    perimeter_ft="101",
                    **own,
                )
            for key in rows["land_line"]:
                LandLine.objects.create(id=UUID(key), line_number=1, quantity="0.4600", **own)
            for key in rows["feature"]:
                Feature.objects.create(id=UUID(key), code="SHD", year_built=1990, **own)  # fmt: skip


def test_all_that_version_1_wrote_is_applied_and_kept_as_it_came(tablet: Tablet, golden_town: None) -> None:
    results = tablet.push_batch(BODIES)["results"]
    # The one that names its author was recorded by a person whom this server does not know.
    waiting = [r["code"] for r in results if r["status"] in ("quarantined", "rejected", "held")]
    assert waiting == ["person-unknown"]
    again = tablet.push_batch(BODIES)["results"]
    assert all(result["duplicate"] for result in again)
    with scope(SYSTEM, towns=[TOWN_A]):
        kept = {str(row.mutation_id): row for row in Mutation.objects.all()}
        assert {key: row.body for key, row in kept.items()} == {b["mutation_id"]: b for b in BODIES}
        assert {row.schema_version for row in kept.values()} == {1}
        areas = Observation.objects.filter(field="gross_area_sqft").values_list("value", "unit")
        assert set(areas) == {(1851, "")}, "172 square metres"
        visits = Inspection.objects.filter(note="measured and listed").count()
        assert Observation.objects.filter(field="bedrooms", inspection__isnull=False).count() == visits == 6
        assert Photo.objects.filter(latitude__isnull=False, accuracy_m=4.1).count() == 6


def test_a_batch_of_mixed_versions_is_taken_item_by_item(tablet: Tablet, golden_town: None) -> None:
    mine = tablet.record(
        {
            "kind": "card.patch",
            "entity_id": BODIES[0]["entity_id"],
            "changes": {"topography": {"base": "", "new": "swampy"}},
        }
    )
    mine["device_seq"] = 1000
    newer = {**mine, "mutation_id": str(UUID(int=7)), "device_seq": 1001, "schema_version": 99}
    results = tablet.push_batch([*BODIES[:5], mine, newer])["results"]
    assert results[5]["status"] == "applied"
    assert [result["code"] for result in results if "code" in result] == ["schema-too-new"]


def test_a_card_still_has_all_that_version_1_reads(tablet: Tablet, golden_town: None) -> None:
    """Records only grow: a reader of version 1 finds every name, of the type it had, and ignores others."""
    golden = json.loads(Path("tests/golden/card_v1.json").read_text())
    with scope(SYSTEM, towns=[TOWN_A]):
        cards = render_cards(Property.objects.values_list("id", flat=True)).values()
    card = next(card for card in cards if card["section"])
    assert missing(golden, card) == []
    assert {name.rsplit("/")[-1] for name in fields_of(golden)} <= {
        n.rsplit("/")[-1] for n in fields_of(card)
    }


def missing(old: Any, new: Any, where: str = "card") -> list[str]:
    """What an old document has that a new one lacks or has as another type."""
    if old is None or new is None:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            said
            for name, value in old.items()
            for said in (missing(value, new[name], f"{where}.{name}") if name in new else [f"{where}.{name}"])
        ]
    if isinstance(old, list) and isinstance(new, list):
        return missing(old[0], new[0], f"{where}[]") if old and new else []
    return [] if type(old) is type(new) else [f"{where} was {type(old).__name__}"]


def test_a_client_of_version_1_pulls_whole_cards_that_it_can_read(
    tablet: Tablet, houses: list[House]
) -> None:
    """It knows neither patches nor any member that came later, and its own rows have the server's checksum."""
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    cursor = tablet.store.packages()[str(package.id)]
    with scope(SYSTEM, towns=[TOWN_A], reason="the office"):
        Building.objects.filter(id=houses[0].building_id).update(style="Ranch")
    path = f"packages/{package.id}/changes"
    page = tablet.transport.send("GET", path, params={"cursor": cursor, "limit": 1000}).json()
    (change,) = page["changes"]
    assert (change["op"], change["kind"], change["id"]) == ("put", "card", str(houses[0].property_id))
    assert fields_of(change["data"])[houses[0].path("style")] == "Ranch"
    tablet.store.apply_changes(str(package.id), page["changes"], page["next_cursor"])
    assert tablet.store.checksum(str(package.id)) == (6, page["checksum"]["value"])
