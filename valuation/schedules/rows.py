"""The tables of a schedule as rows of table, level and amount, and back; CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

Row = tuple[str, str, float]
HEADER = ("table", "level", "amount")
CURVES = ("size", "percent_good", "land", "depth")
LEVELS = (
    "base_rate", "additives", "outbuildings", "land_rates", "neighbourhood_land", "neighbourhood_building",
)  # fmt: skip
SINGLE = ("base_area_sqft", "primary_sqft")
TITLES = {
    "base_rate": "Base rates, $ a square foot",
    "additives": "Additives, $ a unit",
    "outbuildings": "Outbuildings and features, $ new a unit",
    "land_rates": "Land by line, $ a unit",
    "neighbourhood_land": "Neighbourhood factors on land",
    "neighbourhood_building": "Neighbourhood factors on buildings",
    "size": "Size adjustment by living area",
    "percent_good": "Share left by age in years",
    "land": "Lot-size curve, $ by square feet",
    "depth": "Depth factors of front feet",
    "base_area_sqft": "Base area, square feet",
    "primary_sqft": "Primary site up to, square feet",
}


class RowsRefused(ValueError):
    """A file of tables that cannot be read; the text says what and where."""


def title_of(table: str) -> str:
    """Return a table's name for people."""
    if table.startswith("factors."):
        return f"Factors of {table.removeprefix('factors.').replace('_', ' ')}"
    return TITLES.get(table, table)


def rows_of(plain: Mapping[str, Any]) -> list[Row]:
    """Return every entry of a schedule's JSON form, in a fixed order."""
    rows: list[Row] = [(name, "", float(plain[name])) for name in SINGLE if name in plain]
    for name in LEVELS:
        rows += [(name, level, float(amount)) for level, amount in sorted(plain.get(name, {}).items())]
    for name, table in sorted(plain.get("factors", {}).items()):
        rows += [(f"factors.{name}", level, float(amount)) for level, amount in sorted(table.items())]
    for name in CURVES:
        rows += [(name, f"{float(at):g}", float(amount)) for at, amount in plain.get(name, ())]
    return rows


def with_rows(plain: Mapping[str, Any], rows: Iterable[Row]) -> dict[str, Any]:
    """Return a schedule's JSON form in which every table that the rows name holds exactly these rows.

    Tables that they do not name stay; roles, dates and evidence too.

    Raises
    ------
    RowsRefused
        An unknown table, or a curve's position that is no number.
    """
    out: dict[str, Any] = json.loads(json.dumps(plain))
    fresh: dict[str, dict[str, float]] = {}
    for table, level, amount in rows:
        if table in fresh and level in fresh[table]:
            raise RowsRefused(f"{title_of(table)}: {level!r} stands there twice")
        fresh.setdefault(table, {})[level] = amount
    for table, entries in fresh.items():
        if table in SINGLE:
            out[table] = next(iter(entries.values()))
        elif table in LEVELS:
            out[table] = entries
        elif table.startswith("factors."):
            out.setdefault("factors", {})[table.removeprefix("factors.")] = entries
        elif table in CURVES:
            try:
                points = sorted((float(level), amount) for level, amount in entries.items())
            except ValueError as error:
                raise RowsRefused(f"{title_of(table)}: {error}") from error
            out[table] = [list(point) for point in points]
        else:
            raise RowsRefused(f"there is no table {table!r}")
    return out


def changed_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return table, level, amount before and after (blank for none) of every entry that differs."""
    old = {(table, level): amount for table, level, amount in rows_of(before)}
    new = {(table, level): amount for table, level, amount in rows_of(after)}
    keys = [*old, *(key for key in new if key not in old)]
    return [
        (title_of(table), level, _shown(old.get((table, level))), _shown(new.get((table, level))))
        for table, level in keys
        if old.get((table, level)) != new.get((table, level))
    ]


def as_csv(plain: Mapping[str, Any]) -> str:
    """Return the tables as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows((table, level, repr(amount)) for table, level, amount in rows_of(plain))
    return out.getvalue()


def from_cells(lines: Iterable[Iterable[Any]]) -> list[Row]:
    """Read rows of cells, the first of which is the header.

    Raises
    ------
    RowsRefused
        Another header, an amount that is no number, or nothing at all.
    """
    rows: list[Row] = []
    cells = ([str(cell if cell is not None else "").strip() for cell in line] for line in lines)
    if tuple(name.lower() for name in next(cells, [])[:3]) != HEADER:
        raise RowsRefused(f"the first line is not {', '.join(HEADER)}")
    for number, line in enumerate(cells, start=2):
        if not any(line):
            continue
        if len(line) < 3:
            raise RowsRefused(f"line {number} has {len(line)} cells")
        try:
            rows.append((line[0], line[1].removesuffix(".0"), float(line[2].replace(",", ""))))
        except ValueError as error:
            raise RowsRefused(f"line {number}: {line[2]!r} is no amount") from error
    if not rows:
        raise RowsRefused("the file has no rows")
    return rows


def from_csv(text: str) -> list[Row]:
    """Read the tables from CSV."""
    return from_cells(csv.reader(io.StringIO(text)))


def _shown(amount: float | None) -> str:
    return "" if amount is None else f"{amount:,.4f}".rstrip("0").rstrip(".")
