"""Overrides by one person and by two, their end, and the gate before posting."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from assessment.property.models import Building
from assessment.region.errors import Forbidden
from assessment.roll.models import AssessmentLine
from tests.valuation.runs.conftest import HOUSES, YEAR, Bureau
from valuation.review.carrying import carry_overrides
from valuation.review.closing import close_run, hash_of_values, list_checks
from valuation.review.errors import (
    ChecksMissed,
    NotClosed,
    OverrideDecided,
    OverrideInvalid,
    OverrideWaiting,
    SecondPersonNeeded,
)
from valuation.review.factors import propose_factor
from valuation.review.models import Closing, Override
from valuation.review.posting import post_conclusions
from valuation.review.services import (
    confirm_override,
    mark_reviewed,
    propose_override,
    refuse_override,
    withdraw_override,
)
from valuation.runs.models import Conclusion, Run
from valuation.specs.services import adopt_spec

pytestmark = pytest.mark.django_db

LARGE, SMALL = 1.5, 1.05
ACCEPTED = {"reviewed": "looked at on paper", "current": "the houses were made before the run"}


def ask(bureau: Bureau, conclusion: Conclusion, times: float, **options: str) -> Override:
    given = {"reason_code": "condition", "note": "Seen on 3 May: the roof is new."} | options
    return propose_override(
        conclusion.id, actor=bureau.assessor, value=int(conclusion.value * times), **given
    )


def second(bureau: Bureau):
    return bureau.cast.actor(bureau.cast.deputy_a)


def test_a_small_change_is_in_force_at_once_with_its_parts_and_its_author(
    bureau: Bureau, conclusion: Conclusion
) -> None:
    override = ask(bureau, conclusion, SMALL)
    conclusion.refresh_from_db()
    assert override.state == Override.State.IN_FORCE
    assert conclusion.value == override.value_after == sum(part[1] for part in conclusion.components)
    assert conclusion.reviewer_id == bureau.assessor.person_id
    assert conclusion.weights == {"override": 1.0}
    assert (override.value_before, override.proposed_by_name) == (
        sum(part[1] for part in override.components_before),
        bureau.assessor.name,
    )


def test_a_large_change_waits_for_another_person_and_moves_nothing_until_then(
    bureau: Bureau, conclusion: Conclusion
) -> None:
    before = conclusion.value
    override = ask(bureau, conclusion, LARGE)
    conclusion.refresh_from_db()
    assert (override.state, conclusion.value) == (Override.State.WAITING, before)
    with pytest.raises(SecondPersonNeeded):
        confirm_override(override.id, actor=bureau.assessor)
    confirm_override(override.id, actor=second(bureau), note="agreed")
    conclusion.refresh_from_db()
    override.refresh_from_db()
    assert conclusion.value == override.value_after > before
    assert (override.decided_by_name, override.decision_note) == (second(bureau).name, "agreed")
    with pytest.raises(OverrideDecided):
        confirm_override(override.id, actor=second(bureau))


def test_who_may_only_view_neither_asks_nor_agrees(bureau: Bureau, conclusion: Conclusion) -> None:
    clerk = bureau.cast.actor(bureau.cast.clerk_a)
    with pytest.raises(Forbidden):
        propose_override(conclusion.id, actor=clerk, value=1, reason_code="condition", note="x")
    override = ask(bureau, conclusion, LARGE)
    with pytest.raises(Forbidden):
        confirm_override(override.id, actor=clerk)
    assert Conclusion.objects.get(pk=conclusion.pk).value == override.value_before


def test_a_refusal_needs_its_reason_and_leaves_the_value(bureau: Bureau, conclusion: Conclusion) -> None:
    override = ask(bureau, conclusion, LARGE)
    with pytest.raises(OverrideInvalid):
        refuse_override(override.id, actor=second(bureau), note=" ")
    refuse_override(override.id, actor=second(bureau), note="the permit is still open")
    assert Conclusion.objects.get(pk=conclusion.pk).value == override.value_before
    assert Override.objects.get(pk=override.pk).state == Override.State.REFUSED


def test_an_override_taken_back_gives_the_value_and_its_parts_back(
    bureau: Bureau, conclusion: Conclusion
) -> None:
    parts, weights = conclusion.components, conclusion.weights
    override = ask(bureau, conclusion, SMALL)
    withdrawn = withdraw_override(override.id, actor=second(bureau), note="wrong house")
    conclusion.refresh_from_db()
    assert withdrawn.state == Override.State.WITHDRAWN
    assert (conclusion.value, conclusion.components) == (override.value_before, parts)
    assert (conclusion.weights, conclusion.reviewed_at) == (weights, None)
    with pytest.raises(OverrideDecided):
        withdraw_override(override.id, actor=bureau.assessor)


def test_a_second_override_replaces_the_first_and_only_one_may_wait(
    bureau: Bureau, conclusion: Conclusion
) -> None:
    first = ask(bureau, conclusion, SMALL)
    conclusion.refresh_from_db()
    later = ask(bureau, conclusion, 0.97)
    first.refresh_from_db()
    assert (first.state, later.state) == (Override.State.SUPERSEDED, Override.State.IN_FORCE)
    conclusion.refresh_from_db()
    ask(bureau, conclusion, LARGE)
    with pytest.raises(OverrideWaiting):
        ask(bureau, conclusion, SMALL)


@pytest.mark.parametrize("bad", [{"reason_code": "because"}, {"note": "  "}])
def test_an_override_without_a_known_reason_or_a_note_is_refused(
    bureau: Bureau, conclusion: Conclusion, bad: dict
) -> None:
    with pytest.raises(OverrideInvalid):
        ask(bureau, conclusion, SMALL, **bad)
    assert not Override.objects.exists()


def test_a_factor_on_a_neighbourhood_shows_its_ratio_study_and_is_decided_as_one(
    bureau: Bureau, run: Run
) -> None:
    houses = [house.pk for house in bureau.houses[60:] if house.neighbourhood == "N1"]
    asked = propose_factor(
        run,
        actor=bureau.assessor,
        property_ids=houses,
        factor=1.1,
        reason_code="neighbourhood",
        note="level of N1",
    )
    assert {each.state for each in asked} == {Override.State.WAITING}
    effect = asked[0].effect["neighbourhood"]
    assert effect["after"]["median"] == pytest.approx(effect["before"]["median"] * 1.1, rel=0.01)
    assert effect["n"] >= 5
    confirm_override(asked[3].id, actor=second(bureau))
    changed = Conclusion.objects.filter(run=run, weights={"override": 1.0})
    assert changed.count() == len(asked) == len(houses)
    assert all(row.value == sum(part[1] for part in row.components) for row in changed)


def test_reviewed_values_stand_with_who_looked(bureau: Bureau, conclusion: Conclusion) -> None:
    assert mark_reviewed([conclusion.id], actor=second(bureau), note="drove by") == 1
    conclusion.refresh_from_db()
    assert (conclusion.reviewer_id, conclusion.review_note) == (second(bureau).person_id, "drove by")
    assert mark_reviewed([conclusion.id], actor=bureau.assessor) == 0


def test_overrides_are_carried_to_a_new_run_only_where_it_concludes_the_same(
    bureau: Bureau, run: Run, conclusion: Conclusion
) -> None:
    ask(bureau, conclusion, SMALL)
    other = Conclusion.objects.get(run=run, property=bureau.houses[30])
    ask(bureau, other, SMALL)
    Building.objects.filter(property=bureau.houses[30]).update(living_area_sqft=5000)
    again = bureau.run()
    counts = carry_overrides(again, actor=bureau.assessor, source=run)
    values = dict(Conclusion.objects.filter(run=again).values_list("property_id", "value"))
    before = dict(Conclusion.objects.filter(run=run).values_list("property_id", "value"))
    # Another house's area moves the local factors, so both may need a look; what was carried agrees to the dollar.
    assert sum(counts.values()) == 2
    assert counts["to_review"] >= 1
    assert (values[bureau.houses[20].pk] == before[bureau.houses[20].pk]) is (counts["carried"] == 1)


def adopted(bureau: Bureau) -> None:
    bureau.revaluation()
    adopt_spec(
        bureau.town, spec=bureau.spec, list_year=YEAR, actor=bureau.assessor, adopted_on=dt.date(YEAR, 11, 1)
    )


def test_a_revaluation_is_posted_only_after_its_checks_are_closed(bureau: Bureau, run: Run) -> None:
    adopted(bureau)
    with pytest.raises(NotClosed):
        post_conclusions(run, actor=bureau.assessor)
    close_run(run, actor=bureau.assessor, accepted=ACCEPTED)
    assert post_conclusions(run, actor=bureau.assessor).changed == HOUSES


def test_the_checks_name_what_is_missed_and_nothing_is_kept(bureau: Bureau, run: Run) -> None:
    bureau.revaluation()
    with pytest.raises(ChecksMissed, match="adopted this version") as caught:
        close_run(run, actor=bureau.assessor, accepted={"reviewed": "x"})
    assert "adopted" in {check["id"] for check in caught.value.data["checks"]}
    assert not Closing.objects.exists()


def test_only_who_signs_the_list_closes_a_run(bureau: Bureau, run: Run) -> None:
    adopted(bureau)
    with pytest.raises(Forbidden):
        close_run(run, actor=second(bureau), accepted=ACCEPTED)


def test_a_value_changed_after_closing_opens_the_run_again(
    bureau: Bureau, run: Run, conclusion: Conclusion
) -> None:
    adopted(bureau)
    closing = close_run(run, actor=bureau.assessor, accepted=ACCEPTED)
    assert closing.values_sha256 == hash_of_values(run)
    override = ask(bureau, conclusion, SMALL)
    with pytest.raises(NotClosed, match="changed after"):
        post_conclusions(run, actor=bureau.assessor)
    close_run(run, actor=bureau.assessor, accepted=ACCEPTED)
    post_conclusions(run, actor=bureau.assessor)
    posted = AssessmentLine.objects.filter(assessment__property=bureau.houses[20])
    assert sum(posted.values_list("appraised", flat=True)) == override.value_after


def test_an_override_that_waits_and_a_record_that_moved_on_keep_the_run_open(
    bureau: Bureau, run: Run, conclusion: Conclusion
) -> None:
    adopted(bureau)
    before = {check.id: check.state for check in list_checks(run)}
    ask(bureau, conclusion, LARGE)
    after = {check.id: check.state for check in list_checks(run)}
    assert (before["overrides"], after["overrides"]) == ("met", "missed")
    assert before["rules"] == "met"


def test_a_closing_can_never_be_altered(bureau: Bureau, run: Run) -> None:
    adopted(bureau)
    close_run(run, actor=bureau.assessor, accepted=ACCEPTED)
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE valuation_closing SET accepted = '{}'")
