"""Changes that build on each other: on values that wait, on rows that were found, on what has not come."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from assessment.property.models import Building, Feature, JournalEntry, Observation, Section
from assessment.property.services import (
    CardPatch,
    PatchResult,
    accept_observations,
    add_row,
    apply_card_patches,
    reject_observations,
    remove_row,
    update_row,
)
from assessment.region.ids import new_id
from tests.cast import SYSTEM
from tests.property.conftest import House, fresh_building, fresh_property
from tests.property.services.test_patches import SEEN_ON, allow, patch

SHED = {"code": "SHED", "quantity": 120, "unit": "sqft"}
SQUARE = [[0, 0], [30, 0], [30, 20], [0, 20]]


def send(house: House, *patches: tuple[str, UUID, dict[str, Any]], **more: Any) -> list[PatchResult]:
    """Several rows in one change."""
    change = new_id()
    return apply_card_patches(
        [
            CardPatch(house.property_id, kind, row_id, changes, SEEN_ON, 2026, patch_id=change, **more)
            for kind, row_id, changes in patches
        ],
        actor=house.collector,
    )


def found(values: dict[str, Any]) -> dict[str, Any]:
    return {"*": {"new": values}}


def test_a_second_step_on_a_value_that_waits_is_no_clash(house: House) -> None:
    patch(house, style=("Colonial", "Ranch"))
    second = patch(house, style=("Ranch", "Cape Cod"))
    assert (second.status, second.fields) == ("applied", {"style": "pending"})
    accept_observations(second.observation_ids, actor=house.assessor, reason="seen")
    assert fresh_building(house).style == "Cape Cod"
    states = Observation.objects.order_by("created_at", "id").values_list("state", flat=True)
    assert list(states) == ["superseded", "accepted"]


def test_a_chain_over_a_value_that_the_office_changed_is_a_clash(house: House) -> None:
    patch(house, style=("Colonial", "Ranch"))
    update_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="permit", style="Victorian",
    )  # fmt: skip
    second = patch(house, style=("Ranch", "Cape Cod"))
    assert second.status == "conflict"
    assert (second.conflicts[0].new, second.conflicts[0].server) == ("Cape Cod", "Victorian")


def test_going_back_to_what_the_record_says_takes_the_first_step_back(house: House) -> None:
    first = patch(house, style=("Colonial", "Ranch"))
    assert patch(house, style=("Ranch", "Colonial")).status == "noop"
    went_back = Observation.objects.get(id=first.observation_ids[0])
    assert (went_back.state, went_back.decision_reason) == ("superseded", "the observer went back on it")


def test_a_change_of_a_row_that_was_found_waits_with_the_row(house: House) -> None:
    shed = new_id()
    send(house, ("feature", shed, found(SHED)))
    [changed] = send(house, ("feature", shed, {"quantity": {"base": 120, "new": 140}}))
    assert (changed.status, changed.fields) == ("applied", {"quantity": "pending"})
    waiting = list(Observation.objects.filter(target_id=shed).values_list("id", flat=True))
    assert not accept_observations(waiting, actor=house.assessor, reason="seen").conflicts
    assert Feature.objects.get(id=shed).quantity == 140


def test_a_row_found_and_changed_in_one_batch_is_on_the_card_as_changed(house: House) -> None:
    allow(house, feature=["*", "any"])
    shed = new_id()
    one = CardPatch(house.property_id, "feature", shed, found(SHED), SEEN_ON, 2026, patch_id=new_id())
    change = {"quantity": {"base": 120, "new": 140}}
    two = CardPatch(house.property_id, "feature", shed, change, SEEN_ON, 2026, patch_id=new_id())
    assert [r.status for r in apply_card_patches([one, two], actor=house.collector)] == ["applied"] * 2
    assert Feature.objects.get(id=shed).quantity == 140


def test_a_building_with_its_sketch_is_found_in_one_change(house: House) -> None:
    allow(house, building=["*"], section=["*"])
    barn, plan = new_id(), new_id()
    results = send(
        house,
        ("building", barn, found({"building_number": 1, "style": "Barn"})),
        ("section", plan, found({"building_id": str(barn), "label": "BAS", "points_ft": SQUARE})),
    )
    assert [result.status for result in results] == ["applied", "applied"]
    made = Building.objects.get(id=barn)
    assert (made.building_number, made.gross_area_sqft) == (2, 600)


def test_two_tablets_that_find_a_second_outbuilding_get_two_numbers(house: House) -> None:
    allow(house, feature=["*"])
    for _ in range(2):
        send(house, ("feature", new_id(), found({**SHED, "line_number": 1})))
    assert sorted(Feature.objects.values_list("line_number", flat=True)) == [1, 2]


def test_what_builds_on_a_row_that_has_not_come_is_held(house: House) -> None:
    barn = new_id()
    [held] = send(house, ("building", barn, {"style": {"base": "Barn", "new": "Stable"}}))
    assert (held.status, held.held_for) == ("held", barn)
    [held] = send(house, ("section", new_id(), found({"building_id": str(barn), "label": "BAS", "points_ft": SQUARE})))  # fmt: skip
    assert (held.status, held.held_for) == ("held", barn)
    assert not Observation.objects.exists()


def test_a_change_is_held_whole(house: House) -> None:
    allow(house, building=["any"])
    results = send(
        house,
        ("building", house.building_id, {"bedrooms": {"base": None, "new": 3}}),
        ("feature", new_id(), {"quantity": {"base": 1, "new": 2}}),
    )
    assert [result.status for result in results] == ["held", "held"]
    assert fresh_building(house).bedrooms is None
    assert not Observation.objects.exists()


def test_a_change_that_makes_no_sense_in_one_row_is_quarantined_whole(house: House) -> None:
    allow(house, building=["any"])
    results = send(
        house,
        ("building", house.building_id, {"bedrooms": {"base": None, "new": 3}}),
        ("property", house.property_id, {"no_such_field": {"base": 1, "new": 2}}),
    )
    assert [result.status for result in results] == ["quarantined", "quarantined"]
    assert fresh_building(house).bedrooms is None


def test_a_clash_behind_a_gap_is_held_and_without_the_gap_is_a_clash(house: House) -> None:
    change = {"style": {"base": "Ranch", "new": "Cape Cod"}}
    [held] = send(house, ("building", house.building_id, change), may_wait=True)
    assert (held.status, held.held_for) == ("held", house.property_id)
    [clash] = send(house, ("building", house.building_id, change))
    assert clash.status == "conflict"


@pytest.fixture
def shed(house: House) -> UUID:
    """An outbuilding on the card."""
    row = add_row(
        house.property_id, actor=SYSTEM, target_kind="feature", reason="tests", code="SHED", quantity=1
    )
    assert isinstance(row.pk, UUID)
    return row.pk


def test_a_row_that_no_longer_stands_leaves_the_card_and_stays_in_the_journal(
    house: House, shed: UUID
) -> None:
    allow(house, feature=["*"])
    [gone] = send(house, ("feature", shed, {"*": {"base": {"code": "SHED", "quantity": 1}, "new": None}}))
    assert gone.status == "applied"
    assert not Feature.objects.filter(id=shed).exists()
    entry = JournalEntry.objects.get(row_id=shed, operation="D")
    assert entry.before is not None
    assert entry.before["code"] == "SHED"
    assert send(house, ("feature", shed, {"*": {"new": None}}))[0].status == "noop"


@pytest.mark.parametrize("with_base", [True, False])
def test_a_row_that_the_office_changed_is_not_taken_away(house: House, shed: UUID, with_base: bool) -> None:
    allow(house, feature=["*"])
    update_row(
        house.property_id, actor=house.assessor, target_kind="feature", target_id=shed, reason="permit", quantity=2
    )  # fmt: skip
    change = {"base": {"code": "SHED", "quantity": 1}, "new": None} if with_base else {"new": None}
    [result] = send(
        house, ("feature", shed, {"*": change}), captured_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    )
    assert (result.status, result.conflicts[0].reason) == ("conflict", "remove-vs-edit")
    assert result.conflicts[0].server["quantity"] == 2
    assert Feature.objects.filter(id=shed).exists()


def test_a_row_that_the_office_took_away_does_not_come_back_by_itself(house: House, shed: UUID) -> None:
    allow(house, feature=["*", "any"])
    remove_row(house.property_id, actor=SYSTEM, target_kind="feature", target_id=shed, reason="gone")
    [result] = send(house, ("feature", shed, found(SHED)))
    assert (result.status, result.conflicts[0].reason) == ("conflict", "edit-vs-remove")


def test_a_row_that_was_proposed_and_refused_is_no_longer_waited_for(house: House) -> None:
    shed = new_id()
    [proposed] = send(house, ("feature", shed, found(SHED)))
    reject_observations(proposed.observation_ids, actor=house.assessor, reason="it is the neighbour's")
    [result] = send(house, ("feature", shed, {"quantity": {"base": 120, "new": 140}}))
    assert (result.status, result.conflicts[0].reason) == ("conflict", "edit-vs-remove")


def test_taking_away_a_row_that_only_waits_takes_the_proposal_back(house: House) -> None:
    shed = new_id()
    send(house, ("feature", shed, found(SHED)))
    send(house, ("feature", shed, {"*": {"new": None}}))
    assert not Observation.objects.filter(state="pending").exists()
    assert not Feature.objects.exists()


def test_only_the_fields_that_contradict_each_other_are_parked(house: House) -> None:
    allow(house, building=["any"])
    result = patch(house, effective_year_built=(None, 1900), bedrooms=(None, 3), living_area_sqft=(1820, -5))
    assert result.fields == {
        "effective_year_built": "conflict",
        "bedrooms": "taken",
        "living_area_sqft": "conflict",
    }
    assert fresh_building(house).bedrooms == 3
    reasons = {conflict.field: conflict.reason for conflict in result.conflicts}
    assert "before the year built" in reasons["effective_year_built"]
    assert "less than nothing" in reasons["living_area_sqft"]


def test_a_contradiction_that_was_there_before_stops_no_other_change(house: House) -> None:
    allow(house, building=["any"])
    Building.objects.filter(id=house.building_id).update(effective_year_built=1900)
    assert patch(house, bedrooms=(None, 3)).status == "applied"


def test_a_sketch_drawn_from_another_corner_is_no_change(house: House) -> None:
    allow(house, section=["*", "any"])
    plan = new_id()
    new = {"building_id": str(house.building_id), "label": "BAS", "points_ft": SQUARE}
    send(house, ("section", plan, found(new)))
    before = fresh_property(house).version
    turned = [[30.2, 20], [0, 20], [0, 0], [30, 0]]
    assert patch(house, kind="section", target=plan, points_ft=(SQUARE, turned)).status == "noop"
    assert fresh_property(house).version == before
    assert Section.objects.get(id=plan).points_ft == [[float(x), float(y)] for x, y in SQUARE]


def test_a_change_on_a_card_that_others_changed_is_marked_for_a_look(house: House) -> None:
    allow(house, building=["any"])
    seen_version = fresh_property(house).version
    update_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="permit", style="Ranch",
    )  # fmt: skip
    change = {"bedrooms": {"base": None, "new": 3}}
    [soft] = send(house, ("building", house.building_id, change), base_version=seen_version)
    assert (soft.status, soft.is_soft) == ("merged", True)


def test_a_note_names_its_author_and_the_minute(house: House) -> None:
    allow(house, property=["comment"])
    change = {"comment": {"base": "", "new": "Dog in yard"}}
    at = dt.datetime(2026, 10, 1, 13, 5, tzinfo=dt.UTC)
    send(house, ("property", house.property_id, change), captured_at=at)
    assert fresh_property(house).comment == "Cora Collector, 2026-10-01 09:05: Dog in yard"
