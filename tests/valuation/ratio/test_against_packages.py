"""The conformance script notices a figure that is off, and lets rounding of the other program pass."""

from __future__ import annotations

import numpy as np

from tests.bench.against_ratio_packages import compare, made, ours
from valuation.ratio import rules


def test_a_figure_beyond_its_tolerance_is_named_and_one_within_it_is_not() -> None:
    values, prices = (column.tolist() for column in made(200, 1))
    mine = ours(values, prices)
    theirs = {"made": {program: dict(figures) for program, figures in mine.items()}}
    asked = {"made": (values, prices)}
    assert compare(theirs, asked) == []
    theirs["made"]["ratio-study"]["prb"] = round(theirs["made"]["ratio-study"]["prb"] * 0.99979, 5)
    theirs["made"]["ratio-study"]["cod"] *= 1 + 1e-7
    assert compare(theirs, asked) == []
    theirs["made"]["assesspy"]["cod"] *= 1 + 1e-6
    assert [line.split(":")[0:2] for line in compare(theirs, asked)] == [
        [
            "made",
            f" cod {rules.cod(values, prices):.10f}, assesspy has {theirs['made']['assesspy']['cod']:.10f}",
        ]
    ]


def test_made_sales_repeat_themselves_and_have_no_ties() -> None:
    first, again = made(300, 4), made(300, 4)
    assert np.array_equal(first, again)
    assert len(np.unique(first[1])) == 300
