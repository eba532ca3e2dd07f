"""Land by line, and obsolescence, by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pytest

from tests.valuation.cost.test_schedule import HOUSE, SCHEDULE, value
from valuation.cost.rules import Schedule, ScheduleError, components
from valuation.cost.rules.land_lines import land_line_values
from valuation.runs.rules.appraisal import raw_values, value_properties
from valuation.runs.rules.local import LocalFactors

ON = dt.date(2025, 10, 1)
LAND = dataclasses.replace(
    SCHEDULE,
    land_rates={"rear": 3_000.0, "wetland": 500.0, "front_foot": 400.0, "lot": 60_000.0},
    depth=((50.0, 0.7), (100.0, 1.0), (200.0, 1.3)),
    site_index=True,
)
COLUMNS = (
    "property_id", "land_type", "unit", "quantity", "depth_ft", "site_index", "condition_factor", "size_factor",
    "neighbourhood_factor",
)  # fmt: skip


def lines(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame([(*row, *(1.0,) * (len(COLUMNS) - len(row))) for row in rows], columns=list(COLUMNS))


def test_front_feet_are_adjusted_by_the_depth_table() -> None:
    found = land_line_values(
        lines(("a", "primary", "front_foot", 80, 100.0), ("b", "primary", "front_foot", 80, 150.0)), LAND
    )
    assert found["dollars"].to_dict() == pytest.approx({"a": 80 * 400, "b": 80 * 400 * 1.15})
    assert found["sqft_taken"].to_dict() == pytest.approx({"a": 8_000, "b": 12_000})


def test_rear_and_wet_acres_and_lots_have_rates_of_their_own_and_the_rest_stays_on_the_curve() -> None:
    found = land_line_values(
        lines(
            ("a", "primary", "acre", 1.0, None, 1.2, 0.9),
            ("a", "rear", "acre", 4.0, None, 1.0, 0.5),
            ("a", "wetland", "sqft", 43_560.0, None),
            ("b", "primary", "lot", 2, None),
        ),
        LAND,
    )
    assert found.loc["a", "dollars"] == pytest.approx(4 * 3_000 * 0.5 + 500)
    assert found.loc["a", "sqft_taken"] == pytest.approx(4 * 43_560)
    assert found.loc["a", "site_index"] == pytest.approx(1.08)
    assert found.loc["b", "dollars"] == pytest.approx(120_000)


def test_a_schedule_without_land_rates_values_as_before() -> None:
    frame = pd.DataFrame([HOUSE | {"property_id": "a", "group": "single", "state_class": "100"}])
    some = lines(("a", "rear", "acre", 0.5, None), ("a", "primary", "acre", 0.5, None))
    with_lines = raw_values(SCHEDULE, frame, as_of=ON, land_lines=some)
    pd.testing.assert_frame_equal(with_lines.parts, raw_values(SCHEDULE, frame, as_of=ON).parts)


def test_lines_join_the_curve_and_the_explanation_still_sums() -> None:
    house = HOUSE | {
        "property_id": "a", "group": "single", "state_class": "100", "is_synthetic": False,
        "land_sqft": 5 * 43_560.0,
    }  # fmt: skip
    some = lines(("a", "primary", "acre", 1.0, None, 1.1), ("a", "rear", "acre", 4.0, None))
    raw = raw_values(LAND, pd.DataFrame([house]), as_of=ON, land_lines=some)
    # An acre on the curve at site index 1.1, 4 rear acres at 3,000; both at the neighbourhood's 1.5.
    assert raw.parts.loc["a", "primary_land"] == pytest.approx(100_000 * 1.1 * 1.5)
    assert raw.parts.loc["a", "excess_land"] == pytest.approx(4 * 3_000 * 1.5)
    valued = value_properties(raw, LocalFactors(), rounding=100)
    told = valued.explanations()[0]
    assert sum(int(row[1]) for row in told) == valued.frame.loc["a", "value"]
    assert "land by line" in str(told[0][0])


def test_obsolescence_is_what_is_left_or_percents_lost_as_the_schedule_says() -> None:
    whole = value()["building"]
    facts = {"functional_percent": 10.0, "external_percent": 20.0}
    assert value(**facts)["building"] == pytest.approx(whole * 0.9 * 0.8)
    additive = dataclasses.replace(SCHEDULE, depreciation="additive")
    found = components(additive, pd.DataFrame([HOUSE | facts]), as_of=ON)
    # Age leaves 75 %; less 10 and 20 points: 45 %.
    assert float(found.building[0]) == pytest.approx(whole * 0.45 / 0.75)
    gone = components(additive, pd.DataFrame([HOUSE | {"external_percent": 90.0}]), as_of=ON)
    assert float(gone.building[0]) == 0


def test_land_tables_travel_through_json_and_bad_ones_are_refused() -> None:
    assert Schedule.from_json(LAND.as_json()) == LAND
    for wrong in (
        {"depreciation": "none"},
        {"land_rates": {"rear": -1.0}},
        {"depth": ((9.0, 1.0), (5.0, 1.0))},
    ):
        with pytest.raises(ScheduleError):
            dataclasses.replace(LAND, **wrong).checked()  # type: ignore[arg-type]
