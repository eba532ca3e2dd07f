"""A field review: proposed values go out with the package, answers come back."""

from __future__ import annotations

import gzip
import json
from typing import Any
from uuid import UUID

import pytest

from assessment.property.blobs import open_blob
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.roll import proposals
from assessment.roll.models import Assessment, AssessmentLine
from assessment.roll.proposals import Proposal
from assessment.roll.services.opening import open_grand_list
from fieldsync.client import Tablet
from fieldsync.packages.models import Package
from fieldsync.packages.rules import Selection
from fieldsync.packages.services import build_package, draw_package
from fieldsync.review.models import ReviewAnswer
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House
from tests.fieldsync.office.test_pages import FIELD, sign_in, text


@pytest.fixture
def listed(houses: list[House]) -> None:
    """Two lists: 200,000 dollars each in 2025, of which the last has two lines; 250,000 in 2026 for the first."""
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        town = Town.objects.get(code=TOWN_A)
        for year, amounts in ((2025, [[200_000]] * 5 + [[150_000, 50_000]]), (2026, [[250_000]])):
            grand_list = open_grand_list(town, actor=SYSTEM, year=year, basis="revaluation").grand_list
            Assessment.objects.filter(grand_list=grand_list).delete()
            for house, lines in zip(houses, amounts, strict=False):
                held = Assessment.objects.create(
                    town_id=TOWN_A, grand_list=grand_list, property_id=house.property_id, account="x"
                )
                for number, amount in enumerate(lines, start=1):
                    AssessmentLine.objects.create(
                        town_id=TOWN_A, assessment=held, line_number=number, detail_code="11", appraised=amount,
                        assessed=amount * 7 // 10,
                    )  # fmt: skip


def take(tablet: Tablet) -> tuple[Package, dict[str, dict[str, Any]]]:
    with scope(SYSTEM, towns=[TOWN_A], reason="review"):
        package = draw_package(
            TOWN_A, actor=SYSTEM, title="Review", selection=Selection(neighbourhood="12"), list_year=2026,
            kind="review", device_id=UUID(tablet.device_id),
        )  # fmt: skip
    package = build_package(package.id, town_code=TOWN_A, actor=SYSTEM)
    assert package.manifest is not None
    [part] = [part for part in package.manifest["parts"] if part["kind"] == "proposals"]
    with scope(SYSTEM, towns=[TOWN_A]), open_blob(part["sha256"]) as file:
        lines = [json.loads(line) for line in gzip.decompress(file.read()).splitlines()]
    return package, {line["property_id"]: line for line in lines}


def answer(tablet: Tablet, house: House, package: Package, **data: Any) -> dict[str, Any]:
    tablet.record(
        {
            "kind": "review.answer",
            "entity_id": str(new_id()),
            "package_id": str(package.id),
            "data": {"property_id": str(house.property_id), **data},
        }
    )
    return tablet.push()[-1]


@pytest.mark.usefixtures("listed")
def test_the_lists_values_go_out_with_those_of_the_year_before(tablet: Tablet, houses: list[House]) -> None:
    _, lines = take(tablet)
    assert list(lines) == [str(houses[0].property_id)]
    [line] = lines.values()
    assert (line["value"], line["value_before"], line["source"]) == (250_000, 200_000, "the list")


@pytest.mark.usefixtures("listed")
def test_who_values_property_proposes_what_is_not_on_the_list_yet(
    tablet: Tablet, houses: list[House], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "_proposers", {})

    def propose(town_code: int, property_ids: Any, list_year: int) -> dict[Any, Proposal]:
        assert (town_code, list_year) == (TOWN_A, 2026)
        return {key: Proposal(300_000, "test", "large change") for key in property_ids}

    proposals.register_proposer("test", propose)
    _, lines = take(tablet)
    assert len(lines) == 6
    last = lines[str(houses[5].property_id)]
    assert (last["value"], last["value_before"], last["note"]) == (300_000, 200_000, "large change")


def test_answers_are_kept_once_and_shown(tablet: Tablet, houses: list[House], cast: Cast) -> None:
    package, lines = take(tablet)
    assert lines == {}
    assert answer(tablet, houses[0], package, decision="agree", proposed_value=250_000)["status"] == "applied"
    said = {
        "decision": "change",
        "value": 180_000,
        "proposed_value": 250_000,
        "reason": "half the roof is gone",
    }
    assert answer(tablet, houses[1], package, **said)["status"] == "applied"
    with scope(SYSTEM, towns=[TOWN_A]):
        kept = list(ReviewAnswer.objects.order_by("received_at", "id"))
    assert [(a.decision, a.value, a.package_id) for a in kept] == [
        ("agree", None, package.id),
        ("change", 180_000, package.id),
    ]
    assert {a.answered_by_id for a in kept} == {cast.collector_a.id}
    office = sign_in(cast.assessor_a)
    page = text(office, f"{FIELD}/packages/{package.id}/")
    for words in ("half the roof is gone", "Another value", "Cora Collector"):
        assert words in page
    answers = office.get(f"/api/v1/towns/hamden/field/review-answers?package_id={package.id}").json()
    assert [each["value"] for each in answers] == [180_000, None]


@pytest.mark.parametrize(
    "data", [{"decision": "change", "value": 1}, {"decision": "change", "reason": "x"}, {"decision": "maybe"}]
)
def test_an_answer_that_makes_no_sense_waits_in_quarantine(
    tablet: Tablet, houses: list[House], data: dict[str, Any]
) -> None:
    package, _ = take(tablet)
    result = answer(tablet, houses[0], package, **data)
    assert (result["status"], result["code"]) == ("quarantined", "invalid")
