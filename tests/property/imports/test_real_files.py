"""The real files: every card of New Haven and of the Vision export, counted."""

from __future__ import annotations

import pytest
from django.db.models import Sum

from assessment.demo.files import stored
from assessment.property.imports.cards import CardImport, import_cards
from assessment.property.imports.outcome import ImportOutcome
from assessment.property.imports.points import PointImport, import_points
from assessment.property.models import Building, Property, StatedValue
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.services import create_test_town

IMPORTER = Actor.system("import_cama")
NEW_HAVEN_TOTAL = 1369315478


def refused(outcome: ImportOutcome) -> set[tuple[int, str, str]]:
    """Row, column and reason of each refused row."""
    return {(p.row, p.column, str(p.reason)) for p in outcome.report.problems if p.rejected}


@pytest.mark.django_db
@pytest.mark.slow
def test_every_card_of_new_haven_comes_in_and_the_points_that_are_there() -> None:
    town = Town.objects.get(slug="new-haven")
    wanted = CardImport(stored("new_haven_cama.csv"), 2016)
    outcome = import_cards(town, actor=IMPORTER, wanted=wanted)
    assert (outcome.counts["read"], outcome.counts["added"], refused(outcome)) == (9136, 9136, set())
    left_blank = {(p.row, p.column, p.value) for p in outcome.report.problems}
    assert left_blank == {(1955, "good", "0"), (4427, "good", "143")}
    assert outcome.unmapped_codes == []
    again = import_cards(town, actor=IMPORTER, wanted=wanted)
    assert (again.changes, again.counts["unchanged"]) == (0, 9136)
    points = import_points(town, actor=IMPORTER, wanted=PointImport(stored("new_haven_geocodes.csv")))
    assert (points.counts["read"], points.counts["changed"]) == (27_307, 8_545)
    assert points.report.by_reason["outside-town"] == 526
    with scope(IMPORTER, towns=[town.code]):
        assert Property.objects.count() == Building.objects.count() == 9136
        total = StatedValue.objects.filter(component="total").aggregate(total=Sum("assessed"))["total"]
    # SOURCE: the sum of the file's column `value`, by awk
    assert total == NEW_HAVEN_TOTAL


@pytest.mark.django_db
@pytest.mark.slow
def test_the_vision_export_comes_in_but_for_two_cards_with_a_negative_building() -> None:
    town = create_test_town(901, actor=IMPORTER, name="Lebanon, New Hampshire", state="NH")
    wanted = CardImport(stored("lebanon_nh_vision_export.csv"), 2025)
    outcome = import_cards(town, actor=IMPORTER, wanted=wanted)
    assert (outcome.counts["read"], outcome.counts["added"], outcome.mapping) == (5622, 5620, "vision")
    assert {row for row, _, _ in refused(outcome)} == {887, 4683}
    assert {code["table"] for code in outcome.unmapped_codes} >= {"use", "style", "grade"}
    assert len(outcome.sales) == 18_628
    again = import_cards(town, actor=IMPORTER, wanted=wanted)
    assert again.changes == 0
    with scope(IMPORTER, towns=[town.code]):
        sums = StatedValue.objects.filter(list_year=2025).values("component").annotate(total=Sum("assessed"))
        by_component = {row["component"]: row["total"] for row in sums}
    assert by_component["total"] == sum(
        by_component[part] for part in ("land", "building", "extra", "outbuilding")
    )
