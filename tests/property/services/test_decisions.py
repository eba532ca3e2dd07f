"""Inspections, and deciding on what they saw."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest

from assessment.property.models import Inspection, Observation
from assessment.property.services import (
    CardPatch,
    accept_observations,
    record_inspection,
    record_inspections,
    reject_observations,
    retire_property,
    update_row,
)
from assessment.property.services.inspections import Visit
from assessment.region.errors import Forbidden, Invalid, NotFound
from assessment.region.ids import new_id
from assessment.region.scope import scope
from tests.cast import TOWN_B, Cast
from tests.property.conftest import House, fresh_building, fresh_property

SEEN_ON = dt.date(2026, 9, 14)
VISITED_AT = dt.datetime(2026, 9, 14, 15, 30, tzinfo=dt.UTC)


def visit(
    house: House, *, entry_code: str = "00", interior_source: str = "inspected", **changes: object
) -> Visit:
    """A visit that saw fields of the building; each change is (base, new)."""
    seen = {name: {"base": base, "new": new} for name, (base, new) in changes.items()}  # type: ignore[misc]
    patch = CardPatch(house.property_id, "building", house.building_id, seen, SEEN_ON, 2026)
    return Visit(
        house.property_id, entry_code, VISITED_AT, 2026, inspection_id=new_id(), interior_source=interior_source,
        observations=[patch] if seen else [],
    )  # fmt: skip


def send(house: House, **changes: object) -> list[UUID]:
    """Record a visit and return its observations."""
    result = record_inspection(visit(house, **changes), actor=house.collector)
    return [each for patch in result.patches for each in patch.observation_ids]


def test_a_visit_keeps_what_was_seen_with_its_day_list_and_source(house: House) -> None:
    [observation_id] = send(house, bedrooms=(None, 3))
    row = Observation.objects.get(id=observation_id)
    assert (row.value, row.observed_on, row.list_year, row.source) == (3, SEEN_ON, 2026, "inspected")
    assert row.inspection is not None
    assert row.inspection.inspected_by_id == house.collector.person_id


def test_the_same_visit_again_changes_nothing(house: House) -> None:
    sent = visit(house, bedrooms=(None, 3))
    first, again = (record_inspection(sent, actor=house.collector) for _ in range(2))
    assert (first.is_new, again.is_new) == (True, False)
    assert (Inspection.objects.count(), Observation.objects.count()) == (1, 1)
    twice = record_inspections([sent, sent], actor=house.collector)
    assert [result.is_new for result in twice if result] == [False, False]


def test_a_full_inspection_sets_the_day_of_the_last_one(house: House) -> None:
    record_inspection(visit(house), actor=house.collector)
    assert fresh_property(house).last_full_inspection_on == SEEN_ON


@pytest.mark.parametrize(("code", "source"), [("04", "owner"), ("05", "estimated"), ("00", "estimated")])
def test_a_refusal_or_an_estimate_is_no_full_inspection(house: House, code: str, source: str) -> None:
    record_inspection(visit(house, entry_code=code, interior_source=source), actor=house.collector)
    assert fresh_property(house).last_full_inspection_on is None


def test_accepting_changes_the_record_as_of_the_day_it_was_seen(house: House) -> None:
    ids = send(house, bedrooms=(None, 3), condition=("A", "G"))
    decision = accept_observations(ids, actor=house.assessor, reason="reviewed")
    assert sorted(decision.accepted) == sorted(ids)
    building = fresh_building(house)
    assert (building.bedrooms, building.condition) == (3, "G")
    row = Observation.objects.get(field="bedrooms")
    assert (row.state, row.decided_by_id, row.decision_reason) == (
        "accepted",
        house.assessor.person_id,
        "reviewed",
    )


def test_accepting_twice_does_nothing_the_second_time(house: House) -> None:
    ids = send(house, bedrooms=(None, 3))
    accept_observations(ids, actor=house.assessor, reason="reviewed")
    version = fresh_property(house).version
    decision = accept_observations(ids, actor=house.assessor, reason="again")
    assert decision.settled == ids
    assert fresh_property(house).version == version


def test_a_record_that_changed_since_is_not_overwritten_until_a_person_insists(house: House) -> None:
    ids = send(house, style=("Colonial", "Cape Cod"))
    update_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="permit", style="Ranch",
    )  # fmt: skip
    decision = accept_observations(ids, actor=house.assessor, reason="reviewed")
    assert "Ranch now" in decision.conflicts[ids[0]]
    assert fresh_building(house).style == "Ranch"
    assert accept_observations(ids, actor=house.assessor, reason="seen on site").accepted == ids
    assert fresh_building(house).style == "Cape Cod"


def test_what_would_contradict_the_card_is_not_accepted(house: House) -> None:
    ids = send(house, effective_year_built=(None, 1900))
    decision = accept_observations(ids, actor=house.assessor, reason="reviewed")
    assert "before the year built" in decision.conflicts[ids[0]]
    assert fresh_building(house).effective_year_built is None


def test_an_older_observation_of_the_same_field_is_superseded(house: House) -> None:
    [older] = send(house, bedrooms=(None, 2))
    [newer] = send(house, bedrooms=(None, 3))
    accept_observations([newer], actor=house.assessor, reason="recheck")
    assert Observation.objects.get(id=older).state == "superseded"
    assert fresh_building(house).bedrooms == 3


def test_rejecting_keeps_the_card_and_the_observation(house: House) -> None:
    ids = send(house, bedrooms=(None, 30))
    assert reject_observations(ids, actor=house.assessor, reason="a slip of the finger") == 1
    assert fresh_building(house).bedrooms is None
    assert Observation.objects.get().state == "rejected"
    assert accept_observations(ids, actor=house.assessor, reason="x").settled == ids


def test_the_field_cannot_accept_its_own(house: House) -> None:
    ids = send(house, bedrooms=(None, 3))
    for decide in (accept_observations, reject_observations):
        with pytest.raises(Forbidden):
            decide(ids, actor=house.collector, reason="mine")


def test_a_decision_needs_a_reason(house: House) -> None:
    with pytest.raises(Invalid, match="reason"):
        accept_observations(send(house, bedrooms=(None, 3)), actor=house.assessor, reason=" ")


def test_an_observation_of_another_town_is_not_there(house: House, cast: Cast) -> None:
    ids = send(house, bedrooms=(None, 3))
    other = cast.actor(cast.assessor_b)
    with scope(other, towns=[TOWN_B]), pytest.raises(NotFound):
        accept_observations(ids, actor=other, reason="x")


def test_nothing_is_accepted_onto_a_retired_account(house: House) -> None:
    ids = send(house, bedrooms=(None, 3))
    retire_property(house.property_id, actor=house.assessor, retired_on=dt.date(2026, 9, 20), reason="merged")
    decision = accept_observations(ids, actor=house.assessor, reason="reviewed")
    assert decision.conflicts == {ids[0]: "The account was retired."}
