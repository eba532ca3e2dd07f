"""A card now, at a moment, on a day; its history; confidential owners."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from assessment.property.models import JournalEntry, Owner
from assessment.property.selectors import (
    get_record_card,
    list_history,
    list_open_observations,
    record_as_of,
    record_on,
)
from assessment.property.services import (
    add_row,
    apply_card_patch,
    record_confidentiality,
    remove_row,
    transfer_ownership,
    update_row,
)
from assessment.region.errors import Forbidden, NotFound
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_B, Cast
from tests.property.conftest import House, make_house


def change_building(house: House, effective_on: dt.date, **values: object) -> None:
    """Change the building as of a day."""
    update_row(
        house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
        reason="t", effective_on=effective_on, **values,
    )  # fmt: skip


def now_in_journal() -> dt.datetime:
    """The moment of the latest journal entry."""
    return JournalEntry.objects.latest("id").at


def test_a_card_is_read_whole(house: House) -> None:
    add_row(house.property_id, actor=SYSTEM, target_kind="feature", reason="t", code="SHED")
    card = get_record_card(house.property_id, actor=house.clerk)
    assert card.account["address"] == "9 ELM ST"
    assert [row["style"] for row in card.buildings] == ["Colonial"]
    assert [row["code"] for row in card.features] == ["SHED"]
    assert [(row["name"], row["mailing_address"]) for row in card.owners] == [("SMITH JOHN", "9 ELM ST")]


def test_a_card_with_more_rows_takes_no_more_queries(house: House, django_assert_num_queries: Any) -> None:
    for number in range(5):
        add_row(house.property_id, actor=SYSTEM, target_kind="feature", reason="t", code=f"F{number}")
    with django_assert_num_queries(13):
        get_record_card(house.property_id, actor=house.clerk)


def test_a_card_is_shown_as_it_was_known_at_a_moment(house: House) -> None:
    moment = now_in_journal()
    change_building(house, dt.date(2026, 3, 1), condition="G", bedrooms=4)
    shed = add_row(house.property_id, actor=SYSTEM, target_kind="feature", reason="t", code="SHED")
    between = now_in_journal()
    remove_row(house.property_id, actor=SYSTEM, target_kind="feature", target_id=shed.pk, reason="t")
    then = record_as_of(house.property_id, moment, actor=house.clerk)
    assert (then.buildings[0]["condition"], then.buildings[0]["bedrooms"], then.features) == ("A", None, [])
    later = record_as_of(house.property_id, between, actor=house.clerk)
    assert (later.buildings[0]["condition"], len(later.features)) == ("G", 1)
    assert later.owners[0]["name"] == "SMITH JOHN"
    assert record_as_of(house.property_id, now_in_journal(), actor=house.clerk).features == []


def test_a_card_before_its_first_day_is_not_there(house: House) -> None:
    with pytest.raises(NotFound):
        record_as_of(house.property_id, dt.datetime(2001, 1, 1, tzinfo=dt.UTC), actor=house.clerk)
    with pytest.raises(NotFound):
        record_on(house.property_id, dt.date(2001, 1, 1), actor=house.clerk)


def test_condition_and_percent_complete_are_those_of_the_first_of_october(cast: Cast) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="t", effective_on=dt.date(2024, 10, 1)):
        house = make_house(cast)
        change_building(house, dt.date(2026, 3, 1), percent_complete=90, condition="G")
        # Entered last, true earlier: an inspection report that came in late.
        change_building(house, dt.date(2025, 9, 20), percent_complete=60)
        on_list = record_on(house.property_id, dt.date(2025, 10, 1), actor=house.clerk)
        assert (on_list.buildings[0]["percent_complete"], on_list.buildings[0]["condition"]) == (60, "A")
        after = record_on(house.property_id, dt.date(2026, 10, 1), actor=house.clerk)
        assert (after.buildings[0]["percent_complete"], after.buildings[0]["condition"]) == (90, "G")


def test_the_owner_on_a_first_of_october_is_the_one_of_that_day(house: House) -> None:
    transfer_ownership(
        house.property_id,
        actor=house.assessor,
        name="DOE JANE",
        transferred_on=dt.date(2026, 2, 3),
        reason="deed",
    )
    today = JournalEntry.objects.earliest("id").effective_on
    assert [row["name"] for row in record_on(house.property_id, today, actor=house.clerk).owners] == [
        "DOE JANE"
    ]
    with scope(SYSTEM, towns=[house.town_code]):
        names = [row["name"] for row in get_record_card(house.property_id, actor=house.clerk).owners]
    assert names == ["DOE JANE", "SMITH JOHN"]


def test_history_is_told_latest_first_and_in_pages(house: House) -> None:
    for bedrooms in (3, 4, 5):
        change_building(house, dt.date(2026, 3, bedrooms), bedrooms=bedrooms)
    page = list_history(house.property_id, actor=house.clerk, limit=2)
    assert len(page.entries) == 2
    assert page.next_before is not None
    older = list_history(house.property_id, actor=house.clerk, before=page.next_before, limit=100)
    ids = [entry.id for entry in (*page.entries, *older.entries)]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == JournalEntry.objects.filter(property_id=house.property_id).count()
    changes = [
        entry.changes["bedrooms"] for entry in (*page.entries, *older.entries) if "bedrooms" in entry.changes
    ]
    assert changes[:3] == [(4, 5), (3, 4), (None, 3)]


def test_a_confidential_owner_is_shown_to_the_office_alone(house: House) -> None:
    record_confidentiality(
        Owner.objects.get().id,
        actor=house.assessor,
        requested_on=dt.date(2026, 1, 5),
        agency="Judicial Branch",
    )
    [open_row] = get_record_card(house.property_id, actor=house.assessor).owners
    assert (open_row["name"], open_row["mailing_address"]) == ("SMITH JOHN", "9 ELM ST")
    moment = now_in_journal()
    today = JournalEntry.objects.earliest("id").effective_on
    for card in (
        get_record_card(house.property_id, actor=house.clerk),
        record_as_of(house.property_id, moment, actor=house.clerk),
        record_on(house.property_id, today, actor=house.clerk),
    ):
        assert "SMITH" not in repr(card)
        assert card.owners[0]["name"].startswith("Confidential")
    assert "SMITH" not in repr(list_history(house.property_id, actor=house.clerk))


def test_a_card_of_another_town_is_not_there(house: House, cast: Cast) -> None:
    other = cast.actor(cast.assessor_b)
    with scope(other, towns=[TOWN_B]):
        for read in (get_record_card, list_history):
            with pytest.raises(NotFound):
                read(house.property_id, actor=other)
    with pytest.raises(Forbidden):
        get_record_card(house.property_id, actor=other)


def test_what_waits_for_a_person_is_listed_oldest_first(house: House) -> None:
    for bedrooms in (3, 4):
        apply_card_patch(
            house.property_id, actor=house.collector, target_kind="building", target_id=house.building_id,
            changes={"bedrooms": {"base": None, "new": bedrooms}}, observed_on=dt.date(2026, 9, 1), list_year=2026,
        )  # fmt: skip
    first, second = list_open_observations(towns=[house.town_code])
    assert (first.value, second.value) == (3, 4)
    assert [row.value for row in list_open_observations(towns=[house.town_code], after=first.id)] == [4]
    assert list_open_observations(towns=[TOWN_B]) == []
