"""Every way of valuing, judged on the sales that were held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.market.rules import fixed_value, value_per_area
from valuation.ratio.rules import RatioStudy, RatioStudyError, study
from valuation.runs.rules.appraisal import Valued
from valuation.runs.rules.local import LocalFactors

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """One ratio study: of what, on which stratum."""

    subject: str
    stratum_kind: str
    result: RatioStudy


def judge_held_out(
    valued: Valued,
    market: pd.Series,
    cards: pd.Series | None,
    frame: pd.DataFrame,
    sales: pd.DataFrame,
    fitted: NDArray[np.bool_],
    local: LocalFactors,
    *,
    seed: int,
    resamples: int,
) -> list[Study]:
    """Judge every way of valuing on the held-out sales, all on the same ones, at each sale's price level."""
    held = sales[~fitted]
    if len(held) < 5:
        return []
    keys = pd.Index(held["property_id"])
    prices = held["price"].to_numpy(dtype=np.float64)
    level = local.level(held["sold_on"].to_numpy(dtype=np.int64))
    values = {"cost": valued.frame["value"].reindex(keys).to_numpy(dtype=np.float64) * level}
    areas = frame[~frame["property_id"].duplicated()].set_index("property_id")["living_sqft"]
    paid = sales["price"].to_numpy(dtype=np.float64)[fitted]
    known = areas.reindex(pd.Index(sales["property_id"][fitted])).to_numpy(dtype=np.float64)
    values["fixed_value"] = fixed_value(paid, len(held))
    values["value_per_area"] = value_per_area(paid, known, areas.reindex(keys).to_numpy(dtype=np.float64))
    groups = valued.frame["group"].reindex(keys).to_numpy()
    places = valued.frame["neighbourhood"].reindex(keys).to_numpy()

    studies = []

    def judge(subject: str, kind: str, name: str, figures: Floats, rows: NDArray[np.bool_]) -> None:
        usable = rows & np.isfinite(figures) & (figures > 0)
        if usable.sum() < 5:
            return
        for rule in ("none", "extreme") if kind == "all" else ("none",):
            try:
                result = study(
                    figures[usable],
                    prices[usable],
                    stratum=name,
                    trim_rule=rule,
                    resamples=resamples,
                    seed=seed,
                )
            except RatioStudyError:
                continue
            studies.append(Study(subject, kind, result))

    everything = np.ones(len(held), dtype=bool)
    for subject, figures in values.items():
        judge(subject, "all", "all", figures, everything)
    for subject, series in (("market", market), ("cards", cards)):
        if series is None or not len(series):
            continue
        figures = series.reindex(keys).to_numpy(dtype=np.float64)
        judge(subject, "all", "all", figures * (level if subject == "market" else 1.0), everything)
    with_check = np.isfinite(market.reindex(keys).to_numpy(dtype=np.float64)) if len(market) else everything
    if len(market) and not with_check.all():
        for subject in ("cost", "fixed_value", "value_per_area"):
            judge(subject, "market_subset", "where the market model applies", values[subject], with_check)
    for kind, names in (("group", groups), ("neighbourhood", places)):
        for name in sorted({str(name) for name in names}):
            judge("cost", kind, name, values["cost"], (names == name).astype(bool))
    return studies
