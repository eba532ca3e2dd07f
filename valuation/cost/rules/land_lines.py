"""Land that is valued by its own line: front feet with depth, rear acres, lots, wetland."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.cost.rules.arithmetic import number
from valuation.cost.rules.schedule import Schedule

Floats = NDArray[np.float64]
_SQFT_AN_ACRE, _USUAL_DEPTH_FT = 43_560.0, 100.0


def land_line_values(lines: pd.DataFrame, schedule: Schedule) -> pd.DataFrame:
    """Value the lines that the schedule has a rate for, and say how much area they take from the curve.

    A line's rate is that of its kind (``rear``, ``wetland``, ``excess``, ...) or else of its unit
    (``front_foot``, ``lot``): dollars for an acre of area lines, for a foot of frontage, for a lot. Front feet are
    adjusted by the depth table. Each line is multiplied by its size, site, condition and neighbourhood factor.

    Parameters
    ----------
    lines : DataFrame
        ``property_id``, ``land_type``, ``unit``, ``quantity``, ``depth_ft``, ``site_index``,
        ``condition_factor``, ``size_factor``, ``neighbourhood_factor``.

    Returns
    -------
    DataFrame
        Index ``property_id``: ``dollars``; ``sqft_taken``, the area of those lines that the facts count as land;
        ``site_index``, the mean of site index by condition of the other lines, weighted by area (1 without any).
    """
    kind, unit = (lines[name].astype(str).to_numpy(dtype=object) for name in ("land_type", "unit"))
    rates = np.array(
        [
            schedule.land_rates.get(kind[at], schedule.land_rates.get(unit[at], np.nan))
            if unit[at] in ("front_foot", "lot") or kind[at] in schedule.land_rates
            else np.nan
            for at in range(len(lines))
        ],
        dtype=np.float64,
    )
    quantity, depth = number(lines, "quantity"), number(lines, "depth_ft", missing=_USUAL_DEPTH_FT)
    acres = np.select([unit == "acre", unit == "sqft"], [quantity, quantity / _SQFT_AN_ACRE], 0.0)
    area = np.select([unit == "front_foot"], [quantity * depth], acres * _SQFT_AN_ACRE)
    points = np.array(schedule.depth)
    by_unit = np.select(
        [unit == "front_foot", unit == "lot"],
        [quantity * np.interp(depth, points[:, 0], points[:, 1]), quantity],
        acres,
    )
    site = number(lines, "site_index", missing=1.0) * number(lines, "condition_factor", missing=1.0)
    factor = (
        site * number(lines, "size_factor", missing=1.0) * number(lines, "neighbourhood_factor", missing=1.0)
    )
    by_line = np.isfinite(rates)
    counted = kind != "wetland"
    rows = pd.DataFrame(
        {
            "property_id": lines["property_id"].to_numpy(),
            "dollars": np.where(by_line, by_unit * factor * np.nan_to_num(rates), 0.0),
            "sqft_taken": np.where(by_line & counted, area, 0.0),
            "left": np.where(by_line | ~counted, 0.0, area),
            "weighted": np.where(by_line | ~counted, 0.0, area * site),
        }
    )
    found = rows.groupby("property_id", sort=False).sum()
    index = (found["weighted"] / found["left"].where(found["left"] > 0)).fillna(1.0)
    return pd.DataFrame({"dollars": found["dollars"], "sqft_taken": found["sqft_taken"], "site_index": index})
