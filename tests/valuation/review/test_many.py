"""Many values at once: an area's factor, taking it back, and overrides of an earlier run."""

from __future__ import annotations

from fractions import Fraction
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessment.jobs.registry import RunningJob, get_registration
from assessment.property.models import Building, Property
from assessment.region.errors import Forbidden
from tests.valuation.cost.test_schedule import SCHEDULE
from tests.valuation.runs.conftest import YEAR, Bureau
from valuation.review.carrying import carry_overrides, plan_carry
from valuation.review.errors import (
    OverrideDecided,
    OverrideInvalid,
    OverrideWaiting,
    RunPosted,
    ValuesChanged,
)
from valuation.review.factors import (
    Area,
    list_areas,
    preview_factor,
    propose_area_factor,
    propose_factor,
    read_factor,
    withdraw_batch,
)
from valuation.review.many import decide_batch, decide_overrides, list_groups
from valuation.review.models import Override
from valuation.review.rules.overriding import factored
from valuation.review.services import confirm_override, propose_override, withdraw_override
from valuation.runs.models import Conclusion, Run
from valuation.runs.services import run_valuation
from valuation.specs.services import create_spec

pytestmark = pytest.mark.django_db

N1 = Area("N1")
TENTH = Fraction(11, 10)


def second(bureau: Bureau):
    return bureau.cast.actor(bureau.cast.deputy_a)


def ask(bureau: Bureau, run: Run, area: Area = N1, factor: Fraction = TENTH, **options):
    given = {"reason_code": "neighbourhood", "note": "level of N1"} | options
    return propose_area_factor(run, actor=bureau.assessor, area=area, factor=factor, **given)


def override(bureau: Bureau, run: Run, house: int, value: int | None = None) -> Override:
    found = Conclusion.objects.get(run=run, property=bureau.houses[house])
    return propose_override(
        found.id,
        actor=bureau.assessor,
        value=value or int(found.value * 1.05),
        reason_code="condition",
        note="the roof is new",
    )


def values(run: Run) -> dict:
    return dict(Conclusion.objects.filter(run=run).values_list("property_id", "value"))


@pytest.mark.parametrize(
    ("value", "factor", "rounding", "expected"),
    [
        (100_000, "1.0005", 100, 100_100),  # a half goes up
        (100_000, "1.0005", 500, 100_000),
        (101_500, "1.0147783", 1000, 103_000),
        (1_000_000, "0.9999999", 1, 1_000_000),
        (0, "1.5", 100, 0),
    ],
)
def test_a_factor_rounds_as_the_town_does(value: int, factor: str, rounding: int, expected: int) -> None:
    assert factored(value, read_factor(factor), rounding=rounding) == expected


@pytest.mark.parametrize("text", ["", "many", "0.19", "5.01", "-1", "nan", "inf", "1e-20"])
def test_a_factor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(OverrideInvalid):
        read_factor(text)


def test_values_and_parts_are_rounded_by_the_setting_of_the_town_s_model(bureau: Bureau) -> None:
    spec = create_spec(
        "coarse", actor=bureau.assessor, schedule=SCHEDULE.as_json(), settings={"rounding_dollars": 500}
    )
    run = run_valuation(bureau.town, year=YEAR, spec=spec, actor=bureau.assessor)
    asked = ask(bureau, run)
    assert {each.value_after % 500 for each in asked} == {0}
    assert {part[1] % 500 for each in asked for part in each.components_after} == {0}
    assert all(each.value_after == sum(part[1] for part in each.components_after) for each in asked)


def test_the_preview_says_what_is_asked_for_then_and_keeps_nothing(bureau: Bureau, run: Run) -> None:
    found = preview_factor(run, area=N1, factor=TENTH)
    assert not Override.objects.exists()
    assert set(found.effect) == {"town", "neighbourhood", "changed_properties"}
    assert found.effect["neighbourhood"]["after"]["median"] == pytest.approx(
        found.effect["neighbourhood"]["before"]["median"] * 1.1, rel=0.01
    )
    asked = ask(bureau, run, seen=found.before)
    assert {each.property_id: each.value_after for each in asked} == {
        row.property_id: row.after for row in found.rows
    }
    assert asked[0].effect == found.effect
    assert asked[0].note == "Factor 1.1 on neighbourhood N1: level of N1"
    n1 = Property.objects.filter(neighbourhood="N1").values_list("id", flat=True)
    assert {row.property_id for row in found.rows} == set(n1)


def test_areas_are_named_with_their_counts(run: Run) -> None:
    areas = list_areas(run)
    assert [name for name, _ in areas["neighbourhood"]] == ["N1", "N2"]
    assert dict(areas["state_class"]) == {"100": 259, "500": 1}


def test_an_area_is_chosen_and_a_change_in_between_is_told(bureau: Bureau, run: Run) -> None:
    with pytest.raises(OverrideInvalid, match="Choose"):
        ask(bureau, run, area=Area())
    with pytest.raises(OverrideInvalid, match="changes no value"):
        ask(bureau, run, factor=Fraction(1))
    with pytest.raises(ValuesChanged):
        ask(bureau, run, seen=1)
    with pytest.raises(Forbidden):
        propose_area_factor(
            run,
            actor=bureau.cast.actor(bureau.cast.clerk_a),
            area=N1,
            factor=TENTH,
            reason_code="neighbourhood",
            note="x",
        )
    assert not Override.objects.exists()


def test_a_reviewer_s_own_value_is_left_alone_unless_it_is_asked_for(bureau: Bureau, run: Run) -> None:
    own = override(bureau, run, next(at for at in range(3, 60) if bureau.houses[at].neighbourhood == "N1"))
    found = preview_factor(run, area=N1, factor=TENTH)
    assert found.overridden == 1
    assert own.property_id not in {row.property_id for row in found.rows}
    with_it = preview_factor(run, area=Area("N1", with_overridden=True), factor=TENTH)
    assert own.property_id in {row.property_id for row in with_it.rows}


def test_a_batch_is_agreed_to_as_one_and_taken_back_as_one(bureau: Bureau, run: Run) -> None:
    before = values(run)
    number = next(at for at in range(3, 60) if bureau.houses[at].neighbourhood == "N1")
    own = override(bureau, run, number)
    with_own = values(run)
    asked = ask(bureau, run, area=Area("N1", with_overridden=True))
    batch = asked[0].batch
    assert batch is not None
    assert decide_batch(batch, actor=second(bureau), action="confirm") == len(asked)
    assert values(run) != with_own
    assert withdraw_batch(batch, actor=bureau.assessor, note="too early") == len(asked)
    assert values(run) == with_own
    own.refresh_from_db()
    assert own.state == Override.State.IN_FORCE
    reviewed = Conclusion.objects.get(pk=own.conclusion_id)
    assert (reviewed.review_note, reviewed.reviewer_id) == ("the roof is new", bureau.assessor.person_id)
    withdraw_override(own.id, actor=bureau.assessor)
    assert values(run) == before
    with pytest.raises(OverrideDecided):
        withdraw_batch(batch, actor=bureau.assessor)


def test_a_batch_that_was_posted_is_not_taken_back(bureau: Bureau, run: Run) -> None:
    asked = ask(bureau, run)
    confirm_override(asked[0].id, actor=second(bureau))
    Run.objects.filter(pk=run.pk).update(state=Run.State.POSTED)
    with pytest.raises(RunPosted):
        withdraw_batch(asked[0].batch, actor=bureau.assessor)
    run.refresh_from_db()
    with pytest.raises(RunPosted):
        ask(bureau, run, area=Area("N2"))


def test_a_factor_beside_one_that_waits_leaves_its_values_alone(bureau: Bureau, run: Run) -> None:
    ask(bureau, run)
    found = preview_factor(run, area=N1, factor=TENTH)
    assert (len(found.rows), found.waiting > 50) == (0, True)
    with pytest.raises(OverrideWaiting, match="wait already"):
        propose_factor(
            run,
            actor=bureau.assessor,
            property_ids=[house.pk for house in bureau.houses],
            factor=1.1,
            reason_code="neighbourhood",
            note="x",
        )


def test_the_sales_are_read_once_however_many_overrides_are_carried(bureau: Bureau, run: Run) -> None:
    for house in range(20, 30):
        override(bureau, run, house)
    again = bureau.run()
    with CaptureQueriesContext(connection) as queries:
        assert carry_overrides(again, actor=bureau.assessor, source=run) == {"carried": 10, "to_review": 0}
    assert sum("assessment_transfer" in each["sql"] for each in queries) == 1
    assert len(queries) < 25
    carried = Override.objects.filter(run=again)
    assert {each.state for each in carried} == {Override.State.IN_FORCE}
    assert {values(again)[each.property_id] - each.value_after for each in carried} == {0}
    assert carry_overrides(again, actor=bureau.assessor, source=run) == {"carried": 0, "to_review": 0}


def test_an_override_over_another_is_carried_from_what_the_machine_said(bureau: Bureau, run: Run) -> None:
    override(bureau, run, 20)
    last = override(bureau, run, 20)
    again = bureau.run()
    (row,) = plan_carry(again, source=run)
    assert (row.verdict, row.then, row.after) == ("same", values(again)[row.property_id], last.value_after)


def test_what_changed_since_is_told_by_name_and_is_not_carried(bureau: Bureau, run: Run) -> None:
    override(bureau, run, 30)
    kept = override(bureau, run, 20)
    Building.objects.filter(property=bureau.houses[30]).update(living_area_sqft=5000)
    Building.objects.filter(property=bureau.houses[20]).update(heat_fuel="OIL")
    again = bureau.run()
    # Written before the run began; a test's clock stands still within its transaction.
    Run.objects.filter(pk=run.pk).update(started_at="2000-01-01T00:00:00Z")
    Run.objects.filter(pk=again.pk).update(started_at="2100-01-01T00:00:00Z")
    run.refresh_from_db()
    again.refresh_from_db()
    rows = {row.property_id: row for row in plan_carry(again, source=run)}
    changed = rows[bureau.houses[30].pk]
    assert changed.verdict == "refused"
    assert "building living area sqft" in changed.why
    # The other house's record changed too, though nothing that the tables read.
    looked = rows[kept.property_id]
    if looked.now == looked.then:
        assert looked.verdict == "look"
        assert carry_overrides(again, actor=bureau.assessor, source=run)["carried"] == 0
        chosen = carry_overrides(again, actor=bureau.assessor, source=run, override_ids={kept.id, uuid4()})
        assert chosen == {"carried": 1, "to_review": 0}


def test_a_batch_is_carried_as_a_batch_and_waits_again(bureau: Bureau, run: Run) -> None:
    asked = ask(bureau, run)
    confirm_override(asked[0].id, actor=second(bureau))
    again = bureau.run()
    counts = carry_overrides(again, actor=bureau.assessor, source=run)
    assert counts["carried"] == len(asked)
    carried = Override.objects.filter(run=again)
    assert {(each.state, each.batch == asked[0].batch) for each in carried} == {("waiting", False)}
    assert carried.values("batch").distinct().count() == 1


def test_overrides_are_taken_only_from_another_run_of_the_town(bureau: Bureau, run: Run) -> None:
    with pytest.raises(OverrideInvalid):
        plan_carry(run, source=run)


def test_several_are_decided_each_for_itself(bureau: Bureau, run: Run) -> None:
    first, other = (override(bureau, run, house, 900_000) for house in (20, 21))
    mine = propose_override(
        Conclusion.objects.get(run=run, property=bureau.houses[22]).id,
        actor=second(bureau),
        value=900_000,
        reason_code="unique",
        note="x",
    )
    decided, refused = decide_overrides([first.id, mine.id, other.id], actor=second(bureau), action="confirm")
    assert (decided, len(refused)) == (2, 1)
    assert list_groups(run, state="waiting")[0].override_id == mine.id


def test_a_job_repeats_without_asking_twice(bureau: Bureau, run: Run) -> None:
    told: list[tuple[int, int, str]] = []
    job = RunningJob(
        id=uuid4(), town_code=bureau.town.code, actor=bureau.assessor,
        payload={
            "run": str(run.pk), "area": {"neighbourhood": "N1"}, "factor": "1.1",
            "reason_code": "neighbourhood", "note": "level of N1",
        },
        progress=lambda done, total=0, label="": told.append((done, total, label)),
    )  # fmt: skip
    handler = get_registration("override_factor").run
    first = handler(job)
    assert handler(job) == first
    assert Override.objects.filter(batch=job.id).count() == first["asked_for"]
    assert told[-1][0] == told[-1][1] == first["asked_for"]
    decision = RunningJob(
        id=uuid4(), town_code=bureau.town.code, actor=second(bureau),
        payload={"batch": str(job.id), "action": "confirm"}, progress=job.progress,
    )  # fmt: skip
    assert get_registration("decide_overrides").run(decision)["decided"] == first["asked_for"]
    carry = RunningJob(
        id=uuid4(), town_code=bureau.town.code, actor=bureau.assessor,
        payload={"run": str(bureau.run().pk), "source": str(run.pk)}, progress=job.progress,
    )  # fmt: skip
    assert get_registration("carry_overrides").run(carry)["carried"] == first["asked_for"]
