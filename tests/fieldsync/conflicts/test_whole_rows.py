"""Conflicts about whole rows are answered and undone like those about fields."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from assessment.property.models import Feature, Observation, Section
from assessment.property.services import add_row, put_section, remove_row, update_row
from assessment.region.errors import Conflict as StateConflict
from assessment.region.errors import Invalid
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.conflicts import services
from fieldsync.conflicts.models import Conflict
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conflicts.test_resolving import answer
from tests.fieldsync.conftest import House
from tests.fieldsync.push.test_push import lenient  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("lenient")


@pytest.fixture
def shed(houses: list[House]) -> UUID:
    """An outbuilding on the first card, of which the tablet saw one."""
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        row = add_row(
            houses[0].property_id, actor=SYSTEM, target_kind="feature", reason="test", code="SHED", quantity=1
        )
    assert isinstance(row.pk, UUID)
    return row.pk


def send(tablet: Tablet, house: House, path: str, **change: Any) -> Conflict:
    tablet.record({"kind": "card.patch", "entity_id": str(house.property_id), "changes": {path: change}})
    (result,) = tablet.push()
    assert result["status"] == "conflict", result
    with scope(SYSTEM, towns=[TOWN_A]):
        return Conflict.objects.get(id=result["conflict_ids"][0])


def office(**values: Any) -> None:
    house, shed = values.pop("house"), values.pop("shed")
    with scope(SYSTEM, towns=[TOWN_A], reason="the office"):
        if values:
            update_row(
                house.property_id, actor=SYSTEM, target_kind="feature", target_id=shed, reason="x", **values
            )
        else:
            remove_row(house.property_id, actor=SYSTEM, target_kind="feature", target_id=shed, reason="gone")


def reopen(cast: Cast, key: UUID) -> Conflict:
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A], reason="undo"):
        return services.reopen_conflict(key, actor=actor, reason="undo")


def sheds() -> list[tuple[UUID, int]]:
    with scope(SYSTEM, towns=[TOWN_A]):
        return [(row.id, int(row.quantity)) for row in Feature.objects.all()]


def test_a_shed_gone_in_the_field_and_changed_in_the_office_goes_and_comes_back(
    cast: Cast, tablet: Tablet, houses: list[House], shed: UUID
) -> None:
    office(house=houses[0], shed=shed, quantity=2)
    conflict = send(tablet, houses[0], f"feature/{shed}/*", base={"code": "SHED", "quantity": 1}, new=None)
    assert (conflict.kind, conflict.theirs["quantity"], conflict.ours) == ("edit-vs-retire", 2, None)
    answer(cast, conflict.id, "field")
    assert sheds() == []
    reopen(cast, conflict.id)
    assert sheds() == [(shed, 2)]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Observation.objects.get(id=conflict.observation_id).state == "conflict"
    answer(cast, conflict.id, "office")
    assert sheds() == [(shed, 2)]


def test_a_field_of_a_shed_that_the_office_took_away_brings_it_back(
    cast: Cast, tablet: Tablet, houses: list[House], shed: UUID
) -> None:
    office(house=houses[0], shed=shed)
    conflict = send(tablet, houses[0], f"feature/{shed}/quantity", base=1, new=3)
    answer(cast, conflict.id, "field")
    assert sheds() == [(shed, 3)]
    reopen(cast, conflict.id)
    assert sheds() == []
    answer(cast, conflict.id, "office")
    assert sheds() == []


def test_a_shed_taken_away_by_the_office_and_found_again_stands_if_the_field_is_right(
    cast: Cast, tablet: Tablet, houses: list[House], shed: UUID
) -> None:
    office(house=houses[0], shed=shed)
    conflict = send(tablet, houses[0], f"feature/{shed}/*", new={"code": "SHED", "quantity": 4})
    with pytest.raises(Invalid, match="there or not"):
        answer(cast, conflict.id, "other", value="a barn")
    answer(cast, conflict.id, "field")
    assert [key for key, _ in sheds()] == [shed]
    with scope(SYSTEM, towns=[TOWN_A], reason="later"):
        Feature.objects.filter(id=shed).update(quantity=9)
    with pytest.raises(StateConflict, match="changed again"):
        reopen(cast, conflict.id)


def test_a_building_comes_back_with_its_sketch(cast: Cast, tablet: Tablet, houses: list[House]) -> None:
    house = houses[0]
    square = [[0, 0], [30, 0], [30, 20], [0, 20]]
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        plan = put_section(
            house.property_id, actor=SYSTEM, building_id=house.building_id, label="BAS", reason="x", points_ft=square
        )  # fmt: skip
        update_row(
            house.property_id, actor=SYSTEM, target_kind="building", target_id=house.building_id, reason="x", style="Ranch"
        )  # fmt: skip
    conflict = send(tablet, house, f"building/{house.building_id}/*", base={"style": "Colonial"}, new=None)
    answer(cast, conflict.id, "field")
    with scope(SYSTEM, towns=[TOWN_A]):
        assert not Section.objects.exists()
    reopen(cast, conflict.id)
    with scope(SYSTEM, towns=[TOWN_A]):
        back = Section.objects.get()
    assert (back.id, back.points_ft, back.building_id) == (plan.id, plan.points_ft, house.building_id)


def test_what_would_contradict_the_card_is_answered_with_another_value(
    cast: Cast, tablet: Tablet, houses: list[House]
) -> None:
    conflict = send(tablet, houses[0], houses[0].path("effective_year_built"), base=None, new=1900)
    assert conflict.kind == "invariant"
    with pytest.raises(Invalid, match="before the year built"):
        answer(cast, conflict.id, "field")
    closed = answer(cast, conflict.id, "other", value="1990")
    assert closed.answer == 1990
    reopen(cast, conflict.id)


def test_a_row_of_which_nobody_knows_is_held_not_in_conflict(tablet: Tablet, houses: list[House]) -> None:
    tablet.record(
        {
            "kind": "card.patch", "entity_id": str(houses[0].property_id),
            "changes": {f"feature/{uuid4()}/quantity": {"base": 1, "new": 2}},
        }
    )  # fmt: skip
    assert [r["status"] for r in tablet.push()] == ["held"]
