"""Versions of models are kept, refused when they cannot be, and shared by towns."""

from __future__ import annotations

import pytest

from assessment.region.errors import Forbidden
from tests.cast import SYSTEM, Cast
from tests.valuation.cost.test_schedule import SCHEDULE
from valuation.cost.rules import Schedule
from valuation.runs.errors import SpecNotFound, SpecRefused
from valuation.runs.rules.groups import component_codes
from valuation.specs.services import create_spec, get_spec, load_shipped_specs

pytestmark = pytest.mark.django_db


def test_a_changed_model_is_the_next_version_and_an_equal_one_is_the_same() -> None:
    first = create_spec("ours", actor=SYSTEM, schedule=SCHEDULE.as_json())
    assert create_spec("ours", actor=SYSTEM, schedule=SCHEDULE.as_json()) == first
    second = create_spec("ours", actor=SYSTEM, schedule=SCHEDULE.as_json(), settings={"rounding_dollars": 10})
    assert (first.version, second.version) == (1, 2)
    assert get_spec("ours", actor=SYSTEM) == second
    assert get_spec("ours:1", actor=SYSTEM) == first


def test_shipped_models_come_in_once_and_their_tables_can_be_used() -> None:
    specs = load_shipped_specs(actor=SYSTEM)
    assert {spec.name for spec in specs} == {"ct-residential", "town-calibrated"}
    assert load_shipped_specs(actor=SYSTEM) == specs
    for spec in specs:
        assert Schedule.from_json(spec.schedule) if spec.schedule else spec.calibration
    assert specs[0].evidence["sales_fitted"] > 300


@pytest.mark.parametrize("name", ["nothing", "ours:7", "ours:x"])
def test_a_model_that_is_not_there_is_told_with_those_that_are(name: str) -> None:
    create_spec("ours", actor=SYSTEM, schedule=SCHEDULE.as_json())
    with pytest.raises(SpecNotFound, match="ours:1"):
        get_spec(name, actor=SYSTEM)


def test_tables_keyed_by_a_value_on_the_roll_and_no_tables_at_all_are_refused() -> None:
    plain = SCHEDULE.as_json()
    plain["roles"]["base_rate"] = "assessed_value"
    for schedule in (plain, {}, {"name": "x"}):
        with pytest.raises(SpecRefused):
            create_spec("bad", actor=SYSTEM, schedule=schedule)


def test_who_may_edit_models_nowhere_makes_none(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        create_spec("ours", actor=cast.actor(cast.clerk_a), schedule=SCHEDULE.as_json())


def test_every_component_code_is_in_the_state_s_table() -> None:
    from assessment.roll.parameters import abstract_codes

    for row in component_codes().values():
        for part, code in row.items():
            if part != "verified":
                abstract_codes().detail("real", code)
