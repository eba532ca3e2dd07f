"""The arithmetic of the cost approach, by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from valuation.cost.rules import Roles, Schedule, ScheduleError, components
from valuation.cost.rules.outbuildings import default_rates, outbuilding_values

SCHEDULE = Schedule(
    name="by hand",
    base_on=dt.date(2025, 10, 1),
    roles=Roles(additives=("baths", "garage_sqft"), land_factors=("view",)),
    base_area_sqft=1500.0,
    base_rate={"Ranch": 120.0, "*": 100.0},
    factors={
        "grade": {"C": 1.0, "B": 1.2},
        "condition": {"A": 1.0, "F": 0.9},
        "view": {"": 1.0, "water": 2.0, "*": 1.0},
    },
    size=((1000.0, 1.1), (1500.0, 1.0), (3000.0, 0.9)),
    additives={"baths": 10_000.0, "garage_sqft": 40.0},
    percent_good=((0.0, 1.0), (50.0, 0.5)),
    land=((5_000.0, 50_000.0), (43_560.0, 100_000.0), (435_600.0, 200_000.0)),
    neighbourhood_land={"N1": 1.5, "*": 1.0},
    neighbourhood_building={"N1": 1.1, "*": 1.0},
)
HOUSE = {
    "land_sqft": 43_560.0, "living_sqft": 1500.0, "baths": 2.0, "garage_sqft": 400.0, "year_built": 2000.0,
    "percent_complete": 100.0, "style": "Ranch", "grade": "B", "condition": "F", "view": "", "neighbourhood": "N1",
}  # fmt: skip


def value(**changes: object) -> dict[str, float]:
    found = components(SCHEDULE, pd.DataFrame([HOUSE | changes]), as_of=dt.date(2025, 10, 1))
    parts = {
        name: float(getattr(found, name)[0])
        for name in ("primary_land", "excess_land", "building", "outbuildings")
    }
    assert sum(parts.values()) == pytest.approx(float(found.total[0]))
    return parts | {"unknown": bool(found.unknown_levels[0])}


def test_a_house_is_rate_by_grade_by_size_and_additives_less_depreciation() -> None:
    new = 1500 * 120 * 1.2 * 1.0 + 2 * 10_000 + 400 * 40
    expected = new * 0.75 * 0.9 * 1.1  # 25 of 50 years, fair condition, neighbourhood
    found = value()
    assert found["building"] == pytest.approx(expected)
    assert found["primary_land"] == pytest.approx(150_000)
    assert found["excess_land"] == pytest.approx(0)
    assert not found["unknown"]


def test_land_beyond_the_primary_site_is_excess_and_the_curve_goes_on_beyond_its_end() -> None:
    found = value(land_sqft=435_600.0)
    assert (found["primary_land"], found["excess_land"]) == (pytest.approx(150_000), pytest.approx(150_000))
    far = value(land_sqft=4_356_000.0)
    assert far["primary_land"] + far["excess_land"] == pytest.approx(400_000 * 1.5)


def test_no_land_no_building_and_a_half_built_house_are_worth_what_stands_there() -> None:
    assert value(land_sqft=0.0)["primary_land"] == 0
    assert value(land_sqft=None)["primary_land"] == 0
    assert value(living_sqft=0.0)["building"] == 0
    assert value(percent_complete=50.0)["building"] == pytest.approx(value()["building"] / 2)
    assert value(view="water")["primary_land"] == pytest.approx(2 * value()["primary_land"])


def test_an_unknown_code_gets_the_other_row_and_is_told() -> None:
    found = value(style="Yurt")
    assert found["unknown"]
    assert found["building"] == pytest.approx((1500 * 100 * 1.2 + 36_000) * 0.75 * 0.9 * 1.1)


def test_older_and_larger_never_raise_the_rate_and_better_grades_do() -> None:
    assert value(year_built=1900.0)["building"] < value()["building"]
    assert value(grade="C")["building"] < value()["building"]
    assert value(living_sqft=3000.0)["building"] < 2 * value()["building"]


def test_a_schedule_survives_a_trip_through_json() -> None:
    assert Schedule.from_json(json.loads(json.dumps(SCHEDULE.as_json()))) == SCHEDULE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"base_rate": {}}, "bad_table"),
        ({"base_rate": {"Ranch": -1.0}}, "bad_table"),
        ({"additives": {"baths": float("nan")}}, "bad_table"),
        ({"land": ((9_000.0, 1.0), (5_000.0, 2.0))}, "bad_table"),
        ({"percent_good": ((0.0, -0.1),)}, "bad_table"),
    ],
)
def test_tables_that_cannot_be_are_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        dataclasses.replace(SCHEDULE, **change).checked()
    assert caught.value.code == code


def test_a_missing_table_is_named() -> None:
    plain = SCHEDULE.as_json()
    del plain["base_rate"]
    with pytest.raises(ScheduleError, match="base_rate"):
        Schedule.from_json(plain)


def test_the_price_level_is_one_at_the_base_date_and_flat_beyond_the_ends() -> None:
    day = SCHEDULE.base_on.toordinal()
    moving = dataclasses.replace(SCHEDULE, trend=((day - 100.0, 0.8), (day + 100.0, 1.0)))
    level = moving.price_level([day, day + 100, day + 5000, day - 5000])
    assert level[0] == pytest.approx(1.0)
    assert level[2] == level[1] > 1 > level[3]
    assert np.all(SCHEDULE.price_level([day - 50, day]) == 1)


def test_outbuildings_are_units_by_rate_by_what_is_left_and_tell_what_they_rest_on() -> None:
    schedule = dataclasses.replace(SCHEDULE, outbuildings={"GAR": 50.0})
    features = pd.DataFrame(
        [
            ("a", "gar", 400, 2000, None, 100),  # 25 of 50 years: three quarters are left
            ("a", "SHD", 100, None, 80, 50),
            ("b", "GAR", 200, 2025, None, 100),
            ("c", "ZEPPELIN", 1, None, None, 100),
        ],
        columns=["property_id", "code", "quantity", "year_built", "percent_good", "percent_complete"],
    )
    found = outbuilding_values(features, schedule, as_of=dt.date(2025, 10, 1))
    shed = 100 * default_rates()["SHD"] * 0.8 * 0.5
    assert found["dollars"].to_dict() == pytest.approx({"a": 400 * 50 * 0.75 + shed, "b": 10_000, "c": 0})
    assert found["unverified"].to_dict() == {"a": True, "b": False, "c": False}
    assert found["without_rate"].to_dict() == {"a": False, "b": False, "c": True}
    assert outbuilding_values(features[:0], schedule, as_of=dt.date(2025, 10, 1)).empty
