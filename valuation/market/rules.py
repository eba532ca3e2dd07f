"""Two market models of the logarithm of price, with one interface.

`Hedonic` is a ridge regression one can print; `Boosted` is LightGBM. Both learn from facts, place and date
only, refuse features that are values, give the same answer for the same input and seed, and predict at the price
level of a given day (flat after the last sale they saw).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.frames.rules import refuse_roll_values

Floats = NDArray[np.float64]
Days = NDArray[np.int64]


class MarketModel(Protocol):
    """What every market model does."""

    def fit(self, frame: pd.DataFrame, prices: Floats, sold_on: Days) -> MarketModel:
        """Learn from sales; learned attributes end in ``_``."""
        ...

    def predict(self, frame: pd.DataFrame, on: Days) -> Floats:
        """Return dollars at the price level of each ordinal day."""
        ...


def numeric(frame: pd.DataFrame, names: tuple[str, ...]) -> Floats:
    """Return columns as floats, side by side; what is no number is NaN."""
    columns = [pd.to_numeric(frame[name], errors="coerce").to_numpy(float, na_value=np.nan) for name in names]
    return np.column_stack(columns) if columns else np.zeros((len(frame), 0))


def coded(cells: pd.Series, levels: list[str]) -> NDArray[np.intp]:
    """Return each code's place among the levels, -1 for one that is not there."""
    text = pd.Index(cells.astype(str).tolist(), dtype=object)
    return np.asarray(pd.Index(levels, dtype=object).get_indexer(text), dtype=np.intp)


@dataclass
class Hedonic:
    """Ridge regression of log price on standardised facts, codes, place and a price level by date.

    Parameters
    ----------
    numbers, categories : tuple of str
        Columns; areas (names ending in ``_sqft``) enter as logarithms; every number also as a square.
    hold : float
        Ridge on codes and squares: sales that one code must bring to move half-way to its own mean.
    knot_days : int
        Distance of the knots of the price level.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    hold: float = 4.0
    knot_days: int = 120

    def __post_init__(self) -> None:
        refuse_roll_values((*self.numbers, *self.categories))

    def fit(self, frame: pd.DataFrame, prices: Floats, sold_on: Days) -> Hedonic:
        """Learn from sales (``prices`` in dollars, ``sold_on`` ordinal days)."""
        raw = self._transformed(frame)
        self.fill_ = np.nan_to_num(np.nanmedian(raw, axis=0)) if raw.shape[1] else np.zeros(0)
        filled = np.where(np.isnan(raw), self.fill_, raw)
        self.mean_, deviation = filled.mean(axis=0), filled.std(axis=0)
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        self.levels_ = {}
        for name in self.categories:
            counts = frame[name].astype(str).value_counts()
            self.levels_[name] = sorted(map(str, counts.index[counts >= 5]))
        first, last = int(sold_on.min()), int(sold_on.max())
        self.knots_ = np.linspace(first, max(last, first + 1), max(2, (last - first) // self.knot_days + 1))
        design, ridge = self.design(frame, sold_on)
        target = np.log(prices)
        self.level_ = float(target.mean())
        gram = design.T @ design + np.diag(ridge)
        self.coefficients_ = np.linalg.solve(gram, design.T @ (target - self.level_))
        return self

    def predict(self, frame: pd.DataFrame, on: Days) -> Floats:
        """Return dollars at the price level of each ordinal day."""
        design, _ = self.design(frame, on)
        return np.asarray(np.exp(self.level_ + design @ self.coefficients_), dtype=np.float64)

    def _transformed(self, frame: pd.DataFrame) -> Floats:
        raw = numeric(frame, self.numbers)
        for index, name in enumerate(self.numbers):
            if name.endswith("_sqft"):
                raw[:, index] = np.log1p(np.maximum(raw[:, index], 0))
        return raw

    def design(self, frame: pd.DataFrame, days: Days) -> tuple[Floats, Floats]:
        """Return the columns (1, standardised numbers, squares, gaps, codes, price level) and the ridge of each."""
        raw = self._transformed(frame)
        missing = np.isnan(raw)
        z = np.clip((np.where(missing, self.fill_, raw) - self.mean_) / self.scale_, -5, 5)
        parts = [np.ones((len(frame), 1)), z, z**2, missing.astype(np.float64)]
        ridge = [np.full(1, 1e-6), np.full(z.shape[1], 1e-2), np.full(2 * z.shape[1], self.hold)]
        for name in self.categories:
            levels = self.levels_[name]
            codes = coded(frame[name], levels)
            hot = np.zeros((len(frame), len(levels) + 1))
            hot[np.arange(len(frame)), codes] = 1.0
            parts.append(hot[:, :-1])
            ridge.append(np.full(len(levels), self.hold))
        at = np.clip(days.astype(np.float64), self.knots_[0], self.knots_[-1])
        right = np.clip(np.searchsorted(self.knots_, at, side="right"), 1, len(self.knots_) - 1)
        share = (at - self.knots_[right - 1]) / (self.knots_[right] - self.knots_[right - 1])
        level = np.zeros((len(frame), len(self.knots_)))
        level[np.arange(len(frame)), right - 1] = 1 - share
        level[np.arange(len(frame)), right] = share
        parts.append(level)
        ridge.append(np.full(len(self.knots_), 1e-2))
        return np.hstack(parts), np.concatenate(ridge)


@dataclass
class Boosted:
    """LightGBM on log price; bit-equal on a repeat with the same seed and number of threads.

    Parameters
    ----------
    numbers, categories : tuple of str
        Columns. The day of sale is added as a number.
    trees, leaves, learning_rate, least_in_leaf
        Size of the model.
    threads : int
        One by default: on a busy machine two threads waiting for each other took 15 times as long.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    trees: int = 700
    leaves: int = 31
    learning_rate: float = 0.04
    least_in_leaf: int = 15
    seed: int = 0
    threads: int = 1
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        refuse_roll_values((*self.numbers, *self.categories))

    def fit(self, frame: pd.DataFrame, prices: Floats, sold_on: Days) -> Boosted:
        """Learn from sales (``prices`` in dollars, ``sold_on`` ordinal days)."""
        import lightgbm

        self.levels_ = {name: sorted(set(frame[name].astype(str))) for name in self.categories}
        self.last_day_ = int(sold_on.max())
        table = self._table(frame, sold_on)
        data = lightgbm.Dataset(
            table,
            label=np.log(prices),
            categorical_feature=list(range(table.shape[1] - len(self.categories), table.shape[1])),
            free_raw_data=True,
        )
        options = {
            "objective": "regression",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.least_in_leaf,
            "feature_fraction": 0.7,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "cat_smooth": 20.0,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.threads,
            "seed": self.seed,
            "verbose": -1,
            **self.options,
        }
        self.booster_ = lightgbm.train(options, data, num_boost_round=self.trees)
        return self

    def predict(self, frame: pd.DataFrame, on: Days) -> Floats:
        """Return dollars at the price level of each ordinal day (no later than the last sale seen)."""
        table = self._table(frame, np.minimum(on, self.last_day_))
        return np.asarray(np.exp(self.booster_.predict(table, num_threads=self.threads)), dtype=np.float64)

    def _table(self, frame: pd.DataFrame, days: Days) -> Floats:
        codes = [coded(frame[name], self.levels_[name]).astype(np.float64) for name in self.categories]
        numbers = numeric(frame, self.numbers)
        return np.column_stack([numbers, days.astype(np.float64), *codes])


def fixed_value(prices: Floats, rows: int) -> Floats:
    """Return the naive floor: the median price for everything."""
    return np.full(rows, float(np.median(prices)))


def value_per_area(prices: Floats, areas: Floats, wanted: Floats) -> Floats:
    """Return median price per square foot times area; where a side has no area, the median price."""
    known = np.isfinite(areas) & (areas > 0)
    rate = float(np.median(prices[known] / areas[known])) if known.any() else 0.0
    usable = np.isfinite(wanted) & (wanted > 0) & (rate > 0)
    return np.where(usable, rate * np.where(usable, wanted, 0.0), float(np.median(prices)))
