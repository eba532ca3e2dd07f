"""Three ways to use the sales of several jurisdictions: one for all, each its own, and partially pooled.

`PartiallyPooled` is a mixed model: one additive model of log price for all, and for each jurisdiction a level and slopes
of its own, drawn to the common ones as far as its sales are few and the jurisdictions alike. `Local` is the best
regression of one jurisdiction's own sales. Source: Laird and Ware 1982, Random-effects models for longitudinal data
(EM). Tests: tests/valuation/pooling/test_rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from valuation.market.rules import Days, Floats, Hedonic, coded
from valuation.pooling.credibility import named_codes

ENOUGH_TO_STAND_ALONE = 60
"""Sales from which a jurisdiction's own fit is reported as able to stand alone."""


@dataclass
class PartiallyPooled:
    """Mixed model of log price: common coefficients, and a level and slopes of each jurisdiction.

    Parameters
    ----------
    numbers, categories : tuple of str
        Facts of the common model; the stratum is not among them.
    stratum : str
        Column of the jurisdiction.
    rounds : int
        Steps of EM; it stops when no variance changes by a thousandth.

    Attributes
    ----------
    credibility_ : dict of str to float
        Of each jurisdiction's level, given its sales.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    stratum: str
    rounds: int = 200

    def fit(self, frame: pd.DataFrame, prices: Floats, sold_on: Days) -> PartiallyPooled:
        """Learn from sales of all jurisdictions."""
        self.common_ = Hedonic(self.numbers, self.categories).fit(frame, prices, sold_on)
        design, ridge = self.common_.design(frame, sold_on)
        codes, names = named_codes(frame[self.stratum].astype(str).tolist())
        self.names_ = names
        own = self._own(design)
        target = np.log(prices) - self.common_.level_
        # Gram matrices of each jurisdiction: EM needs no more of the rows than these.
        count, width = len(names), own.shape[1]
        order = np.argsort(codes, kind="stable")
        cuts = np.cumsum(np.bincount(codes, minlength=count))[:-1]
        groups = np.split(order, cuts)
        inner = np.array([own[rows].T @ own[rows] for rows in groups])
        gram = design.T @ design + np.diag(ridge)
        factor = np.linalg.inv(gram)
        beta = self.common_.coefficients_
        noise = float(np.var(target - design @ beta))
        spread = np.full(width, noise / 10)
        effects = np.zeros((count, width))
        for _ in range(self.rounds):
            left = target - design @ beta
            right = np.array([own[rows].T @ left[rows] for rows in groups])
            covariance = np.linalg.inv(inner / noise + np.diag(1 / np.maximum(spread, 1e-9)))
            effects = np.einsum("jab,jb->ja", covariance, right) / noise
            fitted = np.einsum("ia,ia->i", own, effects[codes])
            beta = factor @ (design.T @ (target - fitted))
            error = target - design @ beta - fitted
            lost = float(np.einsum("jab,jba->", inner, covariance))
            before, noise = (noise, spread), (float(error @ error) + lost) / len(target)
            spread = np.maximum((effects**2 + np.diagonal(covariance, axis1=1, axis2=2)).mean(axis=0), 1e-9)
            if abs(noise / before[0] - 1) < 1e-3 and np.abs(spread / before[1] - 1).max() < 1e-3:
                break
        self.beta_, self.effects_, self.noise_, self.spread_ = beta, effects, noise, spread
        sales = np.bincount(codes, minlength=count)
        self.sales_ = dict(zip(names, map(int, sales), strict=True))
        self.credibility_ = {
            name: float(spread[0] * n / (spread[0] * n + noise)) for name, n in zip(names, sales, strict=True)
        }
        return self

    def predict(self, frame: pd.DataFrame, on: Days) -> Floats:
        """Return dollars; a jurisdiction that was never seen gets the common model."""
        design, _ = self.common_.design(frame, on)
        codes = coded(frame[self.stratum], self.names_)
        effects = np.vstack([self.effects_, np.zeros(self.effects_.shape[1])])[codes]
        log = self.common_.level_ + design @ self.beta_ + np.einsum("ia,ia->i", self._own(design), effects)
        return np.asarray(np.exp(log), dtype=np.float64)

    def _own(self, design: Floats) -> Floats:
        """Return the columns with a coefficient of each jurisdiction's own: the level and the standardised numbers."""
        return design[:, : 1 + len(self.numbers)]


_STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


@dataclass
class Local:
    """Ridge regression of one jurisdiction's own sales; its strength has the least leave-one-out error.

    The best that a small jurisdiction can do with a regression of its own. Codes that are numbers (a grade of 7)
    enter as numbers, others are left out. Under 6 sales it is the median price.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...] = ()
    least: int = 6

    def fit(self, frame: pd.DataFrame, prices: Floats, sold_on: Days) -> Local:
        """Learn from the jurisdiction's own sales alone."""
        self.median_ = float(np.median(prices))
        self.coefficients_ = None
        if len(prices) < self.least:
            return self
        self.first_ = int(sold_on.min())
        raw = self._raw(frame, sold_on)
        self.fill_ = np.nan_to_num(np.array([_median(column) for column in raw.T]))
        filled = np.where(np.isfinite(raw), raw, self.fill_)
        self.mean_, deviation = filled.mean(axis=0), filled.std(axis=0)
        self.scale_ = np.where(deviation > 1e-9, deviation, np.inf)
        z = (filled - self.mean_) / self.scale_
        target = np.log(prices)
        self.level_ = float(target.mean())
        left, lengths, _ = np.linalg.svd(z, full_matrices=False)
        best = np.inf
        for strength in _STRENGTHS:
            shrunk = lengths**2 / (lengths**2 + strength)
            hat = (left**2 * shrunk).sum(axis=1) + 1 / len(target)
            error = target - self.level_ - left @ (shrunk * (left.T @ (target - self.level_)))
            loss = float(np.mean((error / np.maximum(1 - hat, 1e-6)) ** 2))
            if loss < best:
                best, chosen = loss, strength
        gram = z.T @ z + chosen * np.eye(z.shape[1])
        self.coefficients_ = np.linalg.solve(gram, z.T @ (target - self.level_))
        return self

    def predict(self, frame: pd.DataFrame, on: Days) -> Floats:
        """Return dollars."""
        if self.coefficients_ is None:
            return np.full(len(frame), self.median_)
        raw = self._raw(frame, on)
        z = np.clip((np.where(np.isfinite(raw), raw, self.fill_) - self.mean_) / self.scale_, -4, 4)
        return np.asarray(np.exp(self.level_ + z @ self.coefficients_), dtype=np.float64)

    def _raw(self, frame: pd.DataFrame, days: Days) -> Floats:
        columns = []
        for name in self.numbers:
            cells = pd.to_numeric(frame[name], errors="coerce").to_numpy(float, na_value=np.nan)
            columns.append(np.log1p(np.maximum(cells, 0)) if name.endswith("_sqft") else cells)
        for name in self.categories:
            codes = pd.to_numeric(frame[name], errors="coerce")
            columns.append(codes.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.column_stack([*columns, days.astype(np.float64)])


def _median(column: Floats) -> float:
    known = column[np.isfinite(column)]
    return float(np.median(known)) if len(known) else 0.0
