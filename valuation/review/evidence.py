"""The sales against which values are judged, as columns: in a study, before and after an override, at the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from assessment.property.statistics import reading_whole_town
from valuation.ratio.rules import RatioStudyError, UnsoldTest, cod, median_ratio, prb, prd, unsold_test
from valuation.runs.models import Run
from valuation.runs.rules.local import LocalFactors

_CLASSES = {
    "100": "residential", "200": "commercial", "300": "industrial", "400": "utility", "500": "vacant_land",
    "600": "use_value", "700": "use_value", "800": "apartment",
}  # fmt: skip

_SALES_SQL = """
SELECT c.property_id, c.value, t.price, t.recorded_on, p.neighbourhood, p.state_class
FROM (
  SELECT property_id, value FROM valuation_conclusion
  WHERE town_id = %(town)s AND run_id = %(run)s AND %(of)s::text = 'conclusion'
  UNION ALL
  SELECT property_id, value FROM valuation_estimate
  WHERE town_id = %(town)s AND run_id = %(run)s AND approach = %(of)s AND %(of)s::text <> 'conclusion'
) c
JOIN assessment_transfer t ON t.town_id = %(town)s AND t.property_id = c.property_id
JOIN assessment_property p ON p.town_id = %(town)s AND p.id = c.property_id
WHERE t.validity = 'usable' AND t.price > 0 AND c.value > 0
  AND t.recorded_on >= %(first)s AND t.recorded_on <= %(last)s
ORDER BY t.recorded_on, t.id
"""


@dataclass(frozen=True)
class SoldConclusions:
    """Values of a run beside what was paid, at the price level of each sale's day; arrays of one length."""

    property_ids: list[UUID]
    values: NDArray[np.float64]
    prices: NDArray[np.float64]
    neighbourhoods: NDArray[np.str_]
    classes: NDArray[np.str_]
    levels: NDArray[np.float64]


def sold_conclusions(run: Run, *, years: int = 2, of: str = "conclusion") -> SoldConclusions:
    """Return the usable sales of the years before the run's valuation day, and those after it, with their values.

    A value is brought to the day of its sale by the trend that the run found, so that ratios are at one level.
    ``of`` names the value: what was concluded, or what an approach says (see `valuation.review.judged`).
    """
    with reading_whole_town(), connection.cursor() as cursor:
        cursor.execute(
            _SALES_SQL,
            {
                "town": run.town_id,
                "run": run.pk,
                "first": f"{run.list_year - years}-10-01",
                "last": f"{run.list_year + 1}-09-30",
                "of": of,
            },
        )
        rows = cursor.fetchall()
    local = LocalFactors.from_json(run.tables["local"]) if "local" in run.tables else LocalFactors()
    days = np.array([row[3].toordinal() for row in rows], dtype=np.int64)
    levels = local.level(days) if len(rows) else np.array([], dtype=np.float64)
    values = np.array([float(row[1]) for row in rows], dtype=np.float64) * levels
    return SoldConclusions(
        [row[0] for row in rows],
        values,
        np.array([float(row[2]) for row in rows], dtype=np.float64),
        np.array([row[4] or "none" for row in rows], dtype=str),
        np.array([_CLASSES.get(row[5], "unclassified") for row in rows], dtype=str),
        levels,
    )


class Effects:
    """Ratio studies before and after changes of one run's values; the sales are read once for all of them."""

    def __init__(self, run: Run) -> None:
        self._sales = sold_conclusions(run)
        self._rows: dict[UUID, list[int]] = {}
        for at, key in enumerate(self._sales.property_ids):
            self._rows.setdefault(key, []).append(at)
        self._before: dict[str, dict[str, float | None]] = {}

    def of(self, changed: Mapping[UUID, int], places: Mapping[UUID, str]) -> dict[str, Any]:
        """Return the study of the town, of the neighbourhood and of the changed properties, before and after.

        Strata without five sales are left out; the effect is empty when the town has no sales. The
        neighbourhood is left out when the properties are of several, the properties when it is only one.

        Parameters
        ----------
        changed
            New values by property, whole dollars.
        places
            Neighbourhood by property, blank where there is none.
        """
        sales = self._sales
        own = [at for key in changed for at in self._rows.get(key, ())]
        strata = {"town": ("town", np.ones(len(sales.prices), dtype=bool))}
        named = {places.get(key, "") or "none" for key in changed}
        if len(named) == 1:
            place = named.pop()
            strata["neighbourhood"] = (f"in {place}", sales.neighbourhoods == place)
        if len(changed) > 1:
            chosen = np.zeros(len(sales.prices), dtype=bool)
            chosen[own] = True
            strata["changed_properties"] = ("", chosen)
        after = sales.values.copy()
        for at in own:
            after[at] = changed[sales.property_ids[at]] * sales.levels[at]
        found = {}
        for name, (key, rows) in strata.items():
            if rows.sum() >= 5:
                before = self._figures_before(key, rows)
                # Most properties were not sold, and change no ratio.
                changed_to = _figures(after[rows], sales.prices[rows]) if own else before
                found[name] = {"n": int(rows.sum()), "before": before, "after": changed_to}
        return found

    def _figures_before(self, key: str, rows: NDArray[np.bool_]) -> dict[str, float | None]:
        if key in self._before:
            return self._before[key]
        found = _figures(self._sales.values[rows], self._sales.prices[rows])
        if key:
            self._before[key] = found
        return found


def _figures(values: NDArray[np.float64], prices: NDArray[np.float64]) -> dict[str, float | None]:
    out: dict[str, float | None] = {}
    for name, statistic in (("median", median_ratio), ("cod", cod), ("prd", prd), ("prb", prb)):
        try:
            out[name] = round(statistic(values, prices), 4)
        except RatioStudyError:
            out[name] = None
    return out


_CHANGES_SQL = """
SELECT c.value, b.appraised, t.property_id IS NOT NULL
FROM (
  SELECT property_id, value FROM valuation_conclusion
  WHERE town_id = %(town)s AND run_id = %(run)s AND %(of)s::text = 'conclusion'
  UNION ALL
  SELECT property_id, value FROM valuation_estimate
  WHERE town_id = %(town)s AND run_id = %(run)s AND approach = %(of)s AND %(of)s::text <> 'conclusion'
) c
JOIN (
  SELECT a.property_id, sum(l.appraised) AS appraised FROM assessment_assessment a
  JOIN assessment_assessmentline l ON l.town_id = a.town_id AND l.assessment_id = a.id
  WHERE a.town_id = %(town)s AND a.grand_list_id = (
    SELECT id FROM assessment_grandlist WHERE town_id = %(town)s AND kind = 'real' AND year < %(year)s
    ORDER BY year DESC LIMIT 1)
  GROUP BY a.property_id
) b ON b.property_id = c.property_id
LEFT JOIN (
  SELECT DISTINCT property_id FROM assessment_transfer
  WHERE town_id = %(town)s AND validity = 'usable' AND recorded_on >= %(first)s AND recorded_on <= %(last)s
) t ON t.property_id = c.property_id
WHERE c.value > 0 AND b.appraised > 0
"""


def unsold_of(run: Run, *, of: str = "conclusion") -> UnsoldTest | None:
    """Return the test of sold against unsold properties; None without a list before or enough sales."""
    with reading_whole_town(), connection.cursor() as cursor:
        cursor.execute(
            _CHANGES_SQL,
            {
                "town": run.town_id,
                "run": run.pk,
                "year": run.list_year,
                "first": f"{run.list_year - 2}-10-01",
                "last": f"{run.list_year}-09-30",
                "of": of,
            },
        )
        rows = cursor.fetchall()
    changes = np.array([float(new) / float(old) for new, old, _ in rows], dtype=np.float64)
    is_sold = np.array([sold for *_, sold in rows], dtype=bool)
    try:
        return unsold_test(changes[is_sold], changes[~is_sold], resamples=300, seed=run.seed)
    except RatioStudyError:
        return None


def levels_by_neighbourhood(run: Run, *, least: int = 5) -> list[dict[str, Any]]:
    """Return each neighbourhood's usable sales, median ratio and the factor that would bring it to 1.

    Neighbourhoods with fewer than ``least`` sales are left out; the furthest from 1 come first.
    """
    sales = sold_conclusions(run)
    found = []
    for place in sorted(set(sales.neighbourhoods.tolist())):
        rows = sales.neighbourhoods == place
        if rows.sum() < least:
            continue
        middle = float(np.median(sales.values[rows] / sales.prices[rows]))
        found.append(
            {"neighbourhood": place, "n": int(rows.sum()), "median": middle, "factor": round(1 / middle, 3)}
        )
    return sorted(found, key=lambda row: (-abs(row["median"] - 1), row["neighbourhood"]))
