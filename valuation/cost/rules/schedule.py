"""A cost schedule: the tables, and the arithmetic that turns facts into components.

::

    land     = curve(land area) x land factors x neighbourhood (land)
    new      = area x rate(style) x factors(grade, ...) x size(area) + sum of units x additive rates
    building = new x percent good(age) x building factors(condition, ...) x neighbourhood (building)
    value    = primary site + excess land + building x percent complete + outbuildings

Tables are dollars at the schedule's base date. RCSA 12-62f-4 asks for user tables of rates, age and condition.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.frames.rules import refuse_roll_values

Floats = NDArray[np.float64]
Table = Mapping[str, float]
Points = tuple[tuple[float, float], ...]

OTHER = "*"
"""The level that stands for every code a table does not name."""


class ScheduleError(ValueError):
    """A schedule that cannot be used; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Roles:
    """Which columns of the frame the tables are looked up by.

    Attributes
    ----------
    base_rate : str
        Column of the rate table (style, or use).
    factors : tuple of str
        Columns that multiply the rate, such as grade.
    building_factors : tuple of str
        Columns that multiply the depreciated building, such as condition.
    land_factors : tuple of str
        Columns that multiply land, such as view.
    additives : tuple of str
        Numeric columns paid for by the unit, depreciated with the building.
    neighbourhood : str
        Column of the location factors; empty for none.
    """

    base_rate: str = "style"
    factors: tuple[str, ...] = ("grade",)
    building_factors: tuple[str, ...] = ("condition",)
    land_factors: tuple[str, ...] = ()
    additives: tuple[str, ...] = ()
    neighbourhood: str = "neighbourhood"

    def __post_init__(self) -> None:
        refuse_roll_values(self.columns())

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Roles:
        """Read roles from plain values."""
        return cls(
            base_rate=str(plain["base_rate"]),
            factors=tuple(plain.get("factors", ())),
            building_factors=tuple(plain.get("building_factors", ())),
            land_factors=tuple(plain.get("land_factors", ())),
            additives=tuple(plain.get("additives", ())),
            neighbourhood=str(plain.get("neighbourhood", "")),
        )

    def columns(self) -> tuple[str, ...]:
        """Return every column the tables read."""
        named = (self.base_rate, *self.factors, *self.building_factors, *self.land_factors, *self.additives)
        return tuple(name for name in (*named, self.neighbourhood) if name)


@dataclass(frozen=True)
class Schedule:
    """The tables of one version, in dollars at ``base_on``.

    Attributes
    ----------
    base_rate : mapping of str to float
        Dollars a square foot by level of ``roles.base_rate``, at ``base_area_sqft`` and factor 1.
    size : points
        (living area, factor), interpolated on the logarithm of area.
    percent_good : points
        (age in years, share of new that is left), interpolated on age.
    land : points
        (square feet, dollars), interpolated on both logarithms; none or zero area is worth nothing here.
    primary_sqft : float
        Land up to here is the primary site; the rest of the land value is excess.
    outbuildings : mapping of str to float
        Dollars new for one unit of an outbuilding or feature, by its code.
    trend : points
        (ordinal day, price level), level 1 at ``base_on``.
    evidence : mapping
        How the tables were found: sales, dates, fit.
    """

    name: str
    base_on: dt.date
    roles: Roles
    base_area_sqft: float
    base_rate: Table
    factors: Mapping[str, Table] = field(default_factory=dict)
    size: Points = ((1.0, 1.0),)
    additives: Table = field(default_factory=dict)
    percent_good: Points = ((0.0, 1.0),)
    land: Points = ((1.0, 0.0),)
    primary_sqft: float = 43_560.0
    neighbourhood_land: Table = field(default_factory=dict)
    neighbourhood_building: Table = field(default_factory=dict)
    outbuildings: Table = field(default_factory=dict)
    trend: Points = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the tables as plain values; `from_json` gives the schedule back."""
        return {
            "name": self.name,
            "base_on": self.base_on.isoformat(),
            "roles": {
                "base_rate": self.roles.base_rate,
                "factors": list(self.roles.factors),
                "building_factors": list(self.roles.building_factors),
                "land_factors": list(self.roles.land_factors),
                "additives": list(self.roles.additives),
                "neighbourhood": self.roles.neighbourhood,
            },
            "base_area_sqft": self.base_area_sqft,
            "base_rate": dict(self.base_rate),
            "factors": {name: dict(table) for name, table in self.factors.items()},
            "size": [list(point) for point in self.size],
            "additives": dict(self.additives),
            "percent_good": [list(point) for point in self.percent_good],
            "land": [list(point) for point in self.land],
            "primary_sqft": self.primary_sqft,
            "neighbourhood_land": dict(self.neighbourhood_land),
            "neighbourhood_building": dict(self.neighbourhood_building),
            "outbuildings": dict(self.outbuildings),
            "trend": [list(point) for point in self.trend],
            "evidence": dict(self.evidence),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Schedule:
        """Read the tables and check them.

        Raises
        ------
        ScheduleError
            ``missing_table``, ``bad_table``.
        FeatureRefused
            When a table is keyed by a value already on the cards.
        """
        try:
            roles = Roles.from_json(plain["roles"])
            schedule = cls(
                name=str(plain["name"]),
                base_on=dt.date.fromisoformat(str(plain["base_on"])),
                roles=roles,
                base_area_sqft=float(plain["base_area_sqft"]),
                base_rate=_table(plain["base_rate"]),
                factors={name: _table(table) for name, table in plain.get("factors", {}).items()},
                size=_points(plain.get("size", ((1.0, 1.0),))),
                additives=_table(plain.get("additives", {})),
                percent_good=_points(plain.get("percent_good", ((0.0, 1.0),))),
                land=_points(plain.get("land", ((1.0, 0.0),))),
                primary_sqft=float(plain.get("primary_sqft", 43_560.0)),
                neighbourhood_land=_table(plain.get("neighbourhood_land", {})),
                neighbourhood_building=_table(plain.get("neighbourhood_building", {})),
                outbuildings=_table(plain.get("outbuildings", {})),
                trend=_points(plain.get("trend", ())),
                evidence=dict(plain.get("evidence", {})),
            )
        except KeyError as error:
            raise ScheduleError("missing_table", f"the schedule has no {error.args[0]!r}") from error
        except (TypeError, AttributeError) as error:
            raise ScheduleError("bad_table", f"the schedule is not as it should be: {error}") from error
        return schedule.checked()

    def checked(self) -> Schedule:
        """Return the schedule itself when its tables can be used.

        Raises
        ------
        ScheduleError
            ``bad_table``: a negative rate, points out of order, a factor table without its column's name.
        """
        for label, table in self.tables().items():
            for level, amount in table.items():
                if not np.isfinite(amount) or amount < 0:
                    raise ScheduleError("bad_table", f"{label} of {level!r} is {amount}")
        for label, points in (("size", self.size), ("percent_good", self.percent_good), ("land", self.land)):
            at = [x for x, _ in points]
            if not at or at != sorted(set(at)) or any(y < 0 for _, y in points):
                raise ScheduleError("bad_table", f"{label} needs rising positions and no negative amounts")
        if not self.base_rate:
            raise ScheduleError("bad_table", "base_rate is empty")
        return self

    def tables(self) -> dict[str, Table]:
        """Return every table of levels by its label."""
        return {
            "base_rate": self.base_rate,
            **self.factors,
            "additives": self.additives,
            "outbuildings": self.outbuildings,
            "neighbourhood_land": self.neighbourhood_land,
            "neighbourhood_building": self.neighbourhood_building,
        }

    def with_neighbourhoods(self, *, land: Table, building: Table) -> Schedule:
        """Return the schedule with other location factors."""
        return replace(self, neighbourhood_land=dict(land), neighbourhood_building=dict(building))

    def price_level(self, days: NDArray[np.int64] | list[int]) -> Floats:
        """Return the price level at ordinal days, relative to the base date; flat beyond the ends."""
        if not self.trend:
            return np.ones(len(days))
        at, level = np.array(self.trend).T
        base = np.interp(self.base_on.toordinal(), at, np.log(level))
        return np.asarray(np.exp(np.interp(days, at, np.log(level)) - base), dtype=np.float64)


def _table(plain: Mapping[str, Any]) -> dict[str, float]:
    return {str(level): float(amount) for level, amount in plain.items()}


def _points(plain: Any) -> Points:
    return tuple((float(x), float(y)) for x, y in plain)


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
    if roles.neighbourhood:
        land_factor = land_factor * factor(roles.neighbourhood, schedule.neighbourhood_land, told=False)
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
            "land_factor": land_factor,
            "area_sqft": area,
            "rate": rate,
            "grade_factor": grade,
            "size_factor": size,
            "additives": np.where(area > 0, extras, 0.0),
            "new": new,
            "age_years": ages,
            "percent_good": 100.0 * good,
            "condition_factor": state,
            "location_factor": location,
            "percent_complete": 100.0 * complete,
        },
        index=frame.index,
    )
    return Components(
        primary_land=primary * land_factor,
        excess_land=(whole_land - primary) * land_factor,
        building=new * good * state * location * complete,
        outbuildings=number(frame, "outbuildings_value_new") * good,
        steps=steps,
        unknown_levels=unknown,
    )
