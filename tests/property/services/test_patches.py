"""Changes from the field: kept as observations, merged, let through by rule."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from assessment.property.models import Building, Feature, JournalEntry, Observation
from assessment.property.services import (
    CardPatch,
    PatchResult,
    add_row,
    apply_card_patch,
    apply_card_patches,
    remove_row,
    update_row,
)
from assessment.region.errors import Forbidden
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.services import set_policy
from tests.cast import SYSTEM, TOWN_B, Cast
from tests.property.conftest import House, fresh_building, fresh_property

SEEN_ON = dt.date(2026, 10, 1)


def patch(house: House, *, kind: str = "building", target: UUID | None = None, **changes: Any) -> PatchResult:
    """One patch by the collector; each change is (base, new)."""
    return apply_card_patch(
        house.property_id,
        actor=house.collector,
        target_kind=kind,
        target_id=target or house.building_id,
        changes={name: {"base": base, "new": new} for name, (base, new) in changes.items()},
        observed_on=SEEN_ON,
        list_year=2026,
    )


def allow(house: House, **rule: list[str]) -> None:
    """Let fields through at once."""
    set_policy(
        Town.objects.get(code=house.town_code), actor=SYSTEM, key="auto_accept_observations", value=rule,
        valid_from=dt.date(2020, 1, 1),
    )  # fmt: skip


def test_what_was_seen_waits_for_a_person_unless_a_rule_says_otherwise(house: House) -> None:
    result = patch(house, living_area_sqft=(1820, 1846))
    assert (result.status, result.fields) == ("applied", {"living_area_sqft": "pending"})
    assert fresh_building(house).living_area_sqft == 1820
    observation = Observation.objects.get()
    assert (observation.state, observation.base_value, observation.value) == ("pending", 1820, 1846)
    assert (observation.observed_on, observation.list_year) == (SEEN_ON, 2026)


def test_a_rule_lets_a_field_through_and_says_so(house: House) -> None:
    allow(house, building=["condition"])
    before = fresh_property(house).version
    result = patch(house, condition=("A", "G"), style=("Colonial", "Cape Cod"))
    assert result.fields == {"condition": "taken", "style": "pending"}
    building = fresh_building(house)
    assert (building.condition, building.style) == ("G", "Colonial")
    accepted = Observation.objects.get(field="condition")
    assert (accepted.state, accepted.decided_rule, accepted.decided_by) == (
        "accepted",
        "auto_accept_observations: building.condition",
        None,
    )
    assert result.version == fresh_property(house).version == before + 1


def test_the_journal_holds_the_day_on_which_it_was_true(house: House) -> None:
    allow(house, building=["percent_complete"])
    patch(house, percent_complete=(100, 60))
    entry = JournalEntry.objects.filter(row_id=house.building_id, operation="U").latest("id")
    assert entry.effective_on == SEEN_ON
    assert entry.after == {"percent_complete": 60.0}


def test_an_estimate_waits_even_when_the_rule_lets_the_field_through(house: House) -> None:
    allow(house, building=["bedrooms"])
    result = apply_card_patch(
        house.property_id, actor=house.collector, target_kind="building", target_id=house.building_id,
        changes={"bedrooms": {"base": None, "new": 3, "is_estimated": True}}, observed_on=SEEN_ON, list_year=2026,
    )  # fmt: skip
    assert result.fields == {"bedrooms": "pending"}
    assert fresh_building(house).bedrooms is None


def test_two_different_changes_of_one_field_wait_for_a_person_with_all_three_values(house: House) -> None:
    allow(house, building=["any"])
    update_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="permit", style="Ranch",
    )  # fmt: skip
    result = patch(house, style=("Colonial", "Cape Cod"), bedrooms=(None, 3))
    assert result.status == "conflict"
    assert result.fields == {"style": "conflict", "bedrooms": "taken"}
    [conflict] = result.conflicts
    assert (conflict.base, conflict.new, conflict.server) == ("Colonial", "Cape Cod", "Ranch")
    building = fresh_building(house)
    assert (building.style, building.bedrooms) == ("Ranch", 3)
    assert Observation.objects.get(id=conflict.observation_id).state == "conflict"


def test_the_office_s_legal_fields_stay_and_the_proposal_is_kept(house: House) -> None:
    allow(house, property=["any"])
    update_row(
        house.property_id, actor=house.assessor, target_kind="property", target_id=house.property_id,
        reason="use", use_code="1040",
    )  # fmt: skip
    result = patch(house, kind="property", target=house.property_id, use_code=("1010", "1050"))
    assert result.fields == {"use_code": "office-kept"}
    assert fresh_property(house).use_code == "1040"
    assert Observation.objects.get().value == "1050"


def test_areas_within_the_tape_s_tolerance_do_not_disagree(house: House) -> None:
    allow(house, building=["any"])
    update_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="sketch", living_area_sqft=1850,
    )  # fmt: skip
    result = patch(house, living_area_sqft=(1820, 1846))
    assert result.fields == {"living_area_sqft": "within-tolerance"}
    assert fresh_building(house).living_area_sqft == 1850


def test_a_change_that_would_contradict_the_card_is_parked(house: House) -> None:
    allow(house, building=["any"])
    result = patch(house, effective_year_built=(None, 1900))
    assert result.status == "conflict"
    assert "before the year built" in result.conflicts[0].reason
    assert fresh_building(house).effective_year_built is None


def test_a_later_patch_of_a_batch_starts_from_the_earlier_one(house: House) -> None:
    allow(house, building=["any"])
    chain = [
        CardPatch(house.property_id, "building", house.building_id, {"bedrooms": {"base": a, "new": b}}, SEEN_ON, 2026)
        for a, b in ((None, 3), (3, 4))
    ]  # fmt: skip
    results = apply_card_patches(chain, actor=house.collector)
    assert [result.fields for result in results] == [{"bedrooms": "taken"}, {"bedrooms": "taken"}]
    assert fresh_building(house).bedrooms == 4


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"colour": ("red", "blue")}, "invalid"),
        ({"bedrooms": (None, "many")}, "invalid"),
        ({"bedrooms": (None, 2.5)}, "invalid"),
        ({"id": (None, "x")}, "invalid"),
        ({"town_id": (62, 155)}, "invalid"),
        ({"style": ("A", "x" * 41)}, "invalid"),
    ],
)
def test_a_patch_that_makes_no_sense_is_quarantined_by_itself(
    house: House, changes: dict[str, Any], code: str
) -> None:
    allow(house, building=["any"])
    good = CardPatch(
        house.property_id,
        "building",
        house.building_id,
        {"fireplaces": {"base": None, "new": 1}},
        SEEN_ON,
        2026,
    )
    bad_changes = {name: {"base": base, "new": new} for name, (base, new) in changes.items()}
    bad = CardPatch(house.property_id, "building", house.building_id, bad_changes, SEEN_ON, 2026)
    results = apply_card_patches([bad, good], actor=house.collector)
    assert [(result.status, result.code) for result in results] == [("quarantined", code), ("applied", "")]
    assert fresh_building(house).fireplaces == 1
    assert Observation.objects.count() == 1


def test_a_new_outbuilding_waits_and_with_a_rule_comes_onto_the_card(house: House) -> None:
    row_id = new_id()
    found = {"*": (None, {"code": "SHED", "quantity": 120, "unit": "sqft"})}
    assert patch(house, kind="feature", target=row_id, **found).fields == {"*": "pending"}
    assert not Feature.objects.exists()
    assert patch(house, kind="feature", target=row_id, **found).status == "noop"
    allow(house, feature=["*"])
    row_id = new_id()
    assert patch(house, kind="feature", target=row_id, **found).status == "applied"
    feature = Feature.objects.get(id=row_id)
    assert (feature.code, feature.quantity, feature.property_id) == ("SHED", 120, house.property_id)
    assert patch(house, kind="feature", target=row_id, **found).status == "noop"


def test_a_change_of_a_row_that_is_gone_is_kept_for_a_person(house: House) -> None:
    shed = add_row(
        house.property_id, actor=SYSTEM, target_kind="feature", reason="tests", code="SHED", quantity=1
    )
    remove_row(house.property_id, actor=SYSTEM, target_kind="feature", target_id=shed.pk, reason="gone")
    result = patch(house, kind="feature", target=shed.pk, quantity=(1, 2))
    assert (result.status, result.conflicts[0].reason) == ("conflict", "edit-vs-remove")
    assert Observation.objects.get().state == "conflict"


def test_notes_of_field_and_office_are_both_kept(house: House) -> None:
    allow(house, property=["comment"])
    update_row(
        house.property_id, actor=house.assessor, target_kind="property", target_id=house.property_id,
        reason="note", comment="Corner lot",
    )  # fmt: skip
    patch(house, kind="property", target=house.property_id, comment=("", "Dog in yard"))
    assert fresh_property(house).comment == "Corner lot\n\nCora Collector, 2026-10-01: Dog in yard"


def test_a_new_sketch_gives_the_building_its_areas(house: House) -> None:
    allow(house, section=["*", "any"])
    square = [[0, 0], [30, 0], [30, 20], [0, 20]]
    shape = {"building_id": str(house.building_id), "label": "BAS", "points_ft": square}
    shape |= {"area_sqft": 600, "perimeter_ft": 100}
    section = new_id()
    assert patch(house, kind="section", target=section, **{"*": (None, shape)}).status == "applied"
    wider = [[0, 0], [30, 0], [30, 30], [0, 30]]
    assert patch(house, kind="section", target=section, points_ft=(square, wider)).status == "applied"
    building = Building.objects.get(id=house.building_id)
    assert (building.gross_area_sqft, building.living_area_sqft) == (900, 900)


def test_a_sketch_whose_walls_cross_is_parked(house: House) -> None:
    allow(house, section=["*", "any"])
    section = new_id()
    square = [[0, 0], [30, 0], [30, 20], [0, 20]]
    shape = {"building_id": str(house.building_id), "label": "BAS", "points_ft": square}
    patch(
        house,
        kind="section",
        target=section,
        **{"*": (None, {**shape, "area_sqft": 600, "perimeter_ft": 100})},
    )
    bow = [[0, 0], [30, 20], [30, 0], [0, 20]]
    result = patch(house, kind="section", target=section, points_ft=(square, bow))
    assert (result.status, result.conflicts[0].reason) == ("conflict", "invariant: The section has no area.")


def test_only_those_who_inspect_in_the_town_may_send(house: House) -> None:
    with pytest.raises(Forbidden):
        apply_card_patch(
            house.property_id, actor=house.clerk, target_kind="building", target_id=house.building_id,
            changes={"bedrooms": {"base": None, "new": 3}}, observed_on=SEEN_ON, list_year=2026,
        )  # fmt: skip


def test_a_card_of_another_town_is_not_there(house: House, cast: Cast) -> None:
    other = cast.actor(cast.collector_b)
    with scope(other, towns=[TOWN_B]):
        result = apply_card_patch(
            house.property_id, actor=other, target_kind="building", target_id=house.building_id,
            changes={"bedrooms": {"base": None, "new": 3}}, observed_on=SEEN_ON, list_year=2026,
        )  # fmt: skip
    assert (result.status, result.code) == ("quarantined", "unknown-property")
    assert fresh_building(house).bedrooms is None


def test_a_visit_that_is_not_here_yet_holds_what_belongs_to_it(house: House) -> None:
    result = apply_card_patch(
        house.property_id, actor=house.collector, target_kind="building", target_id=house.building_id,
        changes={"bedrooms": {"base": None, "new": 3}}, observed_on=SEEN_ON, list_year=2026, inspection_id=new_id(),
    )  # fmt: skip
    assert (result.status, result.code) == ("held", "unknown-inspection")
    assert not Observation.objects.exists()


def test_a_batch_takes_the_same_number_of_queries_however_long(
    house: House, django_assert_max_num_queries: Any
) -> None:
    allow(house, building=["any"])
    patches = [
        CardPatch(house.property_id, "building", house.building_id, {"fireplaces": {"base": None, "new": n}}, SEEN_ON, 2026)
        for n in range(50)
    ]  # fmt: skip
    with django_assert_max_num_queries(16):
        apply_card_patches(patches, actor=house.collector)
