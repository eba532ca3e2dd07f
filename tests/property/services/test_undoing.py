"""Taking decisions on observations back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from assessment.property.models import Building, JournalEntry, Observation
from assessment.property.services.decisions import accept_observations, reject_observations
from assessment.property.services.undoing import undo_decisions
from assessment.region.errors import Forbidden, NotFound
from assessment.region.ids import new_id
from tests.cast import Cast
from tests.property.conftest import House, fresh_building


def seen(house: House, field: str, value: Any, base: Any, *, on: int = 1) -> Observation:
    building = fresh_building(house)
    return Observation.objects.create(
        town_id=building.town_id, property_id=building.property_id, target_kind="building", target_id=building.id,
        field=field, base_value=base, value=value, observed_on=dt.date(2026, 3, on), list_year=2026,
    )  # fmt: skip


def state_of(observation: Observation) -> str:
    return Observation.objects.get(id=observation.id).state


def test_an_accepted_value_is_put_back_and_waits_again(cast: Cast, house: House) -> None:
    actor = cast.actor(cast.assessor_a)
    before = fresh_building(house).bedrooms
    observation = seen(house, "bedrooms", 7, before)
    accept_observations([observation.id], actor=actor, reason="seen")
    assert fresh_building(house).bedrooms == 7
    assert undo_decisions([observation.id], actor=actor).reopened == [observation.id]
    assert fresh_building(house).bedrooms == before
    assert state_of(observation) == "pending"


def test_taking_back_is_journaled_with_its_reason(cast: Cast, house: House) -> None:
    actor = cast.actor(cast.assessor_a)
    observation = seen(house, "bedrooms", 7, fresh_building(house).bedrooms)
    accept_observations([observation.id], actor=actor, reason="seen")
    undo_decisions([observation.id], actor=actor)
    last = JournalEntry.objects.filter(row_id=observation.target_id).latest("id")
    assert (last.reason, (last.before or {})["bedrooms"]) == ("decision taken back", 7)


def test_a_rejected_observation_waits_again_and_can_be_accepted(cast: Cast, house: House) -> None:
    actor = cast.actor(cast.assessor_a)
    observation = seen(house, "bedrooms", 7, fresh_building(house).bedrooms)
    reject_observations([observation.id], actor=actor, reason="wrong house")
    undo_decisions([observation.id], actor=actor)
    assert accept_observations([observation.id], actor=actor, reason="right house").accepted == [
        observation.id
    ]


def test_a_record_that_changed_since_stays_as_it_is(cast: Cast, house: House) -> None:
    actor = cast.actor(cast.assessor_a)
    observation = seen(house, "bedrooms", 7, fresh_building(house).bedrooms)
    accept_observations([observation.id], actor=actor, reason="seen")
    Building.objects.filter(id=house.building_id).update(bedrooms=5)
    undone = undo_decisions([observation.id], actor=actor)
    assert (undone.reopened, undone.kept) == ([], [observation.id])
    assert fresh_building(house).bedrooms == 5
    assert state_of(observation) == "accepted"


def test_a_conflict_taken_back_leaves_the_office_s_value_and_not_the_observer_s(
    cast: Cast, house: House
) -> None:
    actor = cast.actor(cast.assessor_a)
    observation = seen(house, "bedrooms", 7, 4)
    Building.objects.filter(id=house.building_id).update(bedrooms=5)
    assert observation.id in accept_observations([observation.id], actor=actor, reason="seen").conflicts
    accept_observations([observation.id], actor=actor, reason="seen twice")
    assert fresh_building(house).bedrooms == 7
    undo_decisions([observation.id], actor=actor)
    assert fresh_building(house).bedrooms == 5


def test_two_of_one_field_accepted_together_go_back_together(cast: Cast, house: House) -> None:
    actor = cast.actor(cast.assessor_a)
    before = fresh_building(house).bedrooms
    first, second = seen(house, "bedrooms", 6, before, on=1), seen(house, "bedrooms", 6, before, on=2)
    accept_observations([first.id, second.id], actor=actor, reason="seen")
    undo_decisions([first.id, second.id], actor=actor)
    assert fresh_building(house).bedrooms == before
    assert {state_of(first), state_of(second)} == {"pending"}


@pytest.mark.parametrize("who", ["collector_a", "assessor_b"])
def test_only_those_who_may_decide_take_back(cast: Cast, house: House, who: str) -> None:
    observation = seen(house, "bedrooms", 7, fresh_building(house).bedrooms)
    reject_observations([observation.id], actor=cast.actor(cast.assessor_a), reason="no")
    with pytest.raises(Forbidden):
        undo_decisions([observation.id], actor=cast.actor(getattr(cast, who)))
    assert state_of(observation) == "rejected"


def test_an_observation_that_is_not_there_is_not_found(cast: Cast, house: House) -> None:
    with pytest.raises(NotFound):
        undo_decisions([new_id()], actor=cast.actor(cast.assessor_a))
