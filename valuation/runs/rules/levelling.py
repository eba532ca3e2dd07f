"""The tables of a run, and their level brought to the latest sales, with limits from those sales' errors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from valuation.cost.rules import Schedule
from valuation.runs.rules.local import LocalFactors, limits_from

LEAST_TO_LEVEL = 30


@dataclass(frozen=True)
class Tables:
    """What makes the values. An interim year uses those of its base, so what did not change keeps its value.

    Attributes
    ----------
    schedule, local
        Tables of the cost approach, and the town's local factors.
    aged_on : date
        Day on which buildings are as old as the values take them to be: the revaluation's.
    """

    schedule: Schedule
    local: LocalFactors
    aged_on: dt.date

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "schedule": self.schedule.as_json(),
            "local": self.local.as_json(),
            "aged_on": self.aged_on.isoformat(),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Tables:
        """Read the tables of a run."""
        return cls(
            Schedule.from_json(plain["schedule"]),
            LocalFactors.from_json(plain["local"]),
            dt.date.fromisoformat(plain["aged_on"]),
        )


def levelled(
    tables: Tables, valued: pd.DataFrame, held: pd.DataFrame, *, coverage: float
) -> tuple[float, Tables]:
    """Bring the town's level to the held-out sales, which are the latest, and take the limits from their errors.

    One number for the whole town: it moves the median ratio, which the studies report as it was before, and
    leaves COD, PRD, PRB and MKI of the later sales as they were judged.
    """
    sold = valued.loc[held["property_id"]]
    mine, prices = sold["value"].to_numpy(dtype=np.float64), held["price"].to_numpy(dtype=np.float64)
    before = float(np.median(mine / prices))
    level = round(1 / before, 4)
    row = {
        "kind": "final level",
        "name": "all",
        "factor": level,
        "n": len(held),
        "median_ratio_before": round(before, 4),
        "median_ratio_after": round(before * level, 4),
    }
    paid = prices / tables.local.level(held["sold_on"].to_numpy(dtype=np.int64))
    limits = limits_from(mine * level, paid, sold["group"].reset_index(drop=True), coverage=coverage)
    local = replace(
        tables.local,
        town=round(tables.local.town * level, 4),
        spreads=limits or tables.local.spreads,
        evidence=(*tables.local.evidence, row),
    )
    return level, replace(tables, local=local)


def market_levelled(market: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Bring the market estimates to the level of the held-out sales in the same way."""
    mine = market["value"].reindex(pd.Index(held["property_id"])).to_numpy(dtype=np.float64)
    known = np.isfinite(mine)
    if known.sum() < LEAST_TO_LEVEL:
        return market
    level = 1 / float(np.median(mine[known] / held["price"].to_numpy(dtype=np.float64)[known]))
    out = (100 * (market * level / 100).round()).astype(np.int64)
    out.attrs.update(market.attrs)
    return out
