"""The author of a value that lost, or may lose, sees it on the tablet and may say what they think."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from assessment.property.models import Observation
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.conflicts.models import Conflict
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.fieldsync.conflicts.test_resolving import answer, conflict, style  # noqa: F401  a fixture among them
from tests.fieldsync.conftest import House, MakeTablet
from tests.fieldsync.push.test_push import lenient  # noqa: F401  a fixture


def list_own(tablet: Tablet, **params: Any) -> list[dict[str, Any]]:
    return list(tablet.transport.send("GET", "conflicts", params=params).json()["conflicts"])


def say(tablet: Tablet, key: UUID, choice: str, **more: Any) -> dict[str, Any]:
    body = {"choice": choice, "reason": "seen from the street", **more}
    return dict(tablet.transport.send("POST", f"conflicts/{key}/answer", json=body).json())


def test_its_author_sees_both_values_and_who_has_the_other(
    tablet: Tablet,
    conflict: UUID,  # noqa: F811
) -> None:
    (one,) = list_own(tablet)
    assert (one["id"], one["state"], one["kind"]) == (str(conflict), "open", "clash")
    assert (one["base"], one["office_value"], one["field_value"]) == ("Colonial", "Ranch", "Cape Cod")
    assert (one["office_author"], one["field_author"]) == ("system: tests", "Cora Collector")
    assert one["mutation_id"] in tablet.store.results()
    assert list_own(tablet, package="00000000-0000-7000-8000-000000000000") == []


def test_giving_way_closes_it_without_the_right_to_decide(
    cast: Cast,
    tablet: Tablet,
    houses: list[House],
    conflict: UUID,  # noqa: F811
) -> None:
    closed = say(tablet, conflict, "withdraw")
    assert (closed["state"], closed["answered_by"]) == ("office", "Cora Collector")
    assert style(cast, houses[0]) == "Ranch"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Observation.objects.get(field="style").state == "superseded"
    assert list_own(tablet) == []
    assert len(list_own(tablet, only_open=False)) == 1


def test_insisting_tells_the_office_why_and_decides_nothing(
    tablet: Tablet,
    conflict: UUID,  # noqa: F811
) -> None:
    assert say(tablet, conflict, "insist")["state"] == "open"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Conflict.objects.get().author_says == "Cora Collector: seen from the street"


@pytest.mark.parametrize("choice", ["office", "field", "other"])
def test_who_only_inspects_does_not_decide(
    tablet: Tablet,
    conflict: UUID,  # noqa: F811
    choice: str,
) -> None:
    with pytest.raises(ProblemAnswer) as refused:
        say(tablet, conflict, choice, value="Cape")
    assert (refused.value.status, refused.value.code) == (403, "forbidden")


def test_the_answer_of_the_office_comes_to_the_author(
    cast: Cast,
    tablet: Tablet,
    conflict: UUID,  # noqa: F811
) -> None:
    answer(cast, conflict, "other", value="Split Level")
    (one,) = list_own(tablet, only_open=False)
    assert (one["state"], one["answer"], one["reason"]) == ("other", "Split Level", "looked at the photos")
    assert one["answered_by"] == "Ada Assessor"


def test_another_author_and_another_town_see_nothing(
    cast: Cast,
    make_tablet: MakeTablet,
    conflict: UUID,  # noqa: F811
) -> None:
    same_person, deputy, other_town = (
        make_tablet(),
        make_tablet(cast.deputy_a),
        make_tablet(cast.collector_b, town_code=TOWN_B),
    )
    assert len(list_own(same_person)) == 1
    for stranger in (deputy, other_town):
        assert list_own(stranger) == []
        with pytest.raises(ProblemAnswer) as refused:
            say(stranger, conflict, "withdraw")
        assert refused.value.status == 404
