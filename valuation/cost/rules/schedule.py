"""A cost schedule: the tables, and the arithmetic that turns facts into components.

::

    land     = (curve(land area) x land factors x site index + lines by rate) x neighbourhood (land)
    new      = area x rate(style) x factors(grade, ...) x size(area) + sum of units x additive rates
    building = new x percent good(age) x obsolescence x building factors(condition, ...) x neighbourhood (building)
    value    = primary site + excess land + building x percent complete + outbuildings

Tables are dollars at the schedule's base date. RCSA 12-62f-4 asks for user tables of rates, age and condition.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
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
    land_rates : mapping of str to float
        Dollars of land lines that are valued by themselves: an acre of a kind (``rear``, ``wetland``), a
        ``front_foot``, a ``lot``. A kind without a rate stays on the curve.
    depth : points
        (depth in feet, factor) of front feet, interpolated on depth.
    site_index : bool
        Whether the site index and condition of the land lines multiply the curve.
    depreciation : str
        How obsolescence joins age: ``product`` of the shares left, or ``additive`` percents lost.
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
    land_rates: Table = field(default_factory=dict)
    depth: Points = ((100.0, 1.0),)
    site_index: bool = False
    depreciation: str = "product"
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
            "land_rates": dict(self.land_rates),
            "depth": [list(point) for point in self.depth],
            "site_index": self.site_index,
            "depreciation": self.depreciation,
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
                land_rates=_table(plain.get("land_rates", {})),
                depth=_points(plain.get("depth", ((100.0, 1.0),))),
                site_index=bool(plain.get("site_index", False)),
                depreciation=str(plain.get("depreciation", "product")),
                trend=_points(plain.get("trend", ())),
                evidence=dict(plain.get("evidence", {})),
            )
        except KeyError as error:
            raise ScheduleError("missing_table", f"the schedule has no {error.args[0]!r}") from error
        except (TypeError, ValueError, AttributeError) as error:
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
        curves = {
            "size": self.size,
            "percent_good": self.percent_good,
            "land": self.land,
            "depth": self.depth,
        }
        for label, points in curves.items():
            at = [x for x, _ in points]
            if not at or at != sorted(set(at)) or any(y < 0 for _, y in points):
                raise ScheduleError("bad_table", f"{label} needs rising positions and no negative amounts")
        if self.depreciation not in ("product", "additive"):
            raise ScheduleError(
                "bad_table", f"depreciation is product or additive, not {self.depreciation!r}"
            )
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
            "land_rates": self.land_rates,
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
