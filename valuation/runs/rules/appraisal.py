"""From a frame of facts to whole-dollar values with their parts, explanation and flags."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from valuation.cost.rules import Schedule
from valuation.cost.rules.arithmetic import components, number
from valuation.cost.rules.land_lines import land_line_values
from valuation.cost.rules.outbuildings import outbuilding_values
from valuation.runs.rules.groups import codes_of
from valuation.runs.rules.local import LocalFactors

Floats = NDArray[np.float64]
PARTS = ("primary_land", "excess_land", "building", "outbuildings")
_BUILT = frozenset({"single", "multi", "condo", "mobile", "apartment", "commercial", "industrial", "utility"})


@dataclass(frozen=True)
class RawValues:
    """Parts of each property at the schedule alone, before local factors; one row for a property.

    Attributes
    ----------
    parts : DataFrame
        Columns `PARTS`, dollars, index ``property_id``.
    facts : DataFrame
        First row of each property: group, class, neighbourhood, land and the steps of its main building.
    fallback : ndarray of bool
        The building could not be valued from its area; its value is the typical one of its group.
    """

    parts: pd.DataFrame
    facts: pd.DataFrame
    fallback: NDArray[np.bool_]

    @property
    def total(self) -> Floats:
        """Return the sum of the parts."""
        return np.asarray(self.parts.sum(axis=1), dtype=np.float64)


def raw_values(
    schedule: Schedule,
    frame: pd.DataFrame,
    *,
    as_of: dt.date,
    features: pd.DataFrame | None = None,
    land_lines: pd.DataFrame | None = None,
) -> RawValues:
    """Value every property at the schedule's tables.

    Parameters
    ----------
    frame : DataFrame
        One row for each building, and one for a property without any; ``property_id``, ``group`` and
        ``state_class`` beside the facts. Land stands on a property's first row only.
    features : DataFrame, optional
        Outbuildings and extra features, as `outbuilding_values` reads them.
    land_lines : DataFrame, optional
        Land by line, as `land_line_values` reads it.

    Notes
    -----
    A property that should have a building but no area is known gets a typical building: the median part of
    its group, or of all. Land without an area is worth the median land of its group, so that every taxable
    property has a value; both are flagged.
    """
    lines = land_line_values(land_lines, schedule) if land_lines is not None and len(land_lines) else None
    if lines is not None:
        frame = _without_lines(frame, lines)
    found = components(schedule, frame, as_of=as_of)
    rows = pd.DataFrame({name: getattr(found, name) for name in PARTS}, index=frame.index)
    keys = frame["property_id"]
    parts = rows.groupby(keys, sort=False).sum()
    first = ~keys.duplicated().to_numpy()
    facts = pd.concat([frame, found.steps.add_prefix("step_")], axis=1)[first].set_index("property_id")
    buildings = (number(frame, "living_sqft") > 0).astype(int)
    facts["buildings"] = pd.Series(buildings, index=keys.to_numpy()).groupby(level=0, sort=False).sum()
    facts["unknown_levels"] = (
        pd.Series(found.unknown_levels, index=keys.to_numpy()).groupby(level=0, sort=False).any()
    )

    facts["step_land_lines"] = 0.0
    if lines is not None:
        dollars = lines["dollars"].reindex(facts.index).fillna(0.0) * facts["step_land_place_factor"]
        facts["step_land_lines"] = dollars
        parts["excess_land"] += dollars.reindex(parts.index)
    stands = outbuilding_values(features, schedule, as_of=as_of) if features is not None else pd.DataFrame()
    for name, column in (
        ("without_rate", "outbuilding_without_rate"),
        ("unverified", "outbuilding_rate_unverified"),
    ):
        facts[column] = stands[name].reindex(facts.index, fill_value=False) if len(stands) else False
    if len(stands):
        parts["outbuildings"] += stands["dollars"].reindex(parts.index).fillna(0.0)

    groups = facts["group"]
    should = groups.isin(_BUILT).to_numpy()
    building = parts["building"].to_numpy(dtype=np.float64)
    no_building = should & (building <= 0)
    parts["building"] = np.where(no_building, _typical(building, groups), building)
    land = parts["primary_land"].to_numpy(dtype=np.float64)
    no_land = (land + parts["excess_land"].to_numpy() <= 0) & (groups != "condo").to_numpy()
    parts["primary_land"] = np.where(no_land, _typical(land, groups), land)
    facts["no_building_area"], facts["no_land_area"] = no_building, no_land
    return RawValues(parts, facts, no_building | no_land)


def _without_lines(frame: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Return the facts with the land that is valued by line taken off the curve, and the site index of the rest."""
    own = lines.reindex(frame["property_id"])
    out = frame.assign(site_index=own["site_index"].fillna(1.0).to_numpy())
    taken = own["sqft_taken"].fillna(0.0).to_numpy(dtype=np.float64)
    rest = np.maximum(frame["land_sqft"].to_numpy(dtype=np.float64) - taken, 0.0)
    out["land_sqft"] = np.where(taken > 0, rest, frame["land_sqft"])
    return out


def _typical(amounts: Floats, groups: pd.Series) -> Floats:
    known = amounts > 0
    if not known.any():
        return np.zeros(len(amounts))
    overall = float(np.median(amounts[known]))
    medians = pd.Series(amounts[known]).groupby(groups[known].to_numpy()).median()
    return np.asarray(groups.map(medians).fillna(overall), dtype=np.float64)


@dataclass(frozen=True)
class Valued:
    """Whole-dollar values of properties.

    Attributes
    ----------
    frame : DataFrame
        Index ``property_id``; columns `PARTS` in whole dollars, ``value`` (their sum), ``low``, ``high``,
        ``factor`` (local), and the facts.
    """

    frame: pd.DataFrame

    def components(self) -> list[list[list[object]]]:
        """Return ``[[code, dollars, quantity, unit], ...]`` of each property, without empty parts."""
        rows = []
        names = ["state_class", "group", "step_land_sqft", *PARTS]
        for state_class, group, land_sqft, *dollars in self.frame[names].itertuples(index=False, name=None):
            rows.append(_lines(str(state_class), str(group), float(land_sqft), dollars))
        return rows

    def explanations(self) -> list[list[list[object]]]:
        """Return ``[[words, dollars], ...]`` of each property; the dollars sum to its value."""
        return [_explain({str(k): v for k, v in row.items()}) for row in self.frame.to_dict("records")]


def _lines(state_class: str, group: str, land_sqft: float, dollars: list[int]) -> list[list[object]]:
    codes = codes_of(state_class, group)
    acres = round(land_sqft / 43_560, 4)
    lines: dict[str, list[object]] = {}
    for part, amount in zip(PARTS, dollars, strict=True):
        code = codes[part]
        if code in lines:
            lines[code][1] = int(lines[code][1]) + int(amount)  # type: ignore[call-overload]
        elif amount or part == "primary_land":
            on_land = part == "primary_land" and group != "condo" and acres > 0
            lines[code] = [code, int(amount), acres if on_land else None, "acre" if on_land else ""]
    kept = [line for line in lines.values() if line[1]]
    return kept or list(lines.values())[:1]


def _explain(row: Mapping[str, object]) -> list[list[object]]:
    """Return the arithmetic of one value as sentences with dollars that sum to it."""

    def figure(name: str) -> float:
        return float(row.get(f"step_{name}", 0.0) or 0.0)  # type: ignore[arg-type]

    def dollars(name: str) -> int:
        return int(row[name])  # type: ignore[call-overload,no-any-return]

    local = float(row["factor"])  # type: ignore[arg-type]
    words: list[list[object]] = []
    if dollars("primary_land") or dollars("excess_land"):
        if row.get("no_land_area"):
            text = "Land: no area on the card; the typical land of its kind"
        else:
            text = (
                f"Land: {figure('land_sqft'):,.0f} sq ft, ${figure('land_from_curve'):,.0f} from the lot-size curve"
                f" x {figure('land_factor'):.3f} site and neighbourhood x {local:.3f} local level"
            )
            if figure("land_lines"):
                text += (
                    f", with ${figure('land_lines'):,.0f} of land by line (front feet, rear, lots, wetland)"
                )
        words.append([text, dollars("primary_land") + dollars("excess_land")])
    if dollars("building"):
        if row.get("no_building_area"):
            text = "Building: no area on the card; the typical building of its kind"
        else:
            text = (
                f"Building: {figure('area_sqft'):,.0f} sq ft x ${figure('rate'):,.2f} x {figure('grade_factor'):.3f} "
                f"grade x {figure('size_factor'):.3f} size + ${figure('additives'):,.0f} fixtures = "
                f"${figure('new'):,.0f} new; {figure('percent_good'):.0f} % good at {figure('age_years'):.0f} years "
                f"x {figure('obsolescence_factor'):.3f} obsolescence x {figure('condition_factor'):.3f} condition x {figure('location_factor'):.3f} neighbourhood "
                f"x {figure('percent_complete'):.0f} % complete x {local:.3f} local level"
            )
            if int(row.get("buildings", 1) or 1) > 1:  # type: ignore[call-overload]
                text += f"; with {int(row['buildings']) - 1} more building(s) on the same card"  # type: ignore[call-overload]
        words.append([text, dollars("building")])
    if dollars("outbuildings"):
        words.append(["Outbuildings and extra features, depreciated", dollars("outbuildings")])
    return words


def value_properties(raw: RawValues, local: LocalFactors, *, rounding: int) -> Valued:
    """Apply the local factors and round each part to ``rounding`` dollars; the value is the sum of parts."""
    facts = raw.facts
    factor = local.of(facts["group"], facts["neighbourhood"])
    out = facts.copy()
    for name in PARTS:
        exact = raw.parts[name].to_numpy(dtype=np.float64) * factor
        out[name] = (rounding * np.floor(exact / rounding + 0.5)).astype(np.int64)
    out["value"] = out[list(PARTS)].sum(axis=1).astype(np.int64)
    out["factor"] = factor
    out["fallback"] = raw.fallback
    low, high = local.limits(facts["group"])
    for name, limit in (("low", low), ("high", high)):
        out[name] = (rounding * np.round(out["value"].to_numpy() * limit / rounding)).astype(np.int64)
    return Valued(out)


def flags_of(
    valued: Valued,
    market: pd.Series,
    previous: pd.Series,
    comparables: pd.Series | None = None,
    *,
    limits: Mapping[str, float],
) -> list[list[str]]:
    """Return what a reviewer should look at, for each property.

    Parameters
    ----------
    market, previous : Series
        Market estimate and the appraised value on the previous list by ``property_id``; NaN where none.
    comparables : Series, optional
        What comparable sales indicate by ``property_id``; 0 where there is none.
    limits : mapping
        ``market_gap_percent comparables_gap_percent change_percent land_share_percent wide_interval_percent``.
    """
    frame = valued.frame
    value = np.maximum(frame["value"].to_numpy(dtype=np.float64), 1.0)
    land = frame["primary_land"].to_numpy(float) + frame["excess_land"].to_numpy(float)
    check = market.reindex(frame.index).to_numpy(dtype=np.float64)
    before = previous.reindex(frame.index).to_numpy(dtype=np.float64)
    alike = np.full(len(frame), np.nan)
    if comparables is not None:
        alike = comparables.where(comparables > 0).reindex(frame.index).to_numpy(dtype=np.float64)
    has_building = frame["building"].to_numpy() > 0
    with np.errstate(invalid="ignore"):
        named: dict[str, NDArray[np.bool_]] = {
            "no_building_area": frame["no_building_area"].to_numpy(bool),
            "no_land_area": frame["no_land_area"].to_numpy(bool),
            "unknown_code": frame["unknown_levels"].to_numpy(bool),
            "outbuilding_without_rate": frame["outbuilding_without_rate"].to_numpy(bool),
            "outbuilding_rate_unverified": frame["outbuilding_rate_unverified"].to_numpy(bool),
            "several_buildings": frame["buildings"].to_numpy() > 1,
            "synthetic_facts": frame["is_synthetic"].to_numpy(bool),
            "unclassified": (frame["state_class"] == "").to_numpy(),
            "use_value_needed": (frame["group"] == "use_value").to_numpy(),
            "market_disagrees": np.abs(check / value - 1) * 100 > limits["market_gap_percent"],
            "comparables_disagree": np.abs(alike / value - 1) * 100 > limits["comparables_gap_percent"],
            "large_change": np.abs(value / before - 1) * 100 > limits["change_percent"],
            "land_over_share": has_building & (land / value * 100 > limits["land_share_percent"]),
            "wide_interval": (frame["high"].to_numpy(float) - frame["low"].to_numpy(float)) / value / 2 * 100
            > limits["wide_interval_percent"],
            "no_value": frame["value"].to_numpy() <= 0,
        }
    matrix = np.column_stack(list(named.values()))
    names = np.array(list(named), dtype=object)
    return [list(names[row]) for row in matrix]
