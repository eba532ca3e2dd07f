"""Every explanation and every split equals its value: several buildings, half built, nothing known, land by line."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.valuation.comparables.test_rules import LOCAL, VALUED_ON, town
from tests.valuation.cost.test_land_lines import LAND, lines
from valuation.runs.rules.appraisal import raw_values, value_properties


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.sampled_from([1, 100, 1000]))
def test_explanations_and_lines_sum_to_the_value(seed: int, rounding: int) -> None:
    frame = town(40, seed)
    frame["functional_percent"] = [float(at % 5) * 10 for at in range(len(frame))]
    some = lines(
        ("p00003", "rear", "acre", 2.5, None),
        ("p00007", "primary", "front_foot", 75.0, 140.0, 1.1),
        ("p00008", "wetland", "acre", 1.0, None),
    )
    valued = value_properties(
        raw_values(LAND, frame, as_of=VALUED_ON, land_lines=some), LOCAL, rounding=rounding
    )
    values = valued.frame["value"].tolist()
    assert [sum(int(row[1]) for row in told) for told in valued.explanations()] == values  # type: ignore[call-overload]
    assert [sum(int(row[1]) for row in each) for each in valued.components()] == values  # type: ignore[call-overload]
    assert all(value % rounding == 0 for value in values)
    words = valued.explanations()[valued.frame.index.get_loc("p00005")][-1][0]
    assert "1 more building" in str(words)
