"""The damped Gauss-Newton steps of a calibration, on logarithms of table entries.

See `calibration` for the model. Nothing here knows what a table means beyond where it acts: on land, on the
building new, on the building as a whole, or on the price level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from valuation.cost.rules.design import Block, never_rising

Floats = NDArray[np.float64]
_MAX_STEPS = 40


@dataclass
class Parts:
    """Dollars of each part of each sale at the present entries, without the price level."""

    land: Floats
    main: Floats
    extras: Floats
    outer: Floats

    @property
    def building(self) -> Floats:
        return np.asarray((self.main + self.extras.sum(axis=1)) * self.outer, dtype=np.float64)

    @property
    def total(self) -> Floats:
        return np.maximum(self.land + self.building, 1.0)


def _parts(blocks: dict[str, Block], theta: dict[str, Floats], fixed: dict[str, Floats]) -> Parts:
    def log_sum(*prefixes: str) -> Floats:
        total = np.zeros(len(fixed["area"]))
        for name, block in blocks.items():
            if name.startswith(prefixes):
                total = total + block.matrix @ theta[name]
        return total

    extras = np.zeros((len(fixed["area"]), 1))
    if "additives" in blocks:
        extras = fixed["units"] * np.exp(theta["additives"]) * (fixed["area"] > 0)[:, None]
    return Parts(
        land=np.exp(log_sum("land", "place_land")) * fixed["has_land"],
        main=fixed["area"] * np.exp(log_sum("base_rate", "factor:", "size")),
        extras=extras,
        outer=np.exp(log_sum("building:", "place_building", "percent_good")) * fixed["complete"],
    )


def _jacobian(blocks: dict[str, Block], parts: Parts) -> Floats:
    total = parts.total
    land = (parts.land / total)[:, None]
    main = (parts.main * parts.outer / total)[:, None]
    extras = parts.extras * (parts.outer / total)[:, None]
    building = (parts.building / total)[:, None]
    columns = []
    for name, block in blocks.items():
        if name == "trend":
            columns.append(block.matrix)
        elif name == "additives":
            columns.append(extras)
        elif name.startswith(("land", "place_land")):
            columns.append(block.matrix * land)
        elif name.startswith(("building:", "place_building", "percent_good")):
            columns.append(block.matrix * building)
        else:
            columns.append(block.matrix * main)
    return np.hstack(columns)


def solve(
    blocks: dict[str, Block], fixed: dict[str, Floats], log_price: Floats
) -> tuple[dict[str, Floats], float, int]:
    """Return the entries by block, the robust spread of the errors and the steps taken.

    Parameters
    ----------
    blocks : dict of str to Block
        The tables, in a fixed order.
    fixed : dict of str to ndarray
        ``area``, ``has_land``, ``complete`` and ``units`` of each sale.
    log_price : ndarray, shape (n,)
    """
    starts = np.concatenate([block.start for block in blocks.values()])
    spreads = np.concatenate([np.full(len(block.start), block.spread) for block in blocks.values()])
    cuts = np.cumsum([len(block.start) for block in blocks.values()])[:-1]

    def named(vector: Floats) -> dict[str, Floats]:
        return dict(zip(blocks, np.split(vector, cuts), strict=True))

    def errors(vector: Floats) -> tuple[Floats, Parts]:
        entries = named(vector)
        parts = _parts(blocks, entries, fixed)
        return log_price - np.log(parts.total) - blocks["trend"].matrix @ entries["trend"], parts

    vector = starts.copy()
    rates = slice(0, len(blocks["base_rate"].start))
    error, parts = errors(vector)
    vector[rates] += float(np.median(error))
    starts[rates] = vector[rates]
    error, parts = errors(vector)
    damping, steps, best = 1e-3, 0, np.inf
    spread = 1.0
    while steps < _MAX_STEPS:
        steps += 1
        spread = max(1.4826 * float(np.median(np.abs(error - np.median(error)))), 0.02)
        weights = np.minimum(1.0, 1.5 * spread / np.maximum(np.abs(error), 1e-12))
        jacobian = _jacobian(blocks, parts)
        weighted = jacobian * weights[:, None]
        hold = spread**2 / spreads**2
        gram = weighted.T @ jacobian + np.diag(hold * (1 + damping) + 1e-9)
        step = np.linalg.solve(gram, weighted.T @ error - hold * (vector - starts))
        candidate = _in_order(blocks, named(vector + np.clip(step, -1.0, 1.0)), weighted)
        new_error, new_parts = errors(candidate)
        loss = _huber(new_error, spread) + float((hold * (candidate - starts) ** 2).sum())
        if loss > best * (1 + 1e-6) and damping < 1e3:
            damping *= 10
            if damping > 1e2:
                break
            vector = vector + 0.5 * (candidate - vector)
            error, parts = errors(vector)
            best = _huber(error, spread) + float((hold * (vector - starts) ** 2).sum())
            continue
        moved = float(np.abs(candidate - vector).max())
        vector, error, parts, best = candidate, new_error, new_parts, loss
        if moved < 1e-5:
            break
    return named(vector), spread, steps


def _huber(error: Floats, spread: float) -> float:
    size = np.abs(error)
    limit = 1.5 * spread
    return float(np.where(size <= limit, size**2, 2 * limit * size - limit**2).sum())


def _in_order(blocks: dict[str, Block], theta: dict[str, Floats], weighted: Floats) -> Floats:
    """Return the entries with ordered tables made monotone, weighted by what each entry rests on."""
    mass = dict(
        zip(
            blocks,
            np.split(np.abs(weighted).sum(axis=0), np.cumsum([len(b.start) for b in blocks.values()])[:-1]),
            strict=True,
        )
    )
    out = []
    for name, block in blocks.items():
        entries = theta[name].copy()
        if block.order:
            at = list(block.order)
            entries[at] = never_rising(entries[at], mass[name][at] + 1e-3)
        out.append(entries)
    return np.concatenate(out)
