"""A run values every property, repeats itself to the dollar, is judged on later sales, and posts by code."""

from __future__ import annotations

import dataclasses
import datetime as dt
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from assessment.property.models import Building, Feature, Property
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from assessment.roll.errors import GeneralRevaluationRefused, ReasonRequired
from assessment.roll.models import AssessmentLine, GrandList
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.posting import Reason
from assessment.roll.services.signing import sign_grand_list
from assessment.sales.models import Transfer
from tests.valuation.cost.test_schedule import SCHEDULE
from tests.valuation.runs.conftest import HOUSES, SALES, YEAR, Bureau
from valuation.comparables.models import ComparableSet
from valuation.review.closing import close_run
from valuation.review.posting import post_conclusions
from valuation.runs.errors import (
    NoBaseSchedules,
    NotAdopted,
    NothingToValue,
    RunNotFinished,
    SpecRefused,
    TooFewSales,
)
from valuation.runs.models import Conclusion, Estimate, RatioStudyRecord, Run
from valuation.runs.services import run_valuation
from valuation.specs.services import adopt_spec, create_spec

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 1, 5)


def adopt(bureau: Bureau, year: int = YEAR) -> None:
    adopt_spec(bureau.town, spec=bureau.spec, list_year=year, actor=bureau.assessor, adopted_on=TODAY)


def close(bureau: Bureau, run: Run) -> None:
    seen = {"reviewed": "looked at", "current": "the houses were made just before"}
    close_run(run, actor=bureau.assessor, accepted=seen)


def test_every_property_gets_a_value_that_is_the_sum_of_its_lines_and_of_its_explanation(
    bureau: Bureau,
) -> None:
    run = bureau.run()
    conclusions = list(Conclusion.objects.filter(run=run))
    assert len(conclusions) == HOUSES
    for conclusion in conclusions:
        assert conclusion.value > 0
        assert conclusion.value % 100 == 0
        assert sum(line[1] for line in conclusion.components) == conclusion.value
    for estimate in Estimate.objects.filter(run=run):
        assert sum(dollars for _, dollars in estimate.explanation) == estimate.value
        assert estimate.low <= estimate.value <= estimate.high or estimate.approach == "market"
    codes = {line[0] for conclusion in conclusions for line in conclusion.components}
    assert codes == {"11", "12", "13", "51"}


def test_special_properties_are_valued_sensibly_and_flagged(bureau: Bureau) -> None:
    run = bureau.run()
    by_house = {row.property_id: row for row in Conclusion.objects.filter(run=run)}
    vacant, no_area, two = (by_house[bureau.houses[at].pk] for at in (0, 1, 2))
    assert [line[0] for line in vacant.components] == ["51"]
    assert "no_building_area" in no_area.flags
    assert "13" in [line[0] for line in no_area.components]
    assert "several_buildings" in two.flags
    cost = Estimate.objects.get(run=run, property=bureau.houses[2], approach="cost")
    assert "1 more building" in cost.explanation[-1][0]


def test_an_outbuilding_is_a_line_of_its_own_and_says_that_its_rate_is_a_placeholder(bureau: Bureau) -> None:
    house = bureau.houses[5]
    Feature.objects.create(
        town=bureau.town, property=house, code="GAR", quantity=500, unit="sqft", percent_good=90
    )
    with_garage = Conclusion.objects.get(run=bureau.run(), property=house)
    line = next(line for line in with_garage.components if line[0] == "14")
    assert 10_000 < line[1] < 40_000
    assert "outbuilding_rate_unverified" in with_garage.flags
    assert sum(each[1] for each in with_garage.components) == with_garage.value


def test_the_local_level_is_found_from_the_sales_and_the_later_ones_judge_it(bureau: Bureau) -> None:
    run = bureau.run()
    town = next(row for row in run.tables["local"]["evidence"] if row["kind"] == "town")
    assert town["factor"] == pytest.approx(1.3, abs=0.04)
    assert town["n"] == run.counts["sales_fitted"]
    assert run.counts["sales_fitted"] + run.counts["sales_held"] == SALES
    days = sorted(Transfer.objects.values_list("recorded_on", flat=True))
    first_held = RatioStudyRecord.objects.filter(run=run)[0].sales_from
    assert days[run.counts["sales_fitted"] - 1] < first_held == days[run.counts["sales_fitted"]]
    assert (days[-1] - first_held).days <= 365
    studies = {
        row.subject: row
        for row in RatioStudyRecord.objects.filter(run=run, stratum_kind="all", trim_rule="none")
    }
    assert set(studies) == {"cost", "market", "fixed_value", "value_per_area"}
    assert {row.n for row in studies.values()} == {run.counts["sales_held"]}
    cost, baseline = (studies[name].figures["cod"] for name in ("cost", "value_per_area"))
    assert cost["high"] < baseline["low"]
    median = studies["cost"].figures["median"]["value"]
    assert median == pytest.approx(1.0, abs=0.05)
    assert run.counts["final_level"] == pytest.approx(1 / median, abs=0.02)


def test_the_same_facts_give_the_same_values_to_the_dollar_and_changed_facts_another_hash(
    bureau: Bureau,
) -> None:
    first, again = bureau.run(), bureau.run()
    assert (first.snapshot_sha256, first.values_sha256) == (again.snapshot_sha256, again.values_sha256)
    Building.objects.filter(property=bureau.houses[9]).update(grade="B", living_area_sqft=2222)
    changed = bureau.run()
    assert changed.snapshot_sha256 != first.snapshot_sha256
    assert changed.values_sha256 != first.values_sha256


def test_values_on_the_roll_do_not_reach_the_values(bureau: Bureau) -> None:
    from assessment.property.models import StatedValue

    first = bureau.run()
    StatedValue.objects.bulk_create(
        StatedValue(town=bureau.town, property=house, list_year=2024, component="total", appraised=123_456)
        for house in bureau.houses
    )
    again = bureau.run()
    assert again.values_sha256 == first.values_sha256
    assert RatioStudyRecord.objects.filter(run=again, subject="cards").exists()


def test_a_run_needs_the_permission_and_something_to_value(bureau: Bureau) -> None:
    cast = bureau.cast
    with pytest.raises(Forbidden):
        run_valuation(bureau.town, year=YEAR, spec=bureau.spec, actor=cast.actor(cast.clerk_a))
    with pytest.raises(NothingToValue), scope(cast.actor(cast.assessor_b), towns=[cast.town_b.code]):
        run_valuation(cast.town_b, year=YEAR, spec=bureau.spec, actor=cast.actor(cast.assessor_b))


def test_a_model_without_tables_is_calibrated_from_the_town_s_sales_or_refused(bureau: Bureau) -> None:
    spec = create_spec(
        "own",
        actor=bureau.assessor,
        calibration={"additives": {"baths": 0.03}},
        settings={"holdout_share": 0.2},
    )
    own = dataclasses.replace(bureau, spec=spec).run()
    assert own.tables["schedule"]["evidence"]["sales"] == own.counts["sales_fitted"]
    cod = RatioStudyRecord.objects.get(run=own, subject="cost", stratum_kind="all", trim_rule="none").figures[
        "cod"
    ]
    assert cod["value"] < 15
    few = create_spec("few", actor=bureau.assessor, calibration={"least": 8}, settings={"holdout_share": 0.8})
    with pytest.raises(TooFewSales):
        dataclasses.replace(bureau, spec=few).run()


def test_a_value_out_of_line_with_its_comparables_is_flagged_and_no_other(bureau: Bureau) -> None:
    spec = create_spec(
        "strict", actor=bureau.assessor, schedule=SCHEDULE.as_json(), settings={"comparables_gap_percent": 8}
    )
    run = dataclasses.replace(bureau, spec=spec).run()
    said = dict(
        ComparableSet.objects.filter(run=run, indicated__gt=0).values_list("property_id", "indicated")
    )
    flagged = 0
    for conclusion in Conclusion.objects.filter(run=run):
        gap = abs(said.get(conclusion.property_id, conclusion.value) / conclusion.value - 1) * 100
        assert ("comparables_disagree" in conclusion.flags) is (gap > 8)
        flagged += "comparables_disagree" in conclusion.flags
    assert 0 < flagged < HOUSES


def test_nothing_is_posted_from_a_model_that_the_assessor_has_not_adopted(bureau: Bureau) -> None:
    bureau.revaluation()
    run = bureau.run()
    with pytest.raises(NotAdopted):
        post_conclusions(run, actor=bureau.assessor)
    cast = bureau.cast
    with pytest.raises(Forbidden):
        adopt_spec(
            bureau.town, spec=bureau.spec, list_year=YEAR, actor=cast.actor(cast.deputy_a), adopted_on=TODAY
        )
    adopt(bureau)
    close(bureau, run)
    report = post_conclusions(run, actor=bureau.assessor)
    assert report.changed == HOUSES
    lines = AssessmentLine.objects.values_list("appraised", "assessed")
    assert sum(appraised for appraised, _ in lines) == run.counts["appraised_dollars"]
    assert Run.objects.get(pk=run.pk).state == Run.State.POSTED
    assert post_conclusions(run, actor=bureau.assessor).changed == 0


def test_a_run_that_is_not_finished_is_not_posted(bureau: Bureau) -> None:
    run = bureau.run()
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED)
    with pytest.raises(RunNotFinished):
        post_conclusions(Run.objects.get(pk=run.pk), actor=bureau.assessor)


def interim(bureau: Bureau) -> GrandList:
    grand_list = bureau.revaluation()
    adopt(bureau)
    run = bureau.run()
    close(bureau, run)
    post_conclusions(run, actor=bureau.assessor)
    sign_grand_list(grand_list, actor=bureau.assessor)
    return open_grand_list(bureau.town, actor=bureau.assessor, year=YEAR + 1, basis="roll_forward").grand_list


def test_an_interim_year_values_at_the_base_tables_and_posts_only_what_has_a_dated_reason(
    bureau: Bureau,
) -> None:
    interim(bureau)
    base = Run.objects.get(state=Run.State.POSTED)
    house = bureau.houses[20]
    Building.objects.filter(property=house).update(living_area_sqft=4000)
    run = run_valuation(bureau.town, year=YEAR + 1, spec=bureau.spec, actor=bureau.assessor)
    assert run.base_run == base
    assert run.tables == base.tables
    with pytest.raises(GeneralRevaluationRefused):
        post_conclusions(run, actor=bureau.assessor)
    reason = Reason("permit", dt.date(2026, 6, 1), "an addition")
    report = post_conclusions(run, actor=bureau.assessor, reasons={house.pk: reason})
    assert report.changed == 1
    assert report.gross_after > report.gross_before
    values = dict(Conclusion.objects.filter(run=run).values_list("property_id", "value"))
    before = dict(Conclusion.objects.filter(run=base).values_list("property_id", "value"))
    assert {key for key in values if values[key] != before[key]} == {house.pk}
    Building.objects.filter(property=house).update(living_area_sqft=5000)
    larger = run_valuation(bureau.town, year=YEAR + 1, spec=bureau.spec, actor=bureau.assessor)
    with pytest.raises(ReasonRequired):
        post_conclusions(larger, actor=bureau.assessor, only=[house.pk])


def test_an_interim_list_without_a_posted_base_run_is_not_valued_at_new_tables(bureau: Bureau) -> None:
    interim(bureau)
    Run.objects.update(state=Run.State.DONE)
    with pytest.raises(NoBaseSchedules):
        run_valuation(bureau.town, year=YEAR + 1, spec=bureau.spec, actor=bureau.assessor)


@pytest.mark.parametrize("table", ["valuation_estimate", "valuation_ratiostudyrecord", "valuation_modelspec"])
def test_what_was_estimated_and_by_which_version_cannot_be_altered(bureau: Bureau, table: str) -> None:
    bureau.run()
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DELETE FROM {table}")


def test_another_town_sees_nothing_of_a_run(bureau: Bureau) -> None:
    bureau.run()
    cast = bureau.cast
    with scope(cast.actor(cast.assessor_b), towns=[cast.town_b.code]):
        for model in (Run, Estimate, Conclusion, RatioStudyRecord):
            assert not model.objects.exists()
    assert Property.objects.count() == HOUSES


def _market(run: Run) -> dict[UUID, Estimate]:
    return {row.property_id: row for row in Estimate.objects.filter(run=run, approach="market")}


def test_a_spec_chooses_trees_as_its_market_model_and_the_run_says_so_and_repeats_itself(
    bureau: Bureau,
) -> None:
    options = {"model": "trees", "trees": 40, "members": 1}
    spec = create_spec(
        "trees", actor=bureau.assessor, schedule=bureau.spec.schedule, settings={"market": options}
    )
    chosen = dataclasses.replace(bureau, spec=spec)
    first, again = chosen.run(), chosen.run()
    trees, hedonic = _market(first), _market(bureau.run())
    assert set(trees) == set(hedonic)
    assert any(trees[key].value != hedonic[key].value for key in trees)
    assert {key: (e.value, e.low, e.high) for key, e in trees.items()} == {
        key: (e.value, e.low, e.high) for key, e in _market(again).items()
    }
    assert all(row.low <= row.value <= row.high for row in trees.values())
    assert "neighbours" in next(iter(trees.values())).explanation[0][0]
    # The value of record is still the cost approach's.
    assert first.values_sha256 == bureau.run().values_sha256


def test_the_correction_is_an_option_of_the_spec_and_changes_market_values_only(bureau: Bureau) -> None:
    runs = [
        dataclasses.replace(
            bureau,
            spec=create_spec(
                "corrected", actor=bureau.assessor, schedule=bureau.spec.schedule,
                settings={"market": {"correct_equity": switch}},
            ),
        ).run()
        for switch in (False, True)
    ]  # fmt: skip
    off, on = (_market(run) for run in runs)
    assert any(off[key].value != on[key].value for key in off)
    assert runs[0].values_sha256 == runs[1].values_sha256


@pytest.mark.parametrize("options", [{"model": "oracle"}, {"model": "trees", "treees": 3}, {"trees": 3}])
def test_a_spec_with_market_options_that_there_are_not_is_refused(bureau: Bureau, options: dict) -> None:
    with pytest.raises(SpecRefused, match=r"market model is one of|has no option"):
        create_spec("odd", actor=bureau.assessor, schedule=bureau.spec.schedule, settings={"market": options})
