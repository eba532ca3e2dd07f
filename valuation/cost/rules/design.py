"""The columns of a calibration: which table entry each sale touches, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.cost.rules.schedule import OTHER

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """One table being fitted: its levels or knots, its columns and how firmly it is held at its start.

    Attributes
    ----------
    name : str
        Such as ``grade`` or ``percent_good``.
    levels : tuple of str
        Level of each column, or the knot as text.
    matrix : ndarray, shape (n, k)
        One-hot for codes, interpolation weights for curves, units for additives.
    start : ndarray, shape (k,)
        Logarithms of the starting amounts.
    spread : float
        How far an entry may plausibly be from its start (standard deviation of the logarithm).
    order : tuple of int
        Columns that must not rise in this order; empty for none.
    """

    name: str
    levels: tuple[str, ...]
    matrix: Floats
    start: Floats
    spread: float
    order: tuple[int, ...] = ()


def codes_block(
    name: str,
    cells: pd.Series,
    *,
    least: int,
    start: float,
    spread: float,
    order: tuple[str, ...] = (),
) -> Block:
    """Return a one-hot block; codes with fewer than ``least`` sales share the ``*`` row.

    ``order`` names levels from best to worst, to be fitted so that they never rise.
    """
    text = cells.astype(str)
    counts = text.value_counts()
    kept = sorted(str(level) for level in counts.index[counts >= least])
    levels = (*kept, OTHER)
    position = {level: index for index, level in enumerate(levels)}
    codes = text.map(position).fillna(position[OTHER]).astype(int).to_numpy()
    matrix = np.zeros((len(text), len(levels)))
    matrix[np.arange(len(text)), codes] = 1.0
    ranked = tuple(position[level] for level in order if level in position and level != OTHER)
    return Block(name, levels, matrix, np.full(len(levels), start), spread, ranked)


def curve_block(
    name: str,
    at: Floats,
    knots: Floats,
    start: Floats,
    *,
    spread: float,
    falling: bool = False,
    rising: bool = False,
) -> Block:
    """Return a block of linear interpolation weights between knots, flat beyond the ends."""
    inside = np.clip(at, knots[0], knots[-1])
    right = np.clip(np.searchsorted(knots, inside, side="right"), 1, len(knots) - 1)
    share = (inside - knots[right - 1]) / (knots[right] - knots[right - 1])
    matrix = np.zeros((len(at), len(knots)))
    rows = np.arange(len(at))
    matrix[rows, right - 1] = 1.0 - share
    matrix[rows, right] = share
    order = tuple(range(len(knots))) if falling else tuple(range(len(knots) - 1, -1, -1)) if rising else ()
    return Block(name, tuple(repr(float(knot)) for knot in knots), matrix, start, spread, order)


def never_rising(amounts: Floats, weights: Floats) -> Floats:
    """Return the nearest sequence that never rises (pool adjacent violators), weighted."""
    values: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for amount, weight in zip(amounts, weights, strict=True):
        values.append(float(amount))
        masses.append(float(weight))
        sizes.append(1)
        while len(values) > 1 and values[-2] < values[-1]:
            mass = masses[-2] + masses[-1]
            pooled = (values[-2] * masses[-2] + values[-1] * masses[-1]) / mass
            values[-2:], masses[-2:], sizes[-2:] = [pooled], [mass], [sizes[-2] + sizes[-1]]
    return np.repeat(values, sizes)
