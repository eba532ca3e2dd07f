"""How each way of valuing did on the held-out sales, and the report of a fit."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuation.cost.rules import Schedule
from valuation.fitting.spec import FitSpec
from valuation.intervals.rules import coverage_of
from valuation.ratio.rules import RatioStudy, study

Floats = NDArray[np.float64]
BASELINES = ("fixed_value", "value_per_area")
NOT_OURS = (*BASELINES, "cards")


def peak_memory_mb() -> float:
    """Return the largest resident size of this process so far, in MB (10**6 bytes)."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 1e6 if sys.platform == "darwin" else size * 1024 / 1e6


@dataclass(frozen=True)
class Prediction:
    """Values of the held-out sales by one model, made without their prices; limits where the model gives them."""

    values: Floats
    seconds: float
    low: Floats | None = None
    high: Floats | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """One way of valuing, judged on the held-out sales."""

    name: str
    study: RatioStudy
    mape_percent: float
    r2: float
    prediction: Prediction
    intervals: Mapping[str, Any]

    @property
    def values(self) -> Floats:
        """Return dollars."""
        return self.prediction.values

    @property
    def seconds(self) -> float:
        """Return how long fitting and predicting took."""
        return self.prediction.seconds

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        figures = {key: self.study[key].as_json() for key in ("median", "cod", "prd", "prb", "mki")}
        return {
            "n": self.study.n,
            "median_ratio": self.study["median"].value,
            **{key: self.study[key].value for key in ("cod", "prd", "prb", "mki")},
            "mape": self.mape_percent,
            "r2": self.r2,
            **self.intervals,
            "intervals": {key: [f.get("low"), f.get("high")] for key, f in figures.items()},
            "seconds": round(self.seconds, 3),
        }


def judge(
    name: str, found: Prediction, prices: Floats, *, coverage: float, resamples: int, seed: int
) -> Judged:
    """Judge predictions by the prices that were paid."""
    ratio_study = study(found.values, prices, stratum=name, resamples=resamples, seed=seed)
    error = found.values / prices - 1
    spread = float(((prices - prices.mean()) ** 2).sum())
    intervals: dict[str, Any] = {}
    if found.low is not None and found.high is not None and np.isfinite(found.low).all():
        seen = coverage_of(found.low, found.high, found.values, prices)
        intervals = {
            "interval_coverage": seen.share,
            "interval_coverage_by_fifth": list(seen.fifths),
            "interval_width": seen.median_width,
            "interval_nominal": coverage,
        }
    return Judged(
        name,
        ratio_study,
        float(100 * np.abs(error).mean()),
        1 - float(((found.values - prices) ** 2).sum()) / spread if spread > 0 else float("nan"),
        found,
        intervals,
    )


@dataclass(frozen=True)
class FitReport:
    """The outcome of a fit; arrays of ``held`` are in the order of the predictions."""

    spec: FitSpec
    train_rows: int
    holdout_from: str
    left_out: dict[str, int]
    judged: dict[str, Judged]
    schedule: Schedule | None
    held: Mapping[str, Any]
    strata: Mapping[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def chosen(self) -> Judged:
        """Return the model that the spec names."""
        return self.judged[self.spec.model]

    def beats(self, model: str, baseline: str) -> bool:
        """Return whether the model's COD interval lies wholly below the baseline's."""
        ours, theirs = self.judged[model].study["cod"].interval, self.judged[baseline].study["cod"].interval
        return ours is not None and theirs is not None and ours.high < theirs.low

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON; everything about the named model is under ``holdout``."""
        models = [name for name in self.judged if name not in NOT_OURS]
        memory = round(peak_memory_mb(), 1)
        holdout = {
            **self.chosen.as_json(),
            "interval_coverage": self.chosen.intervals.get("interval_coverage"),
            "baselines": {name: self.judged[name].as_json() for name in NOT_OURS if name in self.judged},
            "strata": self.strata,
            "peak_memory_mb": memory,
            **self.provenance,
        }
        return {
            "name": self.spec.name,
            "model": self.spec.model,
            "train": {"n": self.train_rows, "rows_left_out": self.left_out},
            "holdout_from": self.holdout_from,
            "holdout": holdout,
            "compared": {name: judged.as_json() for name, judged in self.judged.items()},
            "beats_baselines_beyond_intervals": {
                name: all(self.beats(name, baseline) for baseline in BASELINES) for name in models
            },
            "about": {
                name: dict(one.prediction.about) for name, one in self.judged.items() if one.prediction.about
            },
            "schedule": self.schedule.as_json() if self.schedule else None,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
            "peak_memory_mb": memory,
        }
