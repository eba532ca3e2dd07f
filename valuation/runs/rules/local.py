"""Local factors: what a town's own sales say of the level of its town, its groups and its neighbourhoods.

A schedule shared by a region is right in shape and seldom in level. Each factor here is a median of
logarithmic residuals, drawn towards nothing by ``n / (n + hold)``, and keeps its evidence: sales and
median ratio before and after (Tuohy v. Groton, 331 Conn. 745, allows an area factor found by ratio study).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.intervals.rules import order_limits
from valuation.pooling.credibility import credibility

Floats = NDArray[np.float64]
_GROUP_HOLD, _PLACE_HOLD, _LEAST, _REACH = 4.0, 8.0, 3, 3.0
_TREND_LEAST, _TREND_LIMIT = 150, 0.15


_LEAST_FOR_LIMITS, _LEAST_IN_GROUP = 40, 80


class BadPoolingOptionsError(ValueError):
    """The pooling settings of a spec cannot be used."""

    code = "bad_pooling_options"


@dataclass(frozen=True)
class Pooling:
    """How far a town's own sales are believed: ``pooling`` of a spec's settings.

    Attributes
    ----------
    places : str
        ``fixed`` believes a neighbourhood by ``n / (n + 8)``; ``credibility`` takes the hold from the sales
        themselves (within over between variance), so that neighbourhoods that do not differ get no factor.
    town_hold : float
        Sales at which the town's own level is believed half, against the shared schedule; 0 believes it whole.
        A region finds it with `valuation.pooling.credibility.credibility` over its towns.
    """

    places: str = "fixed"
    town_hold: float = 0.0

    @classmethod
    def from_settings(cls, plain: Mapping[str, Any]) -> Pooling:
        """Read the settings of a spec.

        Raises
        ------
        BadPoolingOptionsError
            For an option that there is not.
        """
        unknown = sorted(set(plain) - {"places", "town_hold"})
        if unknown:
            raise BadPoolingOptionsError(f"pooling has no option {', '.join(map(repr, unknown))}")
        places, hold = plain.get("places", "fixed"), plain.get("town_hold", 0.0)
        if places not in ("fixed", "credibility"):
            raise BadPoolingOptionsError(f"places are pooled fixed or by credibility, not {places!r}")
        if not isinstance(hold, (int, float)) or not 0 <= hold <= 10_000:
            raise BadPoolingOptionsError(f"town_hold is a number of sales, not {hold!r}")
        return cls(places, float(hold))


@dataclass(frozen=True)
class LocalFactors:
    """Multipliers of a town on the parts of a schedule's values.

    Attributes
    ----------
    town : float
        Level of the town.
    groups, places : mapping of str to float
        By use group and by neighbourhood; one that is not named has factor 1.
    yearly_change : float
        Logarithmic change of prices a year that the fitted sales show.
    level_on : date
        Day that the level is of.
    spreads : mapping of str to (float, float)
        90 % limits of logarithmic errors by group; ``*`` for the others.
    evidence : tuple of mappings
        One for each factor: kind, name, factor, n, median ratio before and after.
    """

    town: float = 1.0
    groups: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, float] = field(default_factory=dict)
    yearly_change: float = 0.0
    level_on: dt.date = dt.date(2000, 1, 1)
    spreads: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    evidence: tuple[Mapping[str, Any], ...] = ()

    def of(self, groups: pd.Series, places: pd.Series) -> Floats:
        """Return the multiplier of each property."""
        group = groups.map(self.groups).fillna(1.0).to_numpy(dtype=np.float64)
        place = places.map(self.places).fillna(1.0).to_numpy(dtype=np.float64)
        return np.asarray(self.town * group * place, dtype=np.float64)

    def level(self, days: NDArray[np.int64]) -> Floats:
        """Return the price level of each ordinal day against ``level_on``; flat after it."""
        years = np.minimum(days - self.level_on.toordinal(), 0) / 365.25
        return np.asarray(np.exp(self.yearly_change * years), dtype=np.float64)

    def limits(self, groups: pd.Series) -> tuple[Floats, Floats]:
        """Return the factors of the lower and upper end of each property's interval."""
        other = self.spreads.get("*", (-0.5, 0.5))
        low = groups.map({name: span[0] for name, span in self.spreads.items()}).fillna(other[0])
        high = groups.map({name: span[1] for name, span in self.spreads.items()}).fillna(other[1])
        return np.exp(low.to_numpy(dtype=np.float64)), np.exp(high.to_numpy(dtype=np.float64))

    def as_json(self) -> dict[str, Any]:
        """Return plain values; `from_json` gives the factors back."""
        return {
            "town": self.town,
            "groups": dict(self.groups),
            "places": dict(self.places),
            "yearly_change": self.yearly_change,
            "level_on": self.level_on.isoformat(),
            "spreads": {name: list(span) for name, span in self.spreads.items()},
            "evidence": [dict(row) for row in self.evidence],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> LocalFactors:
        """Read factors from plain values."""
        return cls(
            town=float(plain["town"]),
            groups={str(name): float(factor) for name, factor in plain["groups"].items()},
            places={str(name): float(factor) for name, factor in plain["places"].items()},
            yearly_change=float(plain["yearly_change"]),
            level_on=dt.date.fromisoformat(plain["level_on"]),
            spreads={name: (float(low), float(high)) for name, (low, high) in plain["spreads"].items()},
            evidence=tuple(plain.get("evidence", ())),
        )


def fit_local_factors(
    raw: Floats,
    prices: Floats,
    sold_on: NDArray[np.int64],
    groups: pd.Series,
    places: pd.Series,
    *,
    valued_on: dt.date,
    pooling: Pooling = Pooling(),
) -> LocalFactors:
    """Find the local factors from sales and the values that the schedule alone gives them.

    The spreads are of the fitted sales' own errors; a run replaces them by those of later sales (`limits_from`).

    Parameters
    ----------
    raw, prices : ndarray, shape (n,)
        Dollars.
    sold_on : ndarray of int
        Ordinal days, all before ``valued_on`` or little after.
    groups, places : Series
        Use group and neighbourhood of each sale.
    valued_on : date
        The level is brought to this day, or to the last sale when that is earlier.
    """
    if not len(raw):
        return LocalFactors(level_on=valued_on)
    level_day = min(valued_on.toordinal(), int(sold_on.max()))
    residual = np.log(prices) - np.log(np.maximum(raw, 1.0))
    change = _yearly_change(residual, sold_on)
    residual = residual - change * np.minimum(sold_on - level_day, 0) / 365.25

    own = float(np.median(residual))
    middle = own * len(residual) / (len(residual) + pooling.town_hold)
    deviation = max(1.4826 * float(np.median(np.abs(residual - own))), 0.05)
    evidence: list[dict[str, Any]] = [_row("town", "all", middle, residual, middle)]
    residual = residual - middle

    group_logs = _levels(residual, groups, hold=_GROUP_HOLD, reach=None)
    for name, (factor, members) in group_logs.items():
        evidence.append(_row("group", name, factor, residual[members], factor))
    residual = residual - groups.map({name: pair[0] for name, pair in group_logs.items()}).fillna(
        0.0
    ).to_numpy(float)

    reach = _REACH * deviation
    hold = _PLACE_HOLD if pooling.places == "fixed" else _hold_of(residual, places, reach)
    place_logs = _levels(residual, places, hold=hold, reach=reach)
    for name, (factor, members) in place_logs.items():
        evidence.append(_row("neighbourhood", name, factor, residual[members], factor))
    residual = residual - places.map({name: pair[0] for name, pair in place_logs.items()}).fillna(
        0.0
    ).to_numpy(float)

    return LocalFactors(
        town=round(float(np.exp(middle)), 4),
        groups={name: round(float(np.exp(pair[0])), 4) for name, pair in group_logs.items()},
        places={name: round(float(np.exp(pair[0])), 4) for name, pair in place_logs.items()},
        yearly_change=round(change, 4),
        level_on=dt.date.fromordinal(level_day),
        spreads=_spreads(residual, groups),
        evidence=tuple(evidence),
    )


def _yearly_change(residual: Floats, sold_on: NDArray[np.int64]) -> float:
    """Return the slope of residuals by year, of the middle of them; nothing where sales are few."""
    if len(residual) < _TREND_LEAST or np.ptp(sold_on) < 180:
        return 0.0
    years = (sold_on - sold_on.mean()) / 365.25
    kept = np.abs(residual - np.median(residual)) < 2.5 * 1.4826 * np.median(
        np.abs(residual - np.median(residual))
    )
    slope = float(np.polyfit(years[kept], residual[kept], 1)[0])
    return float(np.clip(slope, -_TREND_LIMIT, _TREND_LIMIT))


def _hold_of(residual: Floats, places: pd.Series, reach: float) -> float:
    """Return the sales at which a neighbourhood is believed half: within over between variance."""
    near = (np.abs(residual) < reach) & (places.astype(str) != "").to_numpy()
    if near.sum() < 2 * _LEAST:
        return _PLACE_HOLD
    found = credibility(residual[near], places[near].astype(str).tolist())
    return found.within / found.between_towns if found.between_towns > 0 else float("inf")


def limits_from(
    values: Floats, prices: Floats, groups: pd.Series, *, coverage: float
) -> dict[str, tuple[float, float]]:
    """Return limits of logarithmic errors of later sales, by use group where it has 80 of them (split conformal).

    Nothing is returned under 40 sales.
    """
    error = np.log(prices) - np.log(np.maximum(values, 1.0))
    if len(error) < _LEAST_FOR_LIMITS:
        return {}

    def span(errors: Floats) -> tuple[float, float]:
        low, high = order_limits(errors, coverage)
        return round(min(low, 0.0), 4), round(max(high, 0.0), 4)

    spans = {"*": span(error)}
    for name, members in sorted(_members(groups).items()):
        if len(members) >= _LEAST_IN_GROUP:
            spans[name] = span(error[members])
    return spans


def _members(names: pd.Series) -> dict[str, NDArray[np.intp]]:
    labels, codes = np.unique(names.astype(str).to_numpy(dtype=object).astype(str), return_inverse=True)
    return {str(label): np.flatnonzero(codes == at) for at, label in enumerate(labels)}


def _levels(
    residual: Floats, names: pd.Series, *, hold: float, reach: float | None
) -> dict[str, tuple[float, NDArray[np.intp]]]:
    found: dict[str, tuple[float, NDArray[np.intp]]] = {}
    for name, members in sorted(_members(names).items()):
        if not str(name) or len(members) < _LEAST:
            continue
        middle = float(np.median(residual[members]))
        if reach is not None:
            near = residual[members][np.abs(residual[members]) < reach]
            middle = float(np.median(near)) if len(near) >= _LEAST else 0.0
        found[str(name)] = (middle * len(members) / (len(members) + hold), members)
    return found


def _row(kind: str, name: str, log_factor: float, residual: Floats, change: float) -> dict[str, Any]:
    before = float(np.exp(-np.median(residual)))
    return {
        "kind": kind,
        "name": name,
        "factor": round(float(np.exp(log_factor)), 4),
        "n": len(residual),
        "median_ratio_before": round(before, 4),
        "median_ratio_after": round(before * float(np.exp(change)), 4),
    }


def _spreads(residual: Floats, groups: pd.Series) -> dict[str, tuple[float, float]]:
    def span(errors: Floats) -> tuple[float, float]:
        low, high = np.percentile(errors, [5, 95])
        return round(float(low), 4), round(float(high), 4)

    spans = {"*": span(residual)}
    for name, members in sorted(_members(groups).items()):
        if len(members) >= 30:
            spans[str(name)] = span(residual[members])
    return spans
