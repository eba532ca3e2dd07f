"""Each jurisdiction's error by three fits: its own, one for all, and partially pooled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.market.rules import Hedonic
from valuation.pooling.rules import ENOUGH_TO_STAND_ALONE, Local, PartiallyPooled

Floats = NDArray[np.float64]
Days = NDArray[np.int64]
FITS = ("local", "pooled", "partial")


def pooled_three_ways(
    train: pd.DataFrame,
    prices: Floats,
    sold_on: Days,
    asked: pd.DataFrame,
    later: Days,
    *,
    stratum: str,
    numbers: tuple[str, ...],
    categories: tuple[str, ...],
) -> tuple[dict[str, Floats], dict[str, dict[str, Any]]]:
    """Return values of the asked rows by each of `FITS`, and what is known of each stratum.

    All three are additive models of log price on the same facts without the stratum itself; they differ in whose
    sales they see. A stratum without sales of its own has no local fit (NaN), and the common model as the partial one.
    """
    categories = tuple(name for name in categories if name != stratum)
    partial = PartiallyPooled(numbers, categories, stratum).fit(train, prices, sold_on)
    values = {
        "local": np.full(len(asked), np.nan),
        "pooled": Hedonic(numbers, categories).fit(train, prices, sold_on).predict(asked, later),
        "partial": partial.predict(asked, later),
    }
    known = train[stratum].astype(str).to_numpy(dtype=object)
    wanted = asked[stratum].astype(str).to_numpy(dtype=object)
    about = {}
    for name in sorted(set(wanted)):
        mine, theirs = known == name, wanted == name
        count = int(mine.sum())
        if count:
            local = Local(numbers, categories).fit(train[mine], prices[mine], sold_on[mine])
            values["local"][theirs] = local.predict(asked[theirs], later[theirs])
        about[str(name)] = {
            "n_train": count,
            "n_holdout": int(theirs.sum()),
            "credibility": round(partial.credibility_.get(str(name), 0.0), 4),
            "basis": basis_of(count),
        }
    return values, about


def basis_of(sales: int) -> str:
    """Return in words what a stratum's partially pooled values stand on: the stated fallback."""
    if not sales:
        return "common model: no sales of its own"
    if sales < ENOUGH_TO_STAND_ALONE:
        return "partially pooled: too few sales to stand alone"
    return "partially pooled"


def stratum_errors(
    values: dict[str, Floats], about: dict[str, dict[str, Any]], wanted: pd.Series, prices: Floats
) -> dict[str, Any]:
    """Return the MAPE of each fit in each stratum and in total, and in how many strata partial is no worse."""
    names = wanted.astype(str).to_numpy(dtype=object)
    error = {fit: 100 * np.abs(found / prices - 1) for fit, found in values.items()}
    by = {}
    for name, row in about.items():
        mine = names == name
        by[name] = {**row, **{f"mape_{fit}": _mean(error[fit][mine]) for fit in FITS}}
    both = np.isfinite(values["local"])
    better = [row for row in by.values() if row["mape_local"] is not None]
    return {
        "total": {
            "n": int(both.sum()),
            **{f"mape_{fit}": _mean(error[fit][both]) for fit in FITS},
            "strata": len(by),
            "partial_no_worse_than_local": sum(row["mape_partial"] <= row["mape_local"] for row in better),
            "partial_no_worse_than_pooled": sum(row["mape_partial"] <= row["mape_pooled"] for row in better),
        },
        "by_stratum": by,
    }


def mean_interval(error: Floats, *, seed: int, draws: int = 1000) -> list[float]:
    """Return the 95 % percentile bootstrap interval of a mean."""
    random = np.random.default_rng(seed)
    means = [float(error[random.integers(0, len(error), len(error))].mean()) for _ in range(draws)]
    return [float(limit) for limit in np.percentile(means, (2.5, 97.5))]


def _mean(error: Floats) -> float | None:
    known = error[np.isfinite(error)]
    return round(float(known.mean()), 4) if len(known) else None
