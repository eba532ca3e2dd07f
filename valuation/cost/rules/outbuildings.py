"""Outbuildings and extra features: units by rate, by what is left of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from valuation.cost.rules.arithmetic import number
from valuation.cost.rules.schedule import Schedule

_UNKNOWN_AGE = 20.0
"""Years that an outbuilding without year and percent good is taken to be."""


@cache
def default_rates() -> Mapping[str, float]:
    """Return the placeholder rates by code; none is verified."""
    path = Path(__file__).parents[1] / "parameters" / "outbuildings.yaml"
    plain: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {code: float(row["dollars"]) for code, row in plain["rates"].items()}


def outbuilding_values(features: pd.DataFrame, schedule: Schedule, *, as_of: dt.date) -> pd.DataFrame:
    """Return what stands on each property besides its buildings.

    Parameters
    ----------
    features : DataFrame
        ``property_id``, ``code``, ``quantity``, ``year_built``, ``percent_good``, ``percent_complete``.

    Returns
    -------
    DataFrame
        Index ``property_id``; ``dollars`` (quantity x rate x percent good x percent complete; the percent good
        of the card, else the schedule's at its age), ``without_rate`` and ``unverified`` (a placeholder rate).
    """
    codes = features["code"].astype(str).str.strip().str.upper()
    own = {code.upper(): rate for code, rate in schedule.outbuildings.items()}
    rates = codes.map({**default_rates(), **own})
    built = number(features, "year_built", missing=np.nan)
    ages = np.where(np.isfinite(built), np.maximum(as_of.year - built, 0.0), _UNKNOWN_AGE)
    good = np.interp(ages, *np.array(schedule.percent_good).T)
    stated = number(features, "percent_good", missing=np.nan)
    good = np.where(np.isfinite(stated), stated / 100, good)
    complete = np.clip(number(features, "percent_complete", missing=100.0), 0, 100) / 100
    known = rates.notna().to_numpy()
    rows = pd.DataFrame(
        {
            "property_id": features["property_id"].to_numpy(),
            "dollars": number(features, "quantity")
            * rates.fillna(0.0).to_numpy(dtype=np.float64)
            * good
            * complete,
            "without_rate": ~known,
            "unverified": known & ~codes.isin(list(own)).to_numpy(),
        }
    )
    found = rows.groupby("property_id", sort=False)
    return pd.DataFrame(
        {
            "dollars": found["dollars"].sum(),
            "without_rate": found["without_rate"].any(),
            "unverified": found["unverified"].any(),
        }
    )
