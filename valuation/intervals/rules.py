"""Conformal prediction intervals: limits taken from errors on later sales, scaled by how hard a property is.

Errors are of logarithms, on sales that the predicting model had not seen. Each error is divided by a size of error
expected for that kind of property; the limits are order statistics of these quotients, taken apart in each fifth of
predicted value where the sales allow. Lower and upper limit are apart, since errors are skew.

Sources: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018 (split and locally weighted); Vovk 2012 (Mondrian, cross).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FOLDS, _LEAST_IN_CLASS, _LEAST_FOR_SCALE, _LEAST = 5, 120, 400, 20


class TooFewErrorsError(ValueError):
    """Too few sales to take limits from."""

    code = "too_few_errors"


def order_limits(errors: Floats, coverage: float) -> tuple[float, float]:
    """Return the two order statistics between which a new error falls with at least the coverage.

    Ranks ``floor((n + 1) a / 2)`` and ``ceil((n + 1)(1 - a / 2))`` for ``a = 1 - coverage``, held inside 1..n.
    """
    ordered = np.sort(errors)
    n, half = len(ordered), (1 - coverage) / 2
    low = max(int(np.floor((n + 1) * half + 1e-9)), 1)
    high = min(int(np.ceil((n + 1) * (1 - half) - 1e-9)), n)
    return float(ordered[low - 1]), float(ordered[high - 1])


@dataclass
class Conformal:
    """Intervals around predictions.

    Parameters
    ----------
    coverage : float
        Share of later sales that shall be inside.
    classes : int
        Classes of predicted value with limits of their own, where each has at least 120 sales.
    seed, threads : int
        Of the model of the size of errors (small boosted trees; a constant under 400 sales).
    """

    coverage: float = 0.90
    classes: int = 5
    seed: int = 0
    threads: int = 1

    def fit(self, facts: Floats, predicted: Floats, prices: Floats) -> Conformal:
        """Learn from predictions of sales that were not fitted on.

        Parameters
        ----------
        facts : ndarray, shape (n, m)
            What may tell how hard a property is to value; NaN is allowed.
        predicted, prices : ndarray, shape (n,)
            Dollars.

        Raises
        ------
        TooFewErrorsError
            Under 20 sales.
        """
        if len(predicted) < _LEAST:
            raise TooFewErrorsError(f"{len(predicted)} sales to take limits from; need {_LEAST}")
        error = np.log(prices) - np.log(predicted)
        centred = np.abs(error - np.median(error))
        table = np.column_stack([np.log(predicted), facts])
        self.constant_ = float(np.mean(centred)) or 1e-6
        self.scale_ = None
        if len(error) >= _LEAST_FOR_SCALE:
            # Sizes for the scores come from models that did not see the score's own error.
            part = np.random.default_rng(self.seed).permutation(len(error)) % _FOLDS
            size = np.empty(len(error))
            for fold in range(_FOLDS):
                inside = part == fold
                size[inside] = self._sizes(self._scale_model(table[~inside], centred[~inside]), table[inside])
            self.scale_ = self._scale_model(table, centred)
        else:
            size = np.full(len(error), self.constant_)
        score = error / size
        count = min(self.classes, max(len(error) // _LEAST_IN_CLASS, 1))
        self.edges_ = np.quantile(np.log(predicted), np.linspace(0, 1, count + 1)[1:-1])
        which = np.searchsorted(self.edges_, np.log(predicted), side="right")
        self.limits_ = [order_limits(score[which == at], self.coverage) for at in range(count)]
        self.n_ = len(error)
        return self

    def limits(self, facts: Floats, predicted: Floats) -> tuple[Floats, Floats]:
        """Return lower and upper dollars; the prediction itself is always inside."""
        log = np.log(predicted)
        size = self._sizes(self.scale_, np.column_stack([log, facts]))
        which = np.searchsorted(self.edges_, log, side="right")
        bounds = np.array(self.limits_)
        low = np.minimum(log + size * bounds[which, 0], log)
        high = np.maximum(log + size * bounds[which, 1], log)
        return np.exp(low), np.exp(high)

    def _scale_model(self, table: Floats, size: Floats) -> object:
        import lightgbm

        options = {
            "objective": "regression",
            "num_leaves": 8,
            "learning_rate": 0.05,
            "min_data_in_leaf": max(30, len(size) // 60),
            "feature_fraction": 0.6,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.threads,
            "seed": self.seed,
            "verbose": -1,
        }
        top = float(np.quantile(size, 0.98))
        return lightgbm.train(options, lightgbm.Dataset(table, np.minimum(size, top)), num_boost_round=120)

    def _sizes(self, model: object, table: Floats) -> Floats:
        if model is None:
            return np.full(len(table), self.constant_)
        found = np.asarray(model.predict(table, num_threads=self.threads), dtype=np.float64)  # type: ignore[attr-defined]
        return np.clip(found, self.constant_ / 4, self.constant_ * 4)


@dataclass(frozen=True)
class Coverage:
    """How often later sales fell inside, and how wide that was.

    Attributes
    ----------
    share : float
        Of all sales.
    fifths : tuple of float
        Shares in each fifth of predicted value, cheapest first.
    median_width : float
        Median of (upper - lower) / prediction.
    """

    n: int
    share: float
    fifths: tuple[float, ...]
    median_width: float


def coverage_of(low: Floats, high: Floats, predicted: Floats, prices: Floats) -> Coverage:
    """Return the coverage of intervals on sales."""
    inside = (prices >= low) & (prices <= high)
    order = np.argsort(predicted, kind="stable")
    fifths = tuple(float(inside[rows].mean()) for rows in np.array_split(order, 5) if len(rows))
    return Coverage(len(prices), float(inside.mean()), fifths, float(np.median((high - low) / predicted)))
