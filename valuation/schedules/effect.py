"""What other tables would do to the values of a town, before anybody accepts them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from valuation.cost.rules import Schedule
from valuation.long_work import Tell, tell_nobody
from valuation.ratio.rules import RatioStudyError, study
from valuation.runs.rules.appraisal import raw_values, value_properties
from valuation.runs.rules.levelling import Tables

STEPS = 5
"""Reading sales, reading facts, valuing twice, studies."""


def effect_of(
    before: Tables,
    after: Schedule,
    frame: pd.DataFrame,
    sales: pd.DataFrame,
    *,
    features: pd.DataFrame | None = None,
    land_lines: pd.DataFrame | None = None,
    valued_on: dt.date,
    rounding: int = 100,
    tell: Tell = tell_nobody,
) -> dict[str, Any]:
    """Value a town at two sets of tables with the same local factors, and compare.

    Returns
    -------
    dict
        ``properties``, ``changed``, ``before`` and ``after`` (dollars), ``largest_percent``, ``groups``
        (name, properties changed, dollars before and after) and ``studies`` of the same sales: n, median,
        COD, PRD and PRB before and after, for all and by group.
    """
    values = {}
    for step, (name, schedule) in enumerate((("before", before.schedule), ("after", after))):
        tell(2 + step, STEPS, f"valuing at the tables {name}")
        raw = raw_values(schedule, frame, as_of=valued_on, features=features, land_lines=land_lines)
        values[name] = value_properties(raw, before.local, rounding=rounding).frame
    tell(4, STEPS, "ratio studies")
    old, new = (values[name]["value"].to_numpy(dtype=np.float64) for name in ("before", "after"))
    groups = values["before"]["group"].to_numpy()
    moved = old != new
    percent = 100 * np.abs(new / np.maximum(old, 1.0) - 1)
    rows = [
        {
            "name": str(name),
            "changed": int(moved[groups == name].sum()),
            "before": int(old[groups == name].sum()),
            "after": int(new[groups == name].sum()),
        }
        for name in sorted(set(groups[moved]))
    ]
    return {
        "properties": len(old),
        "changed": int(moved.sum()),
        "before": int(old.sum()),
        "after": int(new.sum()),
        "largest_percent": round(float(percent.max()), 1) if len(percent) else 0.0,
        "groups": rows,
        "studies": _studies(before, values, sales, sorted(set(groups[moved]))),
    }


def _studies(
    tables: Tables, values: dict[str, pd.DataFrame], sales: pd.DataFrame, groups: list[str]
) -> list[dict[str, Any]]:
    known = sales[sales["property_id"].isin(values["before"].index)]
    keys = pd.Index(known["property_id"])
    prices = known["price"].to_numpy(dtype=np.float64)
    level = tables.local.level(known["sold_on"].to_numpy(dtype=np.int64))
    of = values["before"]["group"].reindex(keys).to_numpy()
    told = []
    for name in ("all", *groups):
        rows = np.ones(len(known), dtype=bool) if name == "all" else of == name
        row: dict[str, Any] = {"name": name, "n": int(rows.sum())}
        for when, frame in values.items():
            figures = frame["value"].reindex(keys).to_numpy(dtype=np.float64)[rows] * level[rows]
            try:
                found = study(figures, prices[rows], stratum=name, resamples=0).figures
            except RatioStudyError:
                break
            row[when] = {key: found[key].as_json().get("value") for key in ("median", "cod", "prd", "prb")}
        else:
            told.append(row)
    return told
