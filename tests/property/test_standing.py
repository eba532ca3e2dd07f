"""A whole town as it stood on a day: exact for every property, rebuilt only where it has to be."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from assessment.property.models import Building, JournalEntry, Observation, Property
from assessment.property.rules.standing import Conversion, rows_on
from assessment.property.services import (
    accept_observations,
    add_row,
    apply_card_patch,
    remove_row,
    retire_property,
    update_row,
)
from assessment.property.services.undoing import undo_decisions
from assessment.property.standing import (
    STANDING_TABLES,
    RecordBeginsLater,
    Standing,
    find_beginning,
    list_changed_since,
    list_opened_later,
    standing_on,
)
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast, make_cast
from tests.databases import TestDatabase
from tests.property.conftest import House, make_house

BEGAN = dt.date(2024, 10, 1)
DAYS = (dt.date(2024, 10, 1), dt.date(2025, 3, 5), dt.date(2025, 10, 1), dt.date(2026, 10, 1))
COUNTERS = {"version", "updated_at"}


def as_read(standing: Standing) -> dict[str, dict[str, dict[str, Any]]]:
    """Return every row that a reader of the standing gets, by table and id."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with connection.cursor() as cursor:
        for table in STANDING_TABLES:
            sql, parameters = standing.source(table)
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {sql} t", parameters)
            rows = [json.loads(row[0]) for row in cursor.fetchall()]
            found[table] = {row["id"]: {k: v for k, v in row.items() if k not in COUNTERS} for row in rows}
    return found


def rebuilt_whole(
    town_code: int, day: dt.date, conversion: Conversion | None = None
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the same from the journal alone, one property after the other."""
    found: dict[str, dict[str, dict[str, Any]]] = {table: {} for table in STANDING_TABLES}
    for property_id in Property.objects.filter(town_id=town_code).values_list("id", flat=True):
        rows = rows_on(JournalEntry.objects.filter(property_id=property_id), day, conversion=conversion)
        if not rows.get("property"):
            continue
        for table in STANDING_TABLES:
            for row_id, row in rows.get(table, {}).items():
                found[table][row_id] = {k: v for k, v in row.items() if k not in COUNTERS}
    return found


def change_at_random(house: House, dice: random.Random) -> None:
    """Do to a card one of the things that people do, effective on any day, in any order."""
    day = BEGAN + dt.timedelta(days=dice.randrange(0, 780))
    match dice.randrange(6):
        case 0 | 1:
            update_row(
                house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
                reason="t", effective_on=day, bedrooms=dice.randrange(1, 6), condition=dice.choice("AFG"),
            )  # fmt: skip
        case 2:
            seen = apply_card_patch(
                house.property_id, actor=house.collector, target_kind="building", target_id=house.building_id,
                changes={"full_baths": {"base": Building.objects.get(id=house.building_id).full_baths,
                                        "new": dice.randrange(1, 5)}},
                observed_on=day, list_year=dice.choice((2024, 2025, 2026)),
            )  # fmt: skip
            waiting = list(
                seen_of(house).filter(state__in=("pending", "conflict")).values_list("id", flat=True)
            )
            if waiting:
                done = accept_observations(waiting, actor=house.assessor, reason="t")
                if done.accepted and dice.random() < 0.4:
                    undo_decisions(done.accepted, actor=house.assessor)
            assert seen
        case 3:
            shed = add_row(
                house.property_id,
                actor=SYSTEM,
                target_kind="feature",
                reason="t",
                effective_on=day,
                code="SHED",
            )
            if dice.random() < 0.5:
                remove_row(
                    house.property_id, actor=SYSTEM, target_kind="feature", target_id=shed.pk, reason="t",
                    effective_on=BEGAN + dt.timedelta(days=dice.randrange(0, 780)),
                )  # fmt: skip
        case 4:
            update_row(
                house.property_id, actor=house.assessor, target_kind="land_line", target_id=house.land_id,
                reason="t", effective_on=day, quantity=f"0.{dice.randrange(1, 9)}5",
            )  # fmt: skip
        case _:
            update_row(
                house.property_id, actor=house.assessor, target_kind="property", target_id=house.property_id,
                reason="t", effective_on=day, neighbourhood=dice.choice(("N1", "N2", "N3")),
            )  # fmt: skip


def seen_of(house: House) -> Any:
    """Return the observations of a card."""
    return Observation.objects.filter(property_id=house.property_id)


@pytest.mark.parametrize("seed", range(6))
def test_every_property_reads_as_its_own_journal_says_whatever_was_done_in_whatever_order(
    committed_db: TestDatabase, seed: int
) -> None:
    cast = make_cast()
    dice = random.Random(seed)
    towns = [cast.town_a.code]
    with scope(SYSTEM, towns=towns, reason="t", effective_on=BEGAN):
        houses = [make_house(cast, f"{number} ELM ST") for number in range(6)]
    for _ in range(24):  # each in a transaction of its own, as in life
        with scope(SYSTEM, towns=towns, reason="t"):
            change_at_random(dice.choice(houses[:5]), dice)
    with scope(SYSTEM, towns=towns, reason="t"):
        for day in DAYS:
            standing = standing_on(cast.town_a.code, day)
            assert as_read(standing) == rebuilt_whole(cast.town_a.code, day)
            assert houses[5].property_id not in standing.rebuilt


def test_two_that_were_seen_outside_of_their_lists_years_and_change_places_are_noticed(
    committed_db: TestDatabase,
) -> None:
    cast = make_cast()
    [house] = town_of(cast, 1)
    for seen_on, list_year, baths in ((dt.date(2024, 10, 8), 2026, 3), (dt.date(2025, 11, 15), 2025, 1)):
        with scope(SYSTEM, towns=[cast.town_a.code], reason="t"):
            before = Building.objects.get(id=house.building_id).full_baths
            apply_card_patch(
                house.property_id, actor=house.collector, target_kind="building", target_id=house.building_id,
                changes={"full_baths": {"base": before, "new": baths}}, observed_on=seen_on, list_year=list_year,
            )  # fmt: skip
            waiting = seen_of(house).filter(state__in=("pending", "conflict")).values_list("id", flat=True)
            accept_observations(list(waiting), actor=house.assessor, reason="t")
    with scope(SYSTEM, towns=[cast.town_a.code], reason="t"):
        [today] = Building.objects.values_list("full_baths", flat=True)
        standing = standing_on(cast.town_a.code, dt.date(2026, 10, 1))
        [building] = as_read(standing)["building"].values()
    assert (today, building["full_baths"]) == (1, 3)


def town_of(cast: Cast, count: int) -> list[House]:
    """Make houses that stood on 1 October 2024."""
    with scope(SYSTEM, towns=[cast.town_a.code], reason="t", effective_on=BEGAN):
        return [make_house(cast, f"{number} ELM ST") for number in range(count)]


@pytest.mark.django_db
def test_untouched_properties_are_read_as_they_stand_without_a_query_each(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    houses = town_of(cast, 8)
    with scope(SYSTEM, towns=[cast.town_a.code], reason="t"):
        update_row(
            houses[0].property_id, actor=houses[0].assessor, target_kind="building",
            target_id=houses[0].building_id, reason="t", effective_on=dt.date(2025, 11, 4), bedrooms=9,
        )  # fmt: skip
        with django_assert_num_queries(3):
            standing = standing_on(cast.town_a.code, dt.date(2025, 10, 1))
        assert (list(standing.rebuilt), standing.differ) == ([houses[0].property_id], 1)


@pytest.mark.django_db
def test_a_day_before_the_journal_is_refused_and_says_where_it_begins(cast: Cast) -> None:
    town_of(cast, 1)
    with scope(SYSTEM, towns=[cast.town_a.code], reason="t"):
        assert find_beginning(cast.town_a.code) == BEGAN
        with pytest.raises(RecordBeginsLater, match="begins on 2024-10-01"):
            standing_on(cast.town_a.code, dt.date(2024, 9, 30))
        assert standing_on(cast.town_a.code, BEGAN).rebuilt == []


@pytest.mark.django_db
def test_an_account_retired_later_still_stood_and_one_opened_later_did_not(cast: Cast) -> None:
    [old] = town_of(cast, 1)
    with scope(SYSTEM, towns=[cast.town_a.code], reason="t"):
        retire_property(old.property_id, actor=old.assessor, retired_on=dt.date(2025, 12, 1), reason="merged")
        with scope(SYSTEM, towns=[cast.town_a.code], reason="t", effective_on=dt.date(2025, 12, 1)):
            new = make_house(cast, "2 NEW ST")
        standing = standing_on(cast.town_a.code, dt.date(2025, 10, 1))
        [row] = as_read(standing)["property"].values()
        assert (row["id"], row["is_retired"]) == (str(old.property_id), False)
        assert list(standing.not_yet) == [new.property_id]
        assert list_opened_later(cast.town_a.code, dt.date(2025, 10, 1)) == [new.property_id]


@pytest.mark.django_db
def test_only_what_bears_on_the_day_counts_as_changed_since(cast: Cast) -> None:
    first, second = town_of(cast, 2)
    with scope(SYSTEM, towns=[cast.town_a.code], reason="t"):
        moment = JournalEntry.objects.latest("id").at
        for house, day in ((first, dt.date(2025, 9, 1)), (second, dt.date(2025, 11, 1))):
            update_row(
                house.property_id, actor=house.assessor, target_kind="building", target_id=house.building_id,
                reason="t", effective_on=day, bedrooms=7,
            )  # fmt: skip
        changed: list[UUID] = list_changed_since(cast.town_a.code, moment, dt.date(2025, 10, 1))
        assert changed == [first.property_id]
