"""Calibrating a cost schedule from sales.

The price of a sale is read as ``level(date) x (land + building) x error``. All table entries are fitted at
once, as logarithms, by damped Gauss-Newton steps with Huber weights: the derivative of log value by the
logarithm of an entry is that entry's share of the value, so every step is one small linear system. Each
entry is held at its start with a spread (a ridge, or a normal prior), so an entry with few sales stays near
its neighbours; grades, conditions, percent good and the land curve are kept in order by pooling violators.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.cost.rules.arithmetic import number
from valuation.cost.rules.design import Block, codes_block, curve_block
from valuation.cost.rules.schedule import OTHER, Roles, Schedule
from valuation.cost.rules.solver import solve

Floats = NDArray[np.float64]
_AGE_KNOTS = np.array([0.0, 5, 10, 20, 30, 40, 55, 70, 90, 110, 140, 200])


class CalibrationError(ValueError):
    """Sales that no schedule can be calibrated from; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Calibrator:
    """Fits a `Schedule` to sales.

    Parameters
    ----------
    roles : Roles
        Columns of the tables.
    name : str
        Name of the schedule.
    base_on : date
        Day whose price level the tables are in.
    land_share : float
        Share of a typical price that is land, where the fit starts.
    additive_start : mapping of str to float
        Dollars a unit where additive rates start, as a share of the typical price.
    orders : mapping of str to tuple of str
        Levels from best to worst of tables that must not rise.
    spreads : mapping of str to float
        How firmly a table is held (see `design.Block`), by its name.
    trend_months : int
        Distance of the knots of the price level.
    least : int
        Codes with fewer sales share the ``*`` row.

    Attributes
    ----------
    schedule_ : Schedule
        After `fit`.
    steps_ : int
        Steps taken.
    spread_ : float
        Robust standard deviation of the logarithmic errors of the sales used.
    """

    roles: Roles
    name: str
    base_on: dt.date
    land_share: float = 0.3
    additive_start: Mapping[str, float] = field(default_factory=dict)
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)
    trend_months: int = 6
    least: int = 8

    def fit(self, frame: pd.DataFrame, prices: NDArray[Any], sold_on: NDArray[np.int64]) -> Calibrator:
        """Fit the tables.

        Parameters
        ----------
        frame : DataFrame, n rows
            Facts of the sales.
        prices : ndarray, shape (n,)
            Dollars, more than nothing.
        sold_on : ndarray of int, shape (n,)
            Ordinal days.

        Raises
        ------
        CalibrationError
            ``too_few`` under 40 sales, ``bad_price``.
        """
        if len(frame) < 40:
            raise CalibrationError("too_few", f"{len(frame)} sales; a schedule needs at least 40")
        log_price = np.log(np.asarray(prices, dtype=np.float64))
        if not np.isfinite(log_price).all():
            raise CalibrationError("bad_price", "prices must be numbers above 0")
        blocks = self._blocks(frame, np.asarray(prices, dtype=np.float64), np.asarray(sold_on))
        theta, spread, steps = solve(blocks, self._fixed(frame), log_price)
        self.steps_, self.spread_ = steps, spread
        self.schedule_ = self._schedule(blocks, theta, frame, np.asarray(sold_on))
        return self

    def _fixed(self, frame: pd.DataFrame) -> dict[str, Floats]:
        return {
            "area": number(frame, "living_sqft"),
            "has_land": (number(frame, "land_sqft") > 0).astype(float),
            "complete": np.clip(number(frame, "percent_complete", missing=100.0), 1, 100) / 100,
            "units": np.column_stack(
                [number(frame, name) for name in self.roles.additives] or [np.zeros(len(frame))]
            ),
        }

    def _held(self, name: str, default: float) -> float:
        return float(self.spreads.get(name, default))

    def _blocks(self, frame: pd.DataFrame, prices: Floats, sold_on: NDArray[np.int64]) -> dict[str, Block]:
        roles = self.roles
        typical = float(np.median(prices))
        area = number(frame, "living_sqft")
        land = number(frame, "land_sqft")
        improved = area > 0
        self._base_area = float(np.median(area[improved])) if improved.any() else 1500.0
        rate = typical * (1 - self.land_share) / self._base_area / 0.6
        blocks: dict[str, Block] = {}

        def add(block: Block) -> None:
            blocks[block.name] = block

        def coded(name: str, column: str, start: float, default: float) -> None:
            cells = (
                frame[column] if column in frame.columns else pd.Series([""] * len(frame), index=frame.index)
            )
            held = self._held(name, default)
            add(
                codes_block(
                    name, cells, least=self.least, start=start, spread=held, order=self.orders.get(column, ())
                )
            )

        coded("base_rate", roles.base_rate, np.log(rate), 0.35)
        for column in roles.factors:
            coded(f"factor:{column}", column, 0.0, 0.30)
        for column in roles.building_factors:
            coded(f"building:{column}", column, 0.0, 0.15)
        for column in roles.land_factors:
            coded(f"land:{column}", column, 0.0, 0.40)
        if roles.neighbourhood:
            coded("place_land", roles.neighbourhood, 0.0, 0.60)
            coded("place_building", roles.neighbourhood, 0.0, 0.15)

        quantiles = np.quantile(np.log(np.maximum(area[improved], 100.0)), [0.02, 0.25, 0.5, 0.75, 0.98])
        knots = np.unique(np.round(quantiles, 4)) if improved.any() else np.array([6.0, 8.0])
        if len(knots) < 2:
            knots = np.array([knots[0] - 0.5, knots[0] + 0.5])
        start = -0.15 * (knots - np.log(self._base_area))
        log_area = np.log(np.maximum(area, 1.0))
        add(curve_block("size", log_area, knots, start, spread=self._held("size", 0.15), falling=True))

        start = np.log(np.interp(_AGE_KNOTS, [0, 20, 60, 120, 200], [1.0, 0.82, 0.6, 0.5, 0.45]))
        ages = self._ages(frame, sold_on)
        held = self._held("percent_good", 0.25)
        add(curve_block("percent_good", ages, _AGE_KNOTS, start, spread=held, falling=True))

        has_land = land > 0
        log_land = np.log(np.maximum(land, 1.0))
        spots = (
            np.quantile(log_land[has_land], [0.01, 0.2, 0.5, 0.8, 0.95, 0.995])
            if has_land.any()
            else [8.0, 11.0]
        )
        knots = np.unique(np.round(np.asarray(spots, dtype=np.float64), 4))
        if len(knots) < 2:
            knots = np.array([knots[0] - 0.5, knots[0] + 0.5])
        middle = float(np.median(log_land[has_land])) if has_land.any() else 9.0
        start = np.log(typical * self.land_share) + 0.3 * (knots - middle)
        add(curve_block("land", log_land, knots, start, spread=self._held("land", 0.5), rising=True))

        if roles.additives:
            start = np.log(
                [max(self.additive_start.get(name, 0.01), 1e-9) * typical for name in roles.additives]
            )
            matrix = np.column_stack([number(frame, name) for name in roles.additives])
            add(Block("additives", roles.additives, matrix, start, self._held("additives", 0.7)))

        first, last = int(sold_on.min()), int(sold_on.max())
        count = max(int(np.ceil((last - first) / (self.trend_months * 30.44))), 1) + 1
        knots = np.linspace(first, max(last, first + 1), count)
        held = self._held("trend", 0.35)
        add(curve_block("trend", sold_on.astype(np.float64), knots, np.zeros(count), spread=held))
        return blocks

    @staticmethod
    def _ages(frame: pd.DataFrame, sold_on: NDArray[np.int64]) -> Floats:
        built = number(frame, "year_built", missing=np.nan)
        years = np.array([dt.date.fromordinal(int(day)).year for day in sold_on], dtype=np.float64)
        ages = np.where(np.isfinite(built) & (built > 1600), np.maximum(years - built, 0.0), np.nan)
        typical = float(np.nanmedian(ages)) if np.isfinite(ages).any() else 50.0
        return np.where(np.isfinite(ages), ages, typical)

    def _schedule(
        self,
        blocks: dict[str, Block],
        theta: dict[str, Floats],
        frame: pd.DataFrame,
        sold_on: NDArray[np.int64],
    ) -> Schedule:
        """Write the entries as tables, rounded as they are printed; a factor is 1 at its most usual level."""
        roles = self.roles
        amounts = {name: np.exp(entries) for name, entries in theta.items()}

        def table(name: str) -> dict[str, float]:
            return {
                level: round(float(amount), 4)
                for level, amount in zip(blocks[name].levels, amounts[name], strict=True)
            }

        def norm(name: str) -> float:
            """Return the factor at the most usual level, taken out of the table into the rate."""
            usual = int(blocks[name].matrix.sum(axis=0).argmax())
            scale = float(amounts[name][usual])
            amounts[name] = amounts[name] / scale
            return scale

        inner = outer = land_scale = 1.0
        for column in roles.factors:
            inner *= norm(f"factor:{column}")
        for column in roles.building_factors:
            outer *= norm(f"building:{column}")
        for column in roles.land_factors:
            land_scale *= norm(f"land:{column}")
        if roles.neighbourhood:
            outer *= norm("place_building")
            land_scale *= norm("place_land")
        good_new = float(amounts["percent_good"][0])
        outer *= good_new
        size_at = np.array([float(level) for level in blocks["size"].levels])
        size_base = float(np.exp(np.interp(np.log(self._base_area), size_at, theta["size"])))
        trend_at = np.array([float(level) for level in blocks["trend"].levels])
        level = float(np.exp(np.interp(self.base_on.toordinal(), trend_at, theta["trend"])))

        rates = {k: round(v * inner * outer * size_base * level, 2) for k, v in table("base_rate").items()}
        factors = {column: table(f"factor:{column}") for column in roles.factors}
        factors |= {column: table(f"building:{column}") for column in roles.building_factors}
        factors |= {column: table(f"land:{column}") for column in roles.land_factors}
        good = amounts["percent_good"] / good_new
        sizes = np.exp(theta["size"]) / size_base
        additives = {
            column: round(float(amount) * outer * level, 2)
            for column, amount in zip(roles.additives, amounts.get("additives", ()), strict=True)
        }
        land_at = np.exp([float(knot) for knot in blocks["land"].levels])
        land = amounts["land"] * land_scale * level
        return Schedule(
            name=self.name,
            base_on=self.base_on,
            roles=roles,
            base_area_sqft=self._base_area,
            base_rate=rates,
            factors=factors,
            size=tuple(
                (round(float(np.exp(x)), 1), round(float(y), 4)) for x, y in zip(size_at, sizes, strict=True)
            ),
            additives=additives,
            percent_good=tuple((float(x), round(float(y), 4)) for x, y in zip(_AGE_KNOTS, good, strict=True)),
            land=tuple((round(float(x), 1), round(float(y))) for x, y in zip(land_at, land, strict=True)),
            neighbourhood_land=table("place_land") if roles.neighbourhood else {},
            neighbourhood_building=table("place_building") if roles.neighbourhood else {},
            trend=tuple(
                (round(float(x), 1), round(float(y), 4))
                for x, y in zip(trend_at, amounts["trend"], strict=True)
            ),
            evidence={
                "sales": len(frame),
                "first_sale_on": dt.date.fromordinal(int(sold_on.min())).isoformat(),
                "last_sale_on": dt.date.fromordinal(int(sold_on.max())).isoformat(),
                "log_error_spread": round(self.spread_, 4),
                "steps": self.steps_,
                "sales_by_level": {
                    name: dict(zip(block.levels, block.matrix.sum(axis=0).astype(int).tolist(), strict=True))
                    for name, block in blocks.items()
                    if set(np.unique(block.matrix)) <= {0.0, 1.0} and OTHER in block.levels
                },
            },
        ).checked()
