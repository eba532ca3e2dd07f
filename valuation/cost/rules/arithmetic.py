"""The arithmetic of a cost schedule: from facts to components in dollars."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.cost.rules.schedule import OTHER, Points, Schedule, Table

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """What each property's value is made of, in dollars before rounding.

    Attributes
    ----------
    primary_land, excess_land, building, outbuildings : ndarray, shape (n,)
    steps : DataFrame
        The factors each property got, in the order of the arithmetic, for its explanation.
    unknown_levels : ndarray of bool, shape (n,)
        A code of this property, other than its neighbourhood, was in none of the tables.
    """

    primary_land: Floats
    excess_land: Floats
    building: Floats
    outbuildings: Floats
    steps: pd.DataFrame
    unknown_levels: NDArray[np.bool_]

    @property
    def total(self) -> Floats:
        """Return the sum."""
        return self.primary_land + self.excess_land + self.building + self.outbuildings


def look_up(cells: pd.Series, table: Table, *, other: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the table's amount for each code, and which codes it does not have."""
    codes, levels = pd.factorize(cells.astype(str), use_na_sentinel=False)
    amounts = np.array([table.get(str(level), table.get(OTHER, other)) for level in levels])
    missing = np.array([str(level) not in table for level in levels], dtype=bool)
    return amounts[codes], missing[codes]


def land_curve(points: Points, sqft: Floats) -> Floats:
    """Return dollars for land areas; beyond the ends the last slope of the curve goes on."""
    areas = np.asarray(sqft, dtype=np.float64)
    at = np.log([x for x, _ in points])
    dollars = np.log([max(y, 1e-9) for _, y in points])
    known = np.isfinite(areas) & (areas > 0)
    log_area = np.log(np.where(known, areas, 1.0))
    result = np.interp(log_area, at, dollars)
    if len(points) > 1:
        low_slope = (dollars[1] - dollars[0]) / (at[1] - at[0])
        high_slope = (dollars[-1] - dollars[-2]) / (at[-1] - at[-2])
        result += np.minimum(log_area - at[0], 0) * low_slope + np.maximum(log_area - at[-1], 0) * high_slope
    return np.where(known, np.exp(result), 0.0)


def number(frame: pd.DataFrame, name: str, *, missing: float = 0.0) -> Floats:
    """Return a numeric column with its gaps filled, or the fill when the frame has no such column."""
    if name not in frame.columns:
        return np.full(len(frame), missing)
    cells = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(cells), cells, missing)


def _obsolescence(schedule: Schedule, frame: pd.DataFrame, good: Floats) -> Floats:
    """Return what functional and external obsolescence leave, as a factor on what age leaves."""
    functional = np.clip(number(frame, "functional_percent"), 0, 100) / 100
    external = np.clip(number(frame, "external_percent"), 0, 100) / 100
    if schedule.depreciation == "additive":
        left = np.maximum(good - functional - external, 0.0)
        return np.asarray(left / np.where(good > 0, good, 1.0), dtype=np.float64)
    return np.asarray((1 - functional) * (1 - external), dtype=np.float64)


def components(schedule: Schedule, frame: pd.DataFrame, *, as_of: dt.date) -> Components:
    """Value the land, building and outbuildings of every property of a frame at the schedule's price level.

    Parameters
    ----------
    frame : DataFrame
        Columns of `valuation.frames.rules`; a missing numeric fact counts as none, a code without a row in
        its table gets the table's ``*`` row.
    as_of : date
        Day on which buildings are as old as they are (the assessment date).
    """
    roles = schedule.roles
    n = len(frame)
    unknown = np.zeros(n, dtype=bool)

    def factor(column: str, table: Table, *, other: float = 1.0, told: bool = True) -> Floats:
        if column not in frame.columns:
            return np.full(n, table.get(OTHER, other))
        amounts, missing = look_up(frame[column], table, other=other)
        if told:
            np.logical_or(unknown, missing, out=unknown)
        return amounts

    sqft = number(frame, "land_sqft")
    land_factor = np.ones(n)
    for column in roles.land_factors:
        land_factor = land_factor * factor(column, schedule.factors.get(column, {}))
    if schedule.site_index:
        land_factor = land_factor * number(frame, "site_index", missing=1.0)
    land_place = np.ones(n)
    if roles.neighbourhood:
        land_place = factor(roles.neighbourhood, schedule.neighbourhood_land, told=False)
    land_site, land_factor = land_factor, land_factor * land_place
    whole_land = land_curve(schedule.land, sqft)
    primary = land_curve(schedule.land, np.minimum(sqft, schedule.primary_sqft))

    area = number(frame, "living_sqft")
    at, sizes = np.log([x for x, _ in schedule.size]), [y for _, y in schedule.size]
    size = np.interp(np.log(np.maximum(area, 1.0)), at, sizes)
    rates = [rate for level, rate in schedule.base_rate.items() if level != OTHER]
    rate = factor(roles.base_rate, schedule.base_rate, other=float(np.median(rates or [0.0])))
    grade = np.ones(n)
    for column in roles.factors:
        grade = grade * factor(column, schedule.factors.get(column, {}))
    extras = np.zeros(n)
    for column in roles.additives:
        extras = extras + number(frame, column) * schedule.additives.get(column, 0.0)
    new = area * rate * grade * size + np.where(area > 0, extras, 0.0)

    built = number(frame, "year_built", missing=np.nan)
    ages = np.where(np.isfinite(built) & (built > 1600), np.maximum(as_of.year - built, 0.0), np.nan)
    typical = float(np.nanmedian(ages)) if np.isfinite(ages).any() else 50.0
    ages = np.where(np.isfinite(ages), ages, typical)
    good = np.interp(ages, *np.array(schedule.percent_good).T)
    left = _obsolescence(schedule, frame, good)
    state = np.ones(n)
    for column in roles.building_factors:
        state = state * factor(column, schedule.factors.get(column, {}))
    location = np.ones(n)
    if roles.neighbourhood:
        location = factor(roles.neighbourhood, schedule.neighbourhood_building, told=False)
    complete = np.clip(number(frame, "percent_complete", missing=100.0), 0, 100) / 100
    steps = pd.DataFrame(
        {
            "land_sqft": sqft,
            "land_from_curve": whole_land,
            "land_site_factor": land_site,
            "land_place_factor": land_place,
            "land_factor": land_factor,
            "area_sqft": area,
            "rate": rate,
            "grade_factor": grade,
            "size_factor": size,
            "additives": np.where(area > 0, extras, 0.0),
            "new": new,
            "age_years": ages,
            "percent_good": 100.0 * good,
            "obsolescence_factor": left,
            "condition_factor": state,
            "location_factor": location,
            "percent_complete": 100.0 * complete,
        },
        index=frame.index,
    )
    return Components(
        primary_land=primary * land_factor,
        excess_land=(whole_land - primary) * land_factor,
        building=new * good * left * state * location * complete,
        outbuildings=number(frame, "outbuildings_value_new") * good,
        steps=steps,
        unknown_levels=unknown,
    )
