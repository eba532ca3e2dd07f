"""A run reads the record as it stood on the list's 1 October, says so, and can be asked for another day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from assessment.property.models import Building, Observation
from assessment.property.selectors import record_on
from assessment.property.services import accept_observations, apply_card_patch, create_property, update_row
from assessment.property.standing import RecordBeginsLater
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.cost.test_schedule import SCHEDULE
from tests.valuation.runs.conftest import HOUSES, YEAR, Bureau, make_town
from valuation.reports.services import report_of
from valuation.review.closing import list_checks
from valuation.runs.facts import FactsAhead
from valuation.runs.models import Conclusion, Run
from valuation.runs.rules.basis import basis_in_words
from valuation.specs.services import create_spec

pytestmark = pytest.mark.django_db
FIRST = dt.date(YEAR, 10, 1)


@pytest.fixture
def settled(cast: Cast) -> Iterator[Bureau]:
    """A bureau whose record is true since the 1 October before the list's."""
    assessor = cast.actor(cast.assessor_a)
    towns = [cast.town_a.code]
    with scope(assessor, towns=towns, reason="a test", effective_on=dt.date(YEAR - 1, 10, 1)):
        houses = make_town(cast.town_a)
        spec = create_spec("made", actor=assessor, schedule=SCHEDULE.as_json())
    with scope(assessor, towns=towns, reason="a test"):
        yield Bureau(cast, cast.town_a, assessor, houses, spec)


def enlarge(bureau: Bureau, number: int, on: dt.date) -> None:
    """Make a house a third larger from a day on."""
    house = bureau.houses[number]
    building = Building.objects.get(property=house)
    update_row(
        house.pk, actor=bureau.assessor, target_kind="building", target_id=building.pk, reason="an addition",
        effective_on=on, living_area_sqft=int((building.living_area_sqft or 0) * 1.33),
    )  # fmt: skip


def value_of(run: Run, bureau: Bureau, number: int) -> int:
    return Conclusion.objects.get(run=run, property=bureau.houses[number]).value


def test_a_change_after_the_first_of_october_moves_the_next_list_and_not_this_one(settled: Bureau) -> None:
    before = settled.run()
    next_before = value_of(settled.run(year=YEAR + 1), settled, 9)
    enlarge(settled, 9, dt.date(YEAR, 11, 14))
    after = settled.run()
    assert (after.values_sha256, after.snapshot_sha256) == (before.values_sha256, before.snapshot_sha256)
    assert after.facts_on == FIRST
    assert {k: after.counts["facts"][k] for k in ("rebuilt", "differ", "not_yet_on_record")} == {
        "rebuilt": 1, "differ": 1, "not_yet_on_record": 0,
    }  # fmt: skip
    assert value_of(settled.run(year=YEAR + 1), settled, 9) > 1.05 * next_before
    card = record_on(settled.houses[9].pk, FIRST, actor=settled.assessor)
    then = card.buildings[0]["living_area_sqft"]
    assert then < Building.objects.get(property=settled.houses[9]).living_area_sqft  # type: ignore[operator]


def test_a_late_correction_of_what_stood_by_then_moves_this_list(settled: Bureau) -> None:
    before = value_of(settled.run(), settled, 9)
    enlarge(settled, 9, dt.date(YEAR, 6, 1))
    first, again = settled.run(), settled.run()
    assert value_of(first, settled, 9) > 1.05 * before
    assert (first.values_sha256, first.snapshot_sha256) == (again.values_sha256, again.snapshot_sha256)


@pytest.mark.parametrize(("list_year", "moves"), [(YEAR, True), (YEAR + 1, False)])
def test_what_was_seen_in_november_moves_the_list_on_which_it_bears(
    settled: Bureau, list_year: int, moves: bool
) -> None:
    before = value_of(settled.run(), settled, 9)
    building = Building.objects.get(property=settled.houses[9])
    apply_card_patch(
        settled.houses[9].pk, actor=settled.cast.actor(settled.cast.collector_a), target_kind="building",
        target_id=building.pk, observed_on=dt.date(YEAR, 11, 20), list_year=list_year,
        changes={"full_baths": {"base": building.full_baths, "new": (building.full_baths or 0) + 3}},
    )  # fmt: skip
    accept_observations(
        Observation.objects.filter(state="pending").values_list("id", flat=True),
        actor=settled.assessor,
        reason="t",
    )
    assert Building.objects.get(pk=building.pk).full_baths != building.full_baths
    assert (value_of(settled.run(), settled, 9) != before) is moves


def test_an_account_opened_later_is_not_valued_and_keeps_no_run_from_closing(settled: Bureau) -> None:
    with scope(
        settled.assessor, towns=[settled.town.code], reason="split", effective_on=dt.date(YEAR, 12, 1)
    ):
        new = create_property(
            settled.town, actor=settled.assessor, reason="split", address="1 NEW ST", total_acres="0.25",
            state_class="100",
        )  # fmt: skip
    run = settled.run()
    assert run.counts["facts"]["not_yet_on_record"] == 1
    assert not Conclusion.objects.filter(run=run, property_id=new.pk).exists()
    assert Conclusion.objects.filter(run=run).count() == HOUSES
    enlarge(settled, 9, dt.date(YEAR, 11, 14))
    checks = {check.id: check.state for check in list_checks(run)}
    assert (checks["concluded"], checks["current"]) == ("met", "met")
    enlarge(settled, 8, dt.date(YEAR, 9, 1))
    assert {check.id: check.state for check in list_checks(run)}["current"] == "missed"


def test_another_day_can_be_asked_for_and_one_that_the_record_cannot_give_is_refused(settled: Bureau) -> None:
    enlarge(settled, 9, dt.date(YEAR, 11, 14))
    now, then = settled.run(facts="now"), settled.run(facts=FIRST)
    assert (now.facts_on, then.facts_on) == (None, FIRST)
    assert value_of(now, settled, 9) > value_of(then, settled, 9)
    with pytest.raises(RecordBeginsLater, match=f"begins on {YEAR - 1}-10-01"):
        settled.run(facts=dt.date(YEAR - 1, 9, 30))
    with pytest.raises(FactsAhead):
        settled.run(facts=timezone.localdate() + dt.timedelta(days=2))


def test_a_record_that_begins_after_the_assessment_date_is_read_as_it_stands_and_says_so(
    bureau: Bureau,
) -> None:
    run = bureau.run()
    assert run.facts_on is None
    assert "begins on" in run.counts["facts"]["why"]
    assert "begins on" in basis_in_words(run.counts["facts"])


def test_the_report_the_panel_and_the_command_say_as_of_which_day(cast: Cast, settings, tmp_path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test", effective_on=dt.date(YEAR - 1, 10, 1)):
        houses = make_town(cast.town_a)
    out = StringIO()
    call_command("value", "--town", "62", "--year", str(YEAR), "--json", stdout=out)
    told = json.loads(out.getvalue())["facts"]
    assert (told["as_of"], told["rebuilt"]) == (FIRST.isoformat(), 0)
    with pytest.raises(CommandError, match="begins on"):
        call_command("value", "--town", "62", "--year", str(YEAR), "--facts-as-of", "2001-01-01")
    with pytest.raises(CommandError, match="YYYY-MM-DD"):
        call_command("value", "--town", "62", "--year", str(YEAR), "--facts-as-of", "autumn")
    with scope(SYSTEM, towns=[cast.town_a.code]):
        run = Run.objects.get()
        _, sections = report_of(run)
        assert any(f"as of {FIRST}" in text for section in sections for text in section.paragraphs)
    client = Client()
    client.force_login(cast.assessor_a)
    town = cast.town_a.slug
    assert f"as of {FIRST}" in client.get(f"/t/{town}/ratio-studies/{run.pk}/").content.decode()
    assert f"as of {FIRST}" in client.get(f"/t/{town}/properties/{houses[9].pk}/").content.decode()
