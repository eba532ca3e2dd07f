"""Two runs of one town, property by property: what moved, by how much, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

_LEGEND = (-10.0, -5.0, -1.0, 1.0, 5.0, 10.0)
"""Limits of the map's classes, percent."""


@dataclass(frozen=True)
class Summary:
    """One stratum of the comparison; changes in percent of the first run's value."""

    name: str
    n: int
    changed: int
    before: int
    after: int
    median_percent: float
    low_percent: float
    high_percent: float


@dataclass(frozen=True)
class Cell:
    """One square of the map: its place in squares from the north-west corner, its class and figures."""

    column: int
    row: int
    step: int
    n: int
    median_percent: float


@dataclass(frozen=True)
class ChangeMap:
    """Median change by square; ``side_ft`` is the side of one."""

    columns: int
    rows: int
    side_ft: float
    cells: tuple[Cell, ...]
    limits: tuple[float, ...] = _LEGEND


def compare_runs(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Pair two runs' conclusions by property.

    Parameters
    ----------
    before, after : DataFrame
        Index ``property_id``, column ``value`` in dollars; further columns are the property's words.

    Returns
    -------
    DataFrame
        Index ``property_id`` in order: ``before``, ``after`` (NaN where a run has none), ``change`` in dollars,
        ``percent`` of the first value, and the words of whichever run has them.
    """
    for name, frame in (("before", before), ("after", after)):
        if frame.index.has_duplicates:
            raise ValueError(f"{name} names a property twice")
    words = after.drop(columns="value").combine_first(before.drop(columns="value"))
    out = pd.DataFrame(
        {"before": before["value"].astype(np.float64), "after": after["value"].astype(np.float64)}
    ).sort_index()
    out["change"] = out["after"] - out["before"]
    with np.errstate(divide="ignore", invalid="ignore"):
        out["percent"] = np.where(out["before"] > 0, 100 * out["change"] / out["before"], np.nan)
    return out.join(words)


def summarise(compared: pd.DataFrame, by: str | None = None) -> list[Summary]:
    """Return the comparison of all properties, or of each stratum of a column, in the order of their names."""
    both = compared.dropna(subset=["before", "after"])
    groups = (
        [("all", both)] if by is None else [(str(k) or "none", v) for k, v in both.groupby(by, sort=True)]
    )
    return [_summary(name, rows) for name, rows in groups if len(rows)]


def _summary(name: str, rows: pd.DataFrame) -> Summary:
    percent = rows["percent"].dropna().to_numpy()
    low, middle, high = np.percentile(percent, [5, 50, 95]) if len(percent) else (0.0, 0.0, 0.0)
    return Summary(
        name,
        len(rows),
        int((rows["change"] != 0).sum()),
        int(rows["before"].sum()),
        int(rows["after"].sum()),
        float(middle),
        float(low),
        float(high),
    )


def change_map(compared: pd.DataFrame, *, across: int = 48, limits: Sequence[float] = _LEGEND) -> ChangeMap:
    """Return the median change by square of the town; properties without a place are left out.

    Parameters
    ----------
    compared : DataFrame
        As of `compare_runs`, with ``x`` and ``y`` in feet (EPSG:2234).
    across : int
        Squares from west to east.
    """
    rows = compared.dropna(subset=["x", "y", "percent"])
    if rows.empty:
        return ChangeMap(0, 0, 0.0, (), tuple(limits))
    x, y = rows["x"].to_numpy(dtype=np.float64), rows["y"].to_numpy(dtype=np.float64)
    side = max((x.max() - x.min()) / across, 1.0)
    columns = np.minimum(((x - x.min()) / side).astype(int), across - 1)
    lines = ((y.max() - y) / side).astype(int)
    squares = pd.DataFrame({"line": lines, "column": columns, "percent": rows["percent"].to_numpy()})
    found = squares.groupby(["line", "column"])["percent"].agg(["median", "size"]).reset_index()
    cells = [
        Cell(int(at), int(line), int(np.searchsorted(limits, median, side="right")), int(n), float(median))
        for line, at, median, n in found[["line", "column", "median", "size"]].itertuples(
            index=False, name=None
        )
    ]
    return ChangeMap(int(columns.max()) + 1, int(lines.max()) + 1, float(side), tuple(cells), tuple(limits))
