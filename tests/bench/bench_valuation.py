"""Valuing a region at two sizes: New Haven's real cards and sales, drawn again and again until there are enough.

    python -m tests.bench.bench_valuation [PROPERTIES ...]

Cost, market, ratio studies, flags, five comparables each, components and explanations, without a database.
Budget (design 7): 380,000 properties in 15 minutes and 4 GB. A sale is drawn with its card, so sales grow with
properties (about one for 19). Places are made: each neighbourhood has a centre, and its houses stand around it.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd

import valuation
from assessment.demo import files
from valuation.cost.rules import Schedule
from valuation.fitting.judging import peak_memory_mb
from valuation.fitting.new_haven import joined_sales
from valuation.runs.rules.groups import review_defaults
from valuation.runs.rules.pipeline import value_frame

YEAR = 2023
SHIPPED = Path(valuation.__file__).parent / "specs" / "shipped"


def region(count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a frame of ``count`` properties, of which the first are New Haven's own, and the sales of all."""
    cards = pd.read_csv(files.stored("new_haven_cama.csv"), keep_default_na=False)
    number = {
        name: pd.to_numeric(cards[name], errors="coerce")
        for name in ("land", "living", "year", "baths", "beds")
    }
    real = pd.DataFrame(
        {
            "land_sqft": number["land"] * 43_560,
            "living_sqft": number["living"],
            "year_built": number["year"],
            "baths": number["baths"],
            "bedrooms": number["beds"],
            "air_conditioning": (cards["ac"] == "yes").astype(float),
            "percent_complete": 100.0,
            "outbuildings_value_new": 0.0,
            "style": cards["style"],
            "grade": cards["grade"],
            "condition": "",
            "use": "1010",
            "neighbourhood": cards["nghd"].astype(str),
            "state_class": "100",
            "group": "single",
            "is_synthetic": False,
        }
    )
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(real), max(count - len(real), 0))
    origin = np.concatenate([np.arange(len(real)), drawn])[:count]
    frame = real.iloc[origin].reset_index(drop=True)
    codes, names = pd.factorize(frame["neighbourhood"])
    centres = random.normal(0, 12_000, (2, len(names)))
    frame["x"] = 950_000 + centres[0, codes] + random.normal(0, 2_000, count)
    frame["y"] = 690_000 + centres[1, codes] + random.normal(0, 2_000, count)
    frame.insert(0, "property_id", [UUID(int=at) for at in range(count)])
    sales = joined_sales()
    sales = sales[sales["Non Use Code"] == ""]
    at = pd.Series(range(len(cards)), index=cards["pid"].astype(str))
    days = pd.to_datetime(sales["Date Recorded"], format="%m/%d/%Y")
    table = pd.DataFrame(
        {
            "card": [int(at[pid]) for pid in sales["pid"]],
            "price": pd.to_numeric(sales["Sale Amount"]).to_numpy(dtype=np.float64),
            "sold_on": [day.toordinal() for day in days],
        }
    )
    table = table[table["sold_on"] >= dt.date(2021, 10, 1).toordinal()]
    places = pd.DataFrame({"card": origin, "property_id": frame["property_id"]})
    table = places.merge(table, on="card")
    return frame, table.drop(columns="card").sort_values(["sold_on", "property_id"]).reset_index(drop=True)


def main(sizes: list[int]) -> None:
    """Measure each size and print a line for it, then the growth from the first to the last."""
    plain = json.loads((SHIPPED / "ct_residential.json").read_text(encoding="utf-8"))["schedule"]
    spent = []
    for count in sizes:
        frame, sales = region(count)
        began, worked = time.perf_counter(), time.process_time()
        result = value_frame(
            frame,
            sales,
            valued_on=dt.date(YEAR, 10, 1),
            schedule=Schedule.from_json(plain),
            calibration={},
            settings=review_defaults(),
        )
        result.valued.components()
        result.valued.explanations()
        spent.append(time.perf_counter() - began)
        own = time.process_time() - worked
        stages = ", ".join(f"{stage['name']} {stage['seconds']:.1f}" for stage in result.stages)
        print(
            f"{count:>9,} properties: {spent[-1]:.1f} s, own work {own:.1f} s ({stages}, the rest is lines and explanations), "
            f"{result.counts['sales']:,} sales, peak {peak_memory_mb():,.0f} MB"
        )
        comparables = result.comparables
        assert comparables is not None
        there = comparables.chosen >= 0
        then = comparables.sales["then"].to_numpy()[np.where(there, comparables.chosen, 0)]
        sums = comparables.adjustments.sum(axis=2)
        assert (sums[there] == (comparables.values[:, None] - then)[there]).all()
        print(f"{int(there.sum()):>9,} comparables, all of whose adjustments sum to the dollar")
        started = time.perf_counter()
        told = result.valued.explanations()
        assert all(
            sum(int(each[1]) for each in row) == value
            for row, value in zip(told, result.valued.frame["value"], strict=True)
        )
        seconds = time.perf_counter() - started
        print(f"{len(told) / seconds:>9,.0f} explanations a second, all of which sum to their value")

    if len(sizes) > 1:
        print(
            f"{sizes[-1] / sizes[0]:.1f} times the properties take {spent[-1] / spent[0]:.1f} times as long"
        )


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [190_000, 380_000])
