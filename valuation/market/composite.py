"""The market model: trees over facts, time and earlier neighbours, tuned, corrected and bounded on later sales.

Everything that is chosen or fitted after the trees (their size, the share of the additive model, the vertical-equity
correction, the limits of intervals) is found on rolling-origin predictions: each block of training sales is predicted
by models of the sales before it. Rows that are not given to ``fit`` cannot reach any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from valuation.frames.rules import refuse_roll_values
from valuation.intervals.rules import Conformal, TooFewErrorsError
from valuation.market.equity import EquityCorrection, fit_equity
from valuation.market.neighbours import Block, Neighbours, blocks_by_day, expanding_features
from valuation.market.rules import Days, Floats, coded, numeric
from valuation.ratio.rules import cod

_PARAMETERS = {
    "num_leaves": 15,
    "learning_rate": 0.04,
    "min_data_in_leaf": 15,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "cat_smooth": 20.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
SHARES = (0.0, 0.1, 0.2, 0.3)
LOSSES = ("relative", "huber")
_SOFT, _CAP = 0.2, 0.7


def relative_loss(log_value: Floats, data: Any) -> tuple[Floats, Floats]:
    """Return gradient and (Gauss-Newton) curvature of ``sqrt((value / price - 1)^2 + 0.2^2)`` by the logarithm of value.

    It is the error that COD averages, smooth at 0; ratios above 2 pull no harder than one of 2, so that a price that
    is none (a forced sale far below the market) does not drag a street with it.
    """
    ratio = np.exp(np.clip(log_value - data.get_label(), -3.0, _CAP))
    error = ratio - 1
    length = np.sqrt(error**2 + _SOFT**2)
    return error * ratio / length, ratio**2 / length


@dataclass
class Market:
    """Boosted trees on log price with earlier neighbours; equal input, options and seed give equal values.

    Parameters
    ----------
    numbers, categories : tuple of str
        Facts. The day, the additive model's value and the neighbours' features are added.
    increasing, decreasing : tuple of str
        Facts whose growth may not lower (raise) the trees' value, all else equal.
    candidates : tuple of mappings
        Options of LightGBM and ``trees`` to choose from, by mean COD over the rolling folds; one needs no choice.
    members : int
        Seeds whose logarithms are averaged.
    blocks, folds : int
        Blocks of training sales by day, and how many of the last serve as folds.
    loss : str
        ``relative``: of value / price, what COD averages; ``huber``: of the logarithms.
    prb_target : float
        PRB that the correction aims at on the rolling predictions.
    correct_equity : bool
        Whether values are stretched so that PRB on the rolling predictions is the target.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    trees: int = 600
    loss: str = "relative"
    options: Mapping[str, Any] = field(default_factory=dict)
    candidates: tuple[Mapping[str, Any], ...] = ()
    increasing: tuple[str, ...] = ()
    decreasing: tuple[str, ...] = ()
    members: int = 2
    blocks: int = 12
    folds: int = 4
    first_share: float = 0.1
    correct_equity: bool = True
    prb_target: float = 0.0
    coverage: float = 0.90
    seed: int = 0
    threads: int = 2
    on_step: Callable[[str], object] | None = None

    def __post_init__(self) -> None:
        refuse_roll_values((*self.numbers, *self.categories))
        if self.loss not in LOSSES:
            raise ValueError(f"the loss is one of {', '.join(LOSSES)}, not {self.loss!r}")

    def fit(self, frame: pd.DataFrame, prices: Floats, sold_on: Days) -> Market:
        """Learn from sales (``prices`` in dollars, ``sold_on`` ordinal days), in any order."""
        order = np.argsort(sold_on, kind="stable")
        frame, prices, sold_on = frame.iloc[order].reset_index(drop=True), prices[order], sold_on[order]
        self.levels_ = {name: sorted(set(frame[name].astype(str))) for name in self.categories}
        self.last_day_ = int(sold_on.max())
        self._tell("neighbours")
        blocks = blocks_by_day(sold_on, count=self.blocks, first_share=self.first_share)
        around = expanding_features(
            frame, prices, sold_on, blocks, numbers=self.numbers, categories=self.categories
        )
        table = self._table(frame, sold_on, around)
        seen = (
            np.isfinite(around[:, 0]) if np.isfinite(around[:, 0]).sum() >= 100 else np.ones(len(frame), bool)
        )
        target = np.log(prices)
        self.middle_ = float(np.median(target[: max(len(target) // 2, 1)]))
        self._choose(table, target, prices, blocks, seen)
        self._tell("trees")
        rows = np.flatnonzero(seen)
        self.boosters_ = self._train(table[rows], target[rows], self.chosen_, self.members)
        self.neighbours_ = Neighbours(self.numbers, self.categories).fit(frame, prices, sold_on)
        return self

    def predict(self, frame: pd.DataFrame, on: Days) -> Floats:
        """Return dollars at the price level of each ordinal day (no later than the last sale seen)."""
        return self.predict_interval(frame, on)[0]

    def predict_interval(self, frame: pd.DataFrame, on: Days) -> tuple[Floats, Floats, Floats]:
        """Return values with lower and upper limits, in dollars; limits are NaN where none could be fitted."""
        around = self.neighbours_.transform(frame, np.maximum(on, self.last_day_ + 1))
        table = self._table(frame, np.minimum(on, self.last_day_), around)
        log = self._log(self.boosters_, table)
        raw = np.exp((1 - self.additive_share_) * log + self.additive_share_ * around[:, 0])
        values = self.equity_.apply(raw)
        if self.conformal_ is None:
            nothing = np.full(len(values), np.nan)
            return values, nothing, nothing
        low, high = self.conformal_.limits(table, values)
        return values, low, high

    def about(self) -> dict[str, Any]:
        """Return what was chosen and fitted beside the trees, as plain values."""
        return {
            "tuning": self.tuning_,
            "chosen": dict(self.chosen_),
            "additive_share": self.additive_share_,
            "equity_correction": self.equity_.as_json() if self.correct_equity else None,
            "interval_nominal": round(self.nominal_, 4) if self.conformal_ is not None else None,
            "intervals_from": self.conformal_.n_ if self.conformal_ is not None else 0,
        }

    def _choose(self, table: Floats, target: Floats, prices: Floats, blocks: list[Block], seen: Any) -> None:
        """Choose size, additive share, correction and limits on rolling-origin predictions."""
        folds = [block for block in blocks if seen[block.earlier].sum() >= 100][-self.folds :]
        choices = list(self.candidates) or [{}]
        self.tuning_: list[dict[str, Any]] = []
        best: tuple[float, list[Floats]] | None = None
        self.chosen_: Mapping[str, Any] = choices[0]
        for number, choice in enumerate(choices):
            self._tell(f"rolling folds {number + 1} of {len(choices)}")
            found = [self._fold(table, target, block, seen, choice) for block in folds]
            if not found:
                break
            figures = [cod(np.exp(p), prices[b.rows]) for p, b in zip(found, folds, strict=True)]
            self.tuning_.append({"options": dict(choice), "cod": [round(figure, 4) for figure in figures]})
            if best is None or np.mean(figures) < best[0] - 1e-9:
                best, self.chosen_ = (float(np.mean(figures)), found), choice
        self.equity_, self.conformal_, self.additive_share_ = EquityCorrection(), None, 0.0
        if best is None:
            return
        rows = np.concatenate([block.rows for block in folds])
        log, additive = np.concatenate(best[1]), table[rows, self._additive_at]
        if np.isfinite(additive).all():
            self.additive_share_ = min(
                SHARES, key=lambda share: cod(np.exp((1 - share) * log + share * additive), prices[rows])
            )
            log = (1 - self.additive_share_) * log + self.additive_share_ * additive
        values = np.exp(log)
        if self.correct_equity:
            self.equity_ = fit_equity(values, prices[rows], target=self.prb_target)
            values = self.equity_.apply(values)
        self.rolling_ = (values, prices[rows], rows)
        sizes = [len(block.rows) for block in folds]
        try:
            self.nominal_ = self._nominal(table[rows], values, prices[rows], sizes)
            self.conformal_ = Conformal(self.nominal_, seed=self.seed, threads=self.threads).fit(
                table[rows], values, prices[rows]
            )
        except TooFewErrorsError:
            self.conformal_ = None

    def _nominal(self, table: Floats, values: Floats, prices: Floats, sizes: list[int]) -> float:
        """Return the coverage to ask for: what limits of earlier folds missed on the next is added, up to 3 points."""
        ends = np.cumsum(sizes)
        misses = []
        for start, end in pairwise(ends):
            if start < 400:
                continue
            early = Conformal(self.coverage, seed=self.seed, threads=self.threads)
            early.fit(table[:start], values[:start], prices[:start])
            low, high = early.limits(table[start:end], values[start:end])
            inside = (prices[start:end] >= low) & (prices[start:end] <= high)
            misses.append(self.coverage - float(inside.mean()))
        allowance = float(np.clip(np.mean(misses), 0.0, 0.03)) if misses else 0.0
        return min(self.coverage + allowance, 0.995)

    def _fold(
        self, table: Floats, target: Floats, block: Block, seen: Any, choice: Mapping[str, Any]
    ) -> Floats:
        past = block.earlier[seen[block.earlier]]
        boosters = self._train(table[past], target[past], choice, min(self.members, 2))
        later = table[block.rows].copy()
        later[:, self._day_at] = np.minimum(later[:, self._day_at], table[past, self._day_at].max())
        return self._log(boosters, later)

    def _train(self, table: Floats, target: Floats, choice: Mapping[str, Any], members: int) -> list[Any]:
        import lightgbm

        options = {**_PARAMETERS, **self.options, **choice}
        trees = int(options.pop("trees", self.trees))
        codes = list(range(len(self.numbers) + 1, len(self.numbers) + 1 + len(self.categories)))
        monotone = [0] * table.shape[1]
        for direction, names in ((1, self.increasing), (-1, self.decreasing)):
            for name in names:
                monotone[self.numbers.index(name)] = direction
        if any(monotone):
            options |= {"monotone_constraints": monotone, "monotone_constraints_method": "intermediate"}
        # A loss of one's own starts at 0, so the middle is taken out of the target and put back by `_log`.
        loss = (
            {"objective": relative_loss} if self.loss == "relative" else {"objective": "huber", "alpha": 0.3}
        )
        boosters = []
        for member in range(members):
            data = lightgbm.Dataset(
                table, label=target - self.middle_, categorical_feature=codes, free_raw_data=True
            )
            seeded = {**loss, **options, "seed": self.seed + member, "num_threads": self.threads}
            boosters.append(lightgbm.train(seeded, data, num_boost_round=trees))
        return boosters

    def _log(self, boosters: list[Any], table: Floats) -> Floats:
        found = [booster.predict(table, num_threads=self.threads) for booster in boosters]
        return np.asarray(self.middle_ + np.mean(found, axis=0), dtype=np.float64)

    @property
    def _day_at(self) -> int:
        return len(self.numbers)

    @property
    def _additive_at(self) -> int:
        return len(self.numbers) + 1 + len(self.categories)

    def _table(self, frame: pd.DataFrame, days: Days, around: Floats) -> Floats:
        """Return numbers, day, codes, then the neighbours' features (the additive model's value first)."""
        codes = [coded(frame[name], self.levels_[name]).astype(np.float64) for name in self.categories]
        return np.column_stack([numeric(frame, self.numbers), days.astype(np.float64), *codes, around])

    def _tell(self, step: str) -> None:
        if self.on_step is not None:
            self.on_step(step)
