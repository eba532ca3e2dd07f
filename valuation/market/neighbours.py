"""What sold near by and earlier: features of place and time without leakage.

For each property the nearest *earlier* sales give residuals of an additive model, prices per area and the
character of the surroundings. Training rows are cut into blocks by day; a block sees only the sales before its
first day, through a model fitted on those alone. So a training row sees what a held-out row will see, and no
price reaches a row of its own day or earlier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.market.rules import Days, Floats, Hedonic

_REACHES = (5, 15, 50)
_LEAST = 60
_CHUNK = 40_000


@dataclass(frozen=True)
class Block:
    """Rows from ``first_day`` up to the next block's first day, by position; the first block has no earlier sales."""

    first_day: int
    rows: NDArray[np.intp]
    earlier: NDArray[np.intp]


def blocks_by_day(sold_on: Days, *, count: int, first_share: float = 0.1) -> list[Block]:
    """Cut sales into ``count`` blocks by day after a first share that only serves as the past.

    No day is in two blocks, and all of ``earlier`` is before the block's first day.
    """
    ordered = np.sort(sold_on)
    shares = np.linspace(first_share, 1.0, count + 1)[:-1]
    cuts = sorted({int(ordered[min(int(len(ordered) * share), len(ordered) - 1)]) for share in shares})
    cuts = [cut for cut in cuts if cut > ordered[0]]
    ends = [*cuts[1:], int(ordered[-1]) + 1]
    return [
        Block(start, np.flatnonzero((sold_on >= start) & (sold_on < end)), np.flatnonzero(sold_on < start))
        for start, end in zip(cuts, ends, strict=True)
    ]


def plane(frame: pd.DataFrame) -> Floats:
    """Return x and y in one unit: degrees are drawn together by the cosine of the latitude."""
    at = frame[["x", "y"]].to_numpy(dtype=np.float64, na_value=np.nan)
    known = at[np.isfinite(at).all(axis=1)]
    if len(known) and np.abs(known[:, 0]).max() <= 180 and np.abs(known[:, 1]).max() <= 90:
        return np.column_stack([at[:, 0] * np.cos(np.radians(float(np.median(known[:, 1])))), at[:, 1]])
    return at


def has_places(frame: pd.DataFrame) -> bool:
    """Return whether at least half of the rows have coordinates."""
    return {"x", "y"} <= set(frame.columns) and bool(np.isfinite(plane(frame)).all(axis=1).mean() >= 0.5)


@dataclass
class Neighbours:
    """Features of a property made of the earlier sales around it.

    Parameters
    ----------
    numbers, categories : tuple of str
        Facts of the additive model whose residuals are looked at.
    half_life_years : float
        An older sale counts half after so many years.

    Attributes
    ----------
    names : tuple of str
        Columns of `transform`; the first is the additive model's own logarithmic value.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    half_life_years: float = 6.0

    def fit(self, frame: pd.DataFrame, prices: Floats, sold_on: Days) -> Neighbours:
        """Keep the sales that later rows may look at; all of them are in the past of what is transformed."""
        self.base_ = Hedonic(self.numbers, self.categories).fit(frame, prices, sold_on)
        log_price = np.log(prices)
        residual = log_price - np.log(self.base_.predict(frame, sold_on))
        spread = 1.4826 * float(np.median(np.abs(residual - np.median(residual)))) or 0.1
        self.placed_ = has_places(frame)
        if self.placed_:
            from scipy.spatial import cKDTree

            at = plane(frame)
            known = np.isfinite(at).all(axis=1)
            self.tree_ = cKDTree(at[known])
            self.residual_ = np.clip(residual, -6 * spread, 6 * spread)[known]
            self.log_price_, self.days_ = log_price[known], sold_on[known]
            self.likeness_ = _likeness(frame)[known]
        self.width_ = 1 + (_width(_likeness(frame).shape[1]) if self.placed_ else 0)
        return self

    def transform(self, frame: pd.DataFrame, on: Days) -> Floats:
        """Return one row of features for each property; NaN where a place is not known.

        Raises
        ------
        ValueError
            When a day to be valued at is before a sale that was kept.
        """
        out = np.full((len(frame), self.width_), np.nan)
        out[:, 0] = np.log(self.base_.predict(frame, on))
        if not self.placed_:
            return out
        if len(on) and int(on.min()) <= int(self.days_.max()):
            raise ValueError("a neighbour feature may look at earlier sales only")
        at, like = plane(frame), _likeness(frame)
        rows = np.flatnonzero(np.isfinite(at).all(axis=1))
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            out[part, 1:] = self._around(at[part], like[part], on[part])
        return out

    def _around(self, at: Floats, like: Floats, on: Days) -> Floats:
        count = min(max(_REACHES), len(self.residual_))
        distance, index = self.tree_.query(at, k=count)
        distance, index = distance.reshape(len(at), count), index.reshape(len(at), count)
        years = (on[:, None] - self.days_[index]) / 365.25
        fresh = np.exp2(-years / self.half_life_years)
        residual, price = self.residual_[index], self.log_price_[index]
        near = distance / (distance[:, [min(19, count - 1)]] + 1e-9)
        alike = np.nan_to_num((self.likeness_[index] - like[:, None, :]) ** 2, nan=1.0).sum(axis=2)
        columns: list[Floats] = []
        for reach in _REACHES:
            k = min(reach, count)
            weight = fresh[:, :k] * np.exp(-((distance[:, :k] / (distance[:, [k - 1]] + 1e-9)) ** 2))
            columns.append(_mean(residual[:, :k], weight))
            columns.append(np.median(residual[:, :k], axis=1))
            columns.append(_mean(price[:, :k], weight))
        weight = fresh * np.exp(-alike - near**2) + 1e-9
        columns += [_mean(residual, weight), _mean(price, weight), np.log(weight.sum(axis=1))]
        columns += [residual.std(axis=1), *np.quantile(residual, (0.1, 0.9), axis=1)]
        columns += [np.log1p(distance[:, min(4, count - 1)]), np.log1p(distance[:, -1])]
        around = self.likeness_[index[:, : min(15, count)]]
        columns += [_middle(around[:, :, at]) for at in range(around.shape[2])]
        return np.column_stack(columns)


def _width(likeness: int) -> int:
    return 3 * len(_REACHES) + 8 + likeness


def _middle(values: Floats) -> Floats:
    some = np.asarray(np.isfinite(values).any(axis=1), dtype=bool)
    known = np.where(some[:, None], values, 0.0)
    return np.asarray(np.nanmedian(known, axis=1), dtype=np.float64)


def _mean(values: Floats, weight: Floats) -> Floats:
    return np.asarray((values * weight).sum(axis=1) / weight.sum(axis=1), dtype=np.float64)


def _likeness(frame: pd.DataFrame) -> Floats:
    """Return living area, land and age on scales at which a difference of 1 is another kind of house."""
    columns = []
    for name, scale in (("living_sqft", 0.25), ("land_sqft", 0.5), ("year_built", 15.0)):
        if name in frame.columns:
            cells = pd.to_numeric(frame[name], errors="coerce").to_numpy(float, na_value=np.nan)
            cells = cells if name == "year_built" else np.log(np.where(cells > 0, cells, np.nan))
            columns.append(cells / scale)
    return np.column_stack(columns) if columns else np.zeros((len(frame), 0))


def expanding_features(
    frame: pd.DataFrame,
    prices: Floats,
    sold_on: Days,
    blocks: list[Block],
    *,
    numbers: tuple[str, ...],
    categories: tuple[str, ...],
) -> Floats:
    """Return features of training rows, each block's from the sales before it; NaN for the rows before all blocks."""
    out: Floats | None = None
    for block in blocks:
        if len(block.earlier) < _LEAST:
            continue
        past = frame.iloc[block.earlier]
        known = Neighbours(numbers, categories).fit(past, prices[block.earlier], sold_on[block.earlier])
        found = known.transform(frame.iloc[block.rows], sold_on[block.rows])
        if out is None or out.shape[1] < found.shape[1]:
            wider = np.full((len(frame), found.shape[1]), np.nan)
            if out is not None:
                wider[:, : out.shape[1]] = out
            out = wider
        out[block.rows, : found.shape[1]] = found
    return np.full((len(frame), 1), np.nan) if out is None else out
