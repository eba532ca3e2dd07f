"""Reading the facts that a run freezes, as frames."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd
from django.db import connection

from assessment.property.standing import STANDING_TABLES, Standing
from assessment.property.statistics import reading_whole_town
from assessment.roll.models import GrandList
from valuation.runs.rules.groups import use_group

_FACTS_SQL = """
SELECT p.id, p.state_class, p.neighbourhood, p.zoning,
       coalesce(p.location_x_ft, g.x), coalesce(p.location_y_ft, g.y), p.is_synthetic,
       p.complex_id IS NOT NULL, p.exempt_code,
       concat_ws(' ', p.use_description, b.occupancy, b.style, b.model),
       coalesce(l.sqft, nullif(p.land_sqft, 0), nullif(p.total_acres, 0) * 43560, g.area_sqft),
       p.frontage_ft,
       b.building_number, b.style, b.grade, b.condition, b.kitchen_style, b.bath_style, b.heat_type,
       b.exterior_wall, b.use_code,
       coalesce(nullif(b.living_area_sqft, 0), nullif(b.effective_area_sqft, 0), nullif(b.gross_area_sqft, 0)),
       b.basement_area_sqft, b.finished_basement_sqft, b.full_baths, b.half_baths, b.bedrooms, b.total_rooms,
       b.stories, b.fireplaces, b.garage_attached_spaces, b.units,
       coalesce(b.effective_year_built, b.year_built), b.percent_complete,
       b.functional_obsolescence_percent, b.external_obsolescence_percent, x.code, b.ac_type, b.id
FROM {property} p
LEFT JOIN assessment_complex x ON x.id = p.complex_id AND x.town_id = p.town_id
LEFT JOIN (
  SELECT property_id, sum(CASE unit WHEN 'acre' THEN quantity * 43560 WHEN 'sqft' THEN quantity
                          WHEN 'front_foot' THEN quantity * coalesce(depth_ft, 100) END) AS sqft
  FROM {landline} n WHERE town_id = %(town)s AND land_type <> 'wetland' GROUP BY property_id
) l ON l.property_id = p.id
LEFT JOIN (
  SELECT DISTINCT ON (l.property_id) l.property_id, (center(k.bbox))[0] AS x, (center(k.bbox))[1] AS y,
         CASE WHEN count(*) OVER (PARTITION BY l.parcel_id) = 1 THEN k.area_sqft END AS area_sqft
  FROM gis_fabricversion f
  JOIN gis_parcel k ON k.town_id = f.town_id AND k.fabric_id = f.id
  JOIN gis_parcelproperty l ON l.town_id = k.town_id AND l.parcel_id = k.id
  WHERE f.town_id = %(town)s AND f.state = 'current'
  ORDER BY l.property_id, k.area_sqft DESC, k.id
) g ON g.property_id = p.id
LEFT JOIN {building} b ON b.property_id = p.id AND b.town_id = p.town_id
WHERE p.town_id = %(town)s AND p.kind = 'real' AND NOT p.is_retired
ORDER BY p.id, b.building_number
"""
_FACT_COLUMNS = (
    "property_id", "state_class", "neighbourhood", "zoning", "x", "y", "is_synthetic", "in_complex", "exempt_code",
    "words", "land_sqft", "frontage_ft", "building_number", "style", "grade", "condition", "kitchen", "bathroom",
    "heat", "wall", "use", "living_sqft", "basement_sqft", "finished_basement_sqft", "baths", "half_baths",
    "bedrooms", "rooms", "stories", "fireplaces", "garage_bays", "units", "year_built", "percent_complete",
    "functional_percent", "external_percent", "complex", "ac", "building_id",
)  # fmt: skip
_NUMBERS = (
    "x", "y", "land_sqft", "frontage_ft", "living_sqft", "basement_sqft", "finished_basement_sqft", "baths",
    "half_baths", "bedrooms", "rooms", "stories", "fireplaces", "garage_bays", "units", "year_built",
    "percent_complete", "functional_percent", "external_percent", "air_conditioning",
)  # fmt: skip
_NO_AC = re.compile(r"^\s*(none|no|n|0)?\s*$", re.IGNORECASE)


def facts_frame(town_code: int, standing: Standing | None = None) -> pd.DataFrame:
    """Return the facts of every real property of a town: a row for each building, or one without.

    As they stand today, or as they stood (`assessment.property.standing`); the parcels are today's.

    Place and, where the card has no land, area are those of the parcel; a parcel that several properties
    share gives no area. Land stands on a property's first row only. The order is by property and building, so equal facts give
    an equal frame.
    """
    rows = _read(_FACTS_SQL, town_code, standing)
    frame = pd.DataFrame(rows, columns=list(_FACT_COLUMNS))
    frame["air_conditioning"] = [0.0 if _NO_AC.match(str(cell or "")) else 1.0 for cell in frame.pop("ac")]
    for name in _NUMBERS:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(np.float64)
    texts = (
        "style",
        "grade",
        "condition",
        "kitchen",
        "bathroom",
        "heat",
        "wall",
        "use",
        "neighbourhood",
        "zoning",
    )
    for name in texts:
        frame[name] = ["" if cell is None else str(cell) for cell in frame[name]]
    has_building = frame["building_id"].notna()
    frame["group"] = [
        use_group(state_class, words or "", in_complex=in_complex, has_building=built)
        for state_class, words, in_complex, built in zip(
            frame["state_class"], frame["words"], frame["in_complex"], has_building, strict=True
        )
    ]
    again = frame["property_id"].duplicated()
    frame.loc[again, "land_sqft"] = np.nan
    frame["baths"] = frame["baths"] + 0.5 * frame["half_baths"].fillna(0.0)
    # Units are valued by complex (a neighbourhood of its own), with its own sales and factor where there are some.
    frame["neighbourhood"] = [
        f"{place} complex {unit}".strip() if group == "condo" and unit else place
        for place, unit, group in zip(frame["neighbourhood"], frame["complex"], frame["group"], strict=True)
    ]
    frame["outbuildings_value_new"] = 0.0
    frame["is_synthetic"] = frame["is_synthetic"].astype(bool)
    return frame.drop(columns=["words", "in_complex", "building_id", "complex"])


_FEATURE_COLUMNS = ("property_id", "code", "quantity", "year_built", "percent_good", "percent_complete")


_FEATURES_SQL = """
SELECT f.property_id, f.code, f.quantity, f.year_built, f.percent_good, f.percent_complete
FROM {feature} f JOIN {property} p ON p.id = f.property_id
WHERE f.town_id = %(town)s AND p.kind = 'real' AND NOT p.is_retired ORDER BY f.property_id, f.id
"""


def features_frame(town_code: int, standing: Standing | None = None) -> pd.DataFrame:
    """Return the outbuildings and extra features of a town's real properties, one row each, in a fixed order."""
    frame = pd.DataFrame(_read(_FEATURES_SQL, town_code, standing), columns=list(_FEATURE_COLUMNS))
    for name in _FEATURE_COLUMNS[2:]:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(np.float64)
    return frame


_LINE_COLUMNS = (
    "property_id", "land_type", "unit", "quantity", "depth_ft", "site_index", "condition_factor", "size_factor",
    "neighbourhood_factor",
)  # fmt: skip


_LINES_SQL = """
SELECT l.property_id, l.land_type, l.unit, l.quantity, l.depth_ft, l.site_index, l.condition_factor,
       l.size_factor, l.neighbourhood_factor
FROM {landline} l JOIN {property} p ON p.id = l.property_id
WHERE l.town_id = %(town)s AND p.kind = 'real' AND NOT p.is_retired ORDER BY l.property_id, l.id
"""


def land_lines_frame(town_code: int, standing: Standing | None = None) -> pd.DataFrame:
    """Return the land lines of a town's real properties, one row each, in a fixed order."""
    frame = pd.DataFrame(_read(_LINES_SQL, town_code, standing), columns=list(_LINE_COLUMNS))
    for name in _LINE_COLUMNS[3:]:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(np.float64)
    return frame


def _read(sql: str, town_code: int, standing: Standing | None) -> list[tuple[Any, ...]]:
    """Return the rows of a query on the record's tables, or on what stands for them on a day."""
    parameters: dict[str, Any] = {"town": town_code}
    sources = {table: f"assessment_{table}" for table in STANDING_TABLES}
    if standing is not None and standing.rebuilt:
        for table in sources:
            if f"{{{table}}}" in sql:
                sources[table], more = standing.source(table)
                parameters |= more
    with reading_whole_town(), connection.cursor() as cursor:
        cursor.execute(sql.format(**sources), parameters)
        return list(cursor.fetchall())


_SALES_SQL = """
SELECT t.property_id, t.price, t.recorded_on, t.id
FROM assessment_transfer t
WHERE t.town_id = %(town)s AND t.validity = 'usable' AND t.property_id IS NOT NULL AND t.price > 0
  AND t.recorded_on >= %(first)s AND t.recorded_on <= %(last)s
  AND (t.decided_validity = 'usable' OR NOT %(decided)s)
ORDER BY t.recorded_on, t.id
"""


def sales_frame(
    town_code: int, *, first_on: dt.date, last_on: dt.date, decided: bool = False
) -> pd.DataFrame:
    """Return the usable, matched sales of a town between two days: property, price, ordinal day.

    With ``decided``, only those that a person decided to be usable, not the machine's suggestions.
    """
    wanted: dict[str, Any] = {"town": town_code, "first": first_on, "last": last_on, "decided": decided}
    with connection.cursor() as cursor:
        cursor.execute(_SALES_SQL, wanted)
        rows = cursor.fetchall()
    frame = pd.DataFrame(rows, columns=["property_id", "price", "recorded_on", "transfer_id"])
    frame["price"] = frame["price"].astype(np.float64)
    frame["sold_on"] = np.array([day.toordinal() for day in frame["recorded_on"]], dtype=np.int64)
    return frame


def previous_values(town_code: int, year: int) -> pd.Series:
    """Return appraised totals by property on the newest list before a year; empty when there is none."""
    before = GrandList.objects.filter(town_id=town_code, kind=GrandList.Kind.REAL, year__lt=year).order_by(
        "-year"
    )
    found = before.first()
    if found is None:
        return pd.Series(dtype=np.float64)
    with reading_whole_town(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.property_id, sum(l.appraised) FROM assessment_assessment a "
            "JOIN assessment_assessmentline l ON l.town_id = a.town_id AND l.assessment_id = a.id "
            "WHERE a.town_id = %s AND a.grand_list_id = %s GROUP BY a.property_id",
            [town_code, found.pk],
        )
        return _by_property(cursor.fetchall())


def card_values(town_code: int) -> pd.Series:
    """Return the newest total value stated on each property's card, for comparison only."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (property_id) property_id, coalesce(appraised, assessed) "
            "FROM assessment_statedvalue WHERE town_id = %s AND component = 'total' AND basis = 'card' "
            "AND coalesce(appraised, assessed) > 0 ORDER BY property_id, list_year DESC, detail_code",
            [town_code],
        )
        return _by_property(cursor.fetchall())


def _by_property(rows: list[tuple[Any, Any]]) -> pd.Series:
    return pd.Series([float(value) for _, value in rows], index=[key for key, _ in rows], dtype=np.float64)
