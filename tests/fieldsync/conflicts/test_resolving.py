"""A conflict is closed by a person, for a reason, and can be opened again."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from assessment.property.models import Building, JournalEntry, Observation
from assessment.region.errors import Conflict as StateConflict
from assessment.region.errors import Forbidden, Invalid, NotFound
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.conflicts import selectors, services
from fieldsync.conflicts.models import Conflict
from tests.cast import TOWN_A, TOWN_B, Cast
from tests.fieldsync.conftest import House
from tests.fieldsync.push.test_push import lenient, set_building, take  # noqa: F401  a fixture among them


@pytest.fixture
def conflict(tablet: Tablet, houses: list[House], lenient: None) -> UUID:  # noqa: F811
    """Office says Ranch, field says Cape Cod; both began at Colonial."""
    take(tablet, houses)
    set_building(houses[0], style="Ranch")
    tablet.patch_card(str(houses[0].property_id), {houses[0].path("style"): "Cape Cod"})
    (result,) = tablet.push()
    return UUID(result["conflict_ids"][0])


def answer(cast: Cast, conflict_id: UUID, choice: str, **options: Any) -> Conflict:
    actor = cast.actor(options.pop("person", cast.assessor_a))
    reason = options.pop("reason", "looked at the photos")
    with scope(actor, towns=[TOWN_A], reason="decided"):
        return services.resolve_conflict(
            conflict_id, actor=actor, choice=Conflict.State(choice), reason=reason, **options
        )


def style(cast: Cast, house: House) -> str:
    with scope(cast.actor(cast.assessor_a), towns=[TOWN_A]):
        return Building.objects.get(id=house.building_id).style


@pytest.mark.parametrize(
    ("choice", "value", "kept", "observation"),
    [
        ("office", None, "Ranch", "rejected"),
        ("field", None, "Cape Cod", "accepted"),
        ("other", "Split Level", "Split Level", "rejected"),
    ],
)
def test_the_answer_is_what_the_record_says(
    cast: Cast, houses: list[House], conflict: UUID, choice: str, value: Any, kept: str, observation: str
) -> None:
    closed = answer(cast, conflict, choice, value=value)
    assert (closed.state, closed.answered_by) == (choice, cast.assessor_a)
    assert style(cast, houses[0]) == kept
    with scope(cast.actor(cast.assessor_a), towns=[TOWN_A]):
        assert Observation.objects.get(id=closed.observation_id).state == observation
        assert selectors.count_open(TOWN_A) == 0


def test_another_value_stands_from_the_day_of_what_was_seen(cast: Cast, conflict: UUID) -> None:
    """Answered in winter it bears on the same list as the visit of the autumn."""
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A]):
        seen = Observation.objects.get(state="conflict")
        Observation.objects.filter(id=seen.id).update(observed_on=dt.date(2025, 9, 3), list_year=2025)
    answer(cast, conflict, "other", value="Split Level")
    with scope(actor, towns=[TOWN_A]):
        entry = JournalEntry.objects.filter(table_name="assessment_building").latest("id")
        assert (entry.after["style"], entry.effective_on) == ("Split Level", dt.date(2025, 9, 3))
        services.reopen_conflict(conflict, actor=actor, reason="a mistake")
        entry = JournalEntry.objects.filter(table_name="assessment_building").latest("id")
        assert (entry.after["style"], entry.effective_on) == ("Ranch", dt.date(2025, 9, 3))


@pytest.mark.parametrize("choice", ["office", "field", "other"])
def test_an_answer_can_be_undone(cast: Cast, houses: list[House], conflict: UUID, choice: str) -> None:
    answer(cast, conflict, choice, value="Split Level")
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A], reason="wrong photo"):
        opened = services.reopen_conflict(conflict, actor=actor, reason="wrong photo")
    assert opened.state == "open"
    assert style(cast, houses[0]) == "Ranch"
    answer(cast, conflict, "field")
    assert style(cast, houses[0]) == "Cape Cod"


def test_an_answer_is_not_undone_over_a_later_change(cast: Cast, houses: list[House], conflict: UUID) -> None:
    answer(cast, conflict, "field")
    set_building(houses[0], style="Victorian")
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A], reason="undo"), pytest.raises(StateConflict):
        services.reopen_conflict(conflict, actor=actor, reason="undo")
    assert style(cast, houses[0]) == "Victorian"


def test_a_conflict_is_answered_once(cast: Cast, conflict: UUID) -> None:
    answer(cast, conflict, "office")
    with pytest.raises(StateConflict):
        answer(cast, conflict, "field")


def test_an_answer_needs_a_reason_and_somebody_who_may(cast: Cast, conflict: UUID) -> None:
    with pytest.raises(Invalid):
        answer(cast, conflict, "office", reason=" ")
    with pytest.raises(Forbidden):
        answer(cast, conflict, "office", person=cast.collector_a)


def test_another_town_has_no_such_conflict(cast: Cast, conflict: UUID) -> None:
    actor = cast.actor(cast.assessor_b)
    with scope(actor, towns=[TOWN_B], reason="spying"):
        with pytest.raises(NotFound):
            selectors.get_conflict(conflict)
        with pytest.raises(NotFound):
            services.resolve_conflict(conflict, actor=actor, choice=Conflict.State.OFFICE, reason="x")
        assert selectors.count_open(TOWN_A) == 0
