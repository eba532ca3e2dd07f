"""The field of the cycle: two tablets, a broken connection, photos, and a disagreement."""

from __future__ import annotations

import io
import random
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.utils.module_loading import import_string
from PIL import Image, ImageDraw

from assessment.demo.cycle.office import Office
from assessment.demo.cycle.report import Report
from assessment.demo.cycle.stage import CycleFailed, Stage

VISITS = 40
SEED = 20231001


def go_to_the_field(
    stage: Stage, report: Report, office: Office, collector: str, *, town: str, year: int
) -> None:
    """Enrol two tablets, draw a package for them, inspect, push, accept."""
    tablet_class = import_string(settings.TABLET_CLIENT)
    street = _longest_street(office, town)
    with report.step("Tablets enrolled by one-time codes") as step:
        tablets = []
        people = {person["email"]: person for person in office.get(f"/towns/{town}/people")}
        for number in (1, 2):
            wanted = {"label": f"Tablet {number}", "person_id": people[collector]["id"]}
            code = office.post(f"/towns/{town}/field/enrolment-codes", wanted)["code"]
            tablet = tablet_class(stage.out / f"tablet-{number}", stage.url)
            tablet.enrol(code, name=f"Tablet {number}")
            tablets.append(tablet)
        step.note(tablets=len(tablets), carried_by=people[collector]["name"])
    with report.step("Work packages drawn, built by the worker and downloaded") as step:
        packages = []
        for tablet in tablets:
            drawn = office.post(
                f"/towns/{town}/field/packages",
                {
                    "title": f"{street} ({year})",
                    "list_year": year,
                    "selection": {"street": street, "limit": VISITS},
                    "device_id": tablet.device_id,
                },
            )
            office.wait_for_job(town, drawn["job_id"])
            tablet.download(drawn["id"])
            packages.append(drawn["id"])
        cards = tablets[0].cards(packages[0])
        step.note(street=street, properties=len(cards))
    with report.step("Inspections recorded offline and pushed") as step:
        visited = list(cards)[:VISITS]
        for number, property_id in enumerate(visited):
            _inspect(tablets[0], property_id, cards[property_id], year=year, number=number)
        sent = tablets[0].store.unfinished(limit=1000)
        results = tablets[0].push()
        step.note(mutations=len(sent), **_counted(results))
    with report.step("The same push sent again, as after a lost answer") as step:
        before = len(_pending(office, town))
        answer = tablets[0].push_batch(sent[:200])
        duplicates = sum(1 for result in answer["results"] if result.get("duplicate"))
        after = len(_pending(office, town))
        if not before or after != before or duplicates != len(sent[:200]):
            raise CycleFailed("a push sent twice had a second effect")
        step.note(sent_again=len(sent[:200]), known_already=duplicates, new_observations=after - before)
    with report.step("Photos uploaded and verified by SHA-256") as step:
        step.note(photos=tablets[0].upload_photos())
    with report.step("Observations accepted by the office") as step:
        step.note(accepted=_accept(office, town), still_waiting=len(_pending(office, town)))
    with report.step("A second tablet, which has not pulled, disagrees: both values are kept") as step:
        tablets[0].patch_card(visited[0], {"topography": "level"})
        first = tablets[0].push()
        _accept(office, town)
        tablets[1].patch_card(visited[0], {"topography": "rolling"})
        second = tablets[1].push()
        conflicts = office.get(f"/towns/{town}/field/conflicts")
        if not conflicts:
            raise CycleFailed("the second tablet's value was not kept as a conflict")
        values = f"{conflicts[0]['office_value']} and {conflicts[0]['field_value']}"
        step.note(first=_words(first), second=_words(second), conflicts=len(conflicts), kept=values)
    with report.step("The office decides the conflict, with a reason") as step:
        answer = {"choice": "office", "reason": "the contours of the map say so"}
        decided = office.post(f"/towns/{town}/field/conflicts/{conflicts[0]['id']}/answer", answer)
        step.note(state=decided["state"], open_conflicts=len(office.get(f"/towns/{town}/field/conflicts")))
    with report.step("Both tablets pull and agree with the server") as step:
        pulled = [tablet.pull(package) for tablet, package in zip(tablets, packages, strict=True)]
        statements = [tablet.reconcile() for tablet in tablets]
        step.note(
            changes_pulled=sum(pulled),
            missing_on_the_server=sum(
                len(s["missing_mutations"]) + len(s["missing_photos"]) for s in statements
            ),
        )
    for tablet in tablets:
        tablet.close()


def _longest_street(office: Office, town: str) -> str:
    """Return the street with the most properties among the town's first accounts."""
    streets: list[str] = []
    after = ""
    for _ in range(5):
        page = office.get(f"/towns/{town}/properties/", after=after, limit=200)
        streets += [row["address"].partition(" ")[2] for row in page if row["address"][:1].isdigit()]
        after = page[-1]["account_number"] if page else after
    if not streets:
        raise CycleFailed(f"{town} has no properties to inspect")
    return max(sorted(set(streets)), key=streets.count)


def _inspect(tablet: Any, property_id: str, card: dict[str, Any], *, year: int, number: int) -> None:
    """Photograph a house and note what a data collector would: the card knows its year at most."""
    draw = random.Random(SEED + number)  # noqa: S311  a repeatable demonstration
    seen = {
        "style": draw.choice(["Colonial", "Cape Cod", "Ranch"]),
        "grade": "Average",
        "condition": draw.choice(["Average", "Good"]),
        "living_area_sqft": draw.randrange(900, 3200, 10),
        "bedrooms": draw.choice([2, 3, 4]),
        "full_baths": draw.choice([1, 2]),
        "is_synthetic": True,
    }
    if card["building"]:
        building = card["building"][0]
        observations = {
            f"building/{building['id']}/{name}": {"base": building.get(name), "new": value}
            for name, value in seen.items()
            if name in building
        }
    else:
        observations = {f"building/{uuid4()}/*": {"base": None, "new": {"building_number": 1, **seen}}}
    photo_id = tablet.take_photo(_photo(number), property_id=property_id, role="front")
    tablet.create_inspection(
        property_id,
        entry_code="00",
        interior_source="inspected",
        list_year=year,
        note="measured and listed",
        photos=[photo_id],
        observations=observations,
    )


def _photo(number: int) -> bytes:
    draw = random.Random(SEED - number)  # noqa: S311
    image = Image.effect_noise((800, 600), draw.randrange(20, 90)).convert("RGB")
    ImageDraw.Draw(image).rectangle((200, 250, 600, 550), fill=(draw.randrange(256), 120, 90))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def _pending(office: Office, town: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = office.get(f"/towns/{town}/properties/observations", limit=200)
    return rows


def _accept(office: Office, town: str) -> int:
    """Accept all that waits, page by page; returns how many observations are on record now."""
    accepted = 0
    while waiting := _pending(office, town):
        decided = office.post(
            f"/towns/{town}/properties/observations/accept",
            {"observation_ids": [row["id"] for row in waiting], "reason": "reviewed against the photos"},
        )
        accepted += len(decided["accepted"])
        if not decided["accepted"]:
            break
    return accepted


def _counted(results: list[dict[str, Any]]) -> dict[str, object]:
    statuses = [result["status"] for result in results]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def _words(results: list[dict[str, Any]]) -> str:
    return " ".join(result["status"] for result in results)
