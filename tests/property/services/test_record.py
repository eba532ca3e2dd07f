"""Writing cards in the office."""

from __future__ import annotations

import datetime as dt

import pytest

from assessment.property.models import (
    Document,
    Feature,
    JournalEntry,
    Owner,
    Ownership,
    Photo,
    Property,
    PropertyAlias,
    Section,
)
from assessment.property.services import (
    add_row,
    attach_document,
    attach_photo,
    create_property,
    put_section,
    record_confidentiality,
    record_permit,
    remove_row,
    set_alias,
    transfer_ownership,
    update_row,
)
from assessment.property.services.sketch import SketchOpen
from assessment.region.errors import Conflict, Forbidden, Invalid, NotFound
from assessment.region.ids import new_id
from tests.cast import SYSTEM, Cast
from tests.property.conftest import House, fresh_building, fresh_property


def test_accounts_get_the_next_number(house: House, cast: Cast) -> None:
    made = [create_property(cast.town_a, actor=SYSTEM, reason="t", address="1 A ST") for _ in range(2)]
    assert [row.account_number for row in made] == ["000002", "000003"]
    assert (made[0].address_number, made[0].street_name) == ("1", "A ST")
    with pytest.raises(Invalid, match="taken"):
        create_property(cast.town_a, actor=SYSTEM, reason="t", account_number="000002")


def test_a_change_says_who_and_why_and_raises_the_version(house: House) -> None:
    version = fresh_property(house).version
    update_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="permit 12", effective_on=dt.date(2026, 3, 1), bedrooms=4,
    )  # fmt: skip
    assert fresh_property(house).version == version + 1
    entry = JournalEntry.objects.filter(row_id=house.building_id).latest("id")
    assert (entry.reason, entry.effective_on) == ("permit 12", dt.date(2026, 3, 1))
    assert (entry.before, entry.after) == ({"bedrooms": None}, {"bedrooms": 4})


def test_the_same_values_change_nothing(house: House) -> None:
    version = fresh_property(house).version
    count = JournalEntry.objects.count()
    update_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="x", style="Colonial",
    )  # fmt: skip
    assert (fresh_property(house).version, JournalEntry.objects.count()) == (version, count)


def test_a_card_that_changed_meanwhile_is_not_overwritten(house: House) -> None:
    seen = fresh_property(house).version
    change = {
        "actor": house.assessor,
        "target_kind": "building",
        "target_id": house.building_id,
        "reason": "x",
    }
    update_row(house.property_id, **change, expected_version=seen, bedrooms=3)
    with pytest.raises(Conflict):
        update_row(house.property_id, **change, expected_version=seen, bedrooms=4)
    assert fresh_building(house).bedrooms == 3


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"bedrooms": -1}, "bedrooms"),
        ({"effective_year_built": 1900}, "before the year built"),
        ({"percent_complete": 120}, "no percentage"),
        ({"colour": "red"}, "no field"),
        ({"living_area_sqft": 900, "gross_area_sqft": 800}, "more than the gross"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused(house: House, values: dict[str, object], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        update_row(
            house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
            reason="x", **values,
        )  # fmt: skip


def test_a_collector_may_not_edit_the_card_directly(house: House) -> None:
    with pytest.raises(Forbidden):
        update_row(
            house.property_id, actor=house.collector, target_kind="building", target_id=house.building_id,
            reason="x", bedrooms=3,
        )  # fmt: skip


def test_a_row_of_another_card_is_not_there(house: House, cast: Cast) -> None:
    other = create_property(cast.town_a, actor=SYSTEM, reason="t")
    with pytest.raises(NotFound):
        update_row(
            other.id, actor=house.assessor, target_kind="building", target_id=house.building_id, reason="x",
            bedrooms=3,
        )  # fmt: skip


def test_lines_of_a_card_are_numbered_on(house: House) -> None:
    rows = [
        add_row(house.property_id, actor=SYSTEM, target_kind="feature", reason="t", code=code)
        for code in ("SHED", "POOL")
    ]
    assert [Feature.objects.get(id=row.pk).line_number for row in rows] == [1, 2]


def test_a_building_that_was_torn_down_goes_with_its_sketch_and_the_journal_keeps_both(house: House) -> None:
    section = put_section(
        house.property_id, actor=SYSTEM, building_id=house.building_id, label="BAS", reason="t",
        walls_ft=[[30, 0], [0, 20], [-30, 0], [0, -20]],
    )  # fmt: skip
    remove_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="demolished", effective_on=dt.date(2026, 6, 1),
    )  # fmt: skip
    gone = JournalEntry.objects.filter(operation="D")
    assert {entry.row_id for entry in gone} == {house.building_id, section.id}
    assert all(entry.before for entry in gone)
    with pytest.raises(Invalid, match="retired"):
        remove_row(
            house.property_id,
            actor=house.assessor,
            target_kind="property",
            target_id=house.property_id,
            reason="x",
        )


def test_a_sketch_gives_areas_by_the_town_s_table(house: House) -> None:
    square = [[0, 0], [30, 0], [30, 20], [0, 20]]
    for label in ("BAS", "TQS", "FGR"):
        put_section(
            house.property_id, actor=SYSTEM, building_id=house.building_id, label=label, reason="t",
            points_ft=square,
        )  # fmt: skip
    building = fresh_building(house)
    assert (building.gross_area_sqft, building.living_area_sqft) == (1800, 1050)
    assert building.effective_area_sqft == 600 + 450 + 210


def test_a_sketch_that_does_not_close_is_refused_with_the_gap(house: House) -> None:
    with pytest.raises(SketchOpen, match=r"2\.00 ft"):
        put_section(
            house.property_id, actor=SYSTEM, building_id=house.building_id, label="BAS", reason="t",
            walls_ft=[[30, 0], [0, 20], [-28, 0], [0, -20]],
        )  # fmt: skip
    assert not Section.objects.exists()


def test_a_new_owner_ends_the_last_one_that_day(house: House) -> None:
    transfer_ownership(
        house.property_id,
        actor=house.assessor,
        name="DOE JANE",
        transferred_on=dt.date(2026, 2, 3),
        reason="deed",
    )
    rows = Ownership.objects.filter(property_id=house.property_id).order_by("valid_from")
    assert [(row.owner.name, row.valid_to) for row in rows] == [
        ("SMITH JOHN", dt.date(2026, 2, 3)),
        ("DOE JANE", None),
    ]
    with pytest.raises(Invalid, match="later"):
        transfer_ownership(
            house.property_id,
            actor=house.assessor,
            name="X",
            transferred_on=dt.date(2026, 1, 1),
            reason="deed",
        )


def test_a_confidentiality_request_flags_what_the_person_owns(house: House) -> None:
    owner = Owner.objects.get()
    for _ in range(2):
        record_confidentiality(
            owner.id, actor=house.assessor, requested_on=dt.date(2026, 1, 5), agency="Judicial Branch"
        )
    assert Ownership.objects.get().is_confidential
    assert owner.confidentiality_requests.count() == 1


def test_an_identifier_ends_when_another_of_its_kind_begins(house: House) -> None:
    for value in ("12-3", "12-4", "12-4"):
        set_alias(
            house.property_id, actor=SYSTEM, id_type="mbl", value=value, reason="t",
            valid_from=dt.date(2026, 1, 1),
        )  # fmt: skip
    rows = PropertyAlias.objects.filter(id_type="mbl").order_by("value")
    assert [(row.value, row.valid_to) for row in rows] == [("12-3", dt.date(2026, 1, 1)), ("12-4", None)]


def test_a_permit_is_entered_once_and_kept_up_to_date(house: House) -> None:
    for share in (None, 50, 50):
        record_permit(
            house.property_id, actor=SYSTEM, permit_number="B-1", issued_on=dt.date(2026, 3, 1),
            percent_complete=share,
        )  # fmt: skip
    assert [row.percent_complete for row in Property.objects.get(id=house.property_id).permits.all()] == [50]


def test_papers_and_photos_are_kept_once(house: House) -> None:
    for _ in range(2):
        attach_document(
            house.property_id, actor=house.assessor, source=b"%PDF-1.4", media_type="application/pdf",
            kind="deed", title="Deed 2015",
        )  # fmt: skip
        attach_photo(
            house.property_id, actor=house.collector, source=b"\xff\xd8\xff", media_type="image/jpeg",
            is_primary=True,
        )  # fmt: skip
    newer = attach_photo(
        house.property_id, actor=house.collector, source=b"\xff\xd8\xffnew", media_type="image/jpeg",
        is_primary=True, photo_id=new_id(),
    )  # fmt: skip
    assert (Document.objects.count(), Photo.objects.count()) == (1, 2)
    assert Photo.objects.get(is_primary=True).id == newer.id
