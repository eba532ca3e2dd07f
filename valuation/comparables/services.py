"""Keeping the comparables of a run."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from assessment.region.ids import new_id
from assessment.roll.services.rows import insert_rows
from valuation.comparables.rules import Comparables
from valuation.comparables.sheet import FACTS
from valuation.runs.models import Run

_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "run_id": "uuid", "property_id": "uuid", "value": "bigint",
    "indicated": "bigint", "facts": "jsonb", "sales": "jsonb",
}  # fmt: skip


def write_comparables(run: Run, found: Comparables, valued: pd.DataFrame) -> None:
    """Insert one row for each property, in the transaction of the run that made them."""
    insert_rows("valuation_comparableset", _COLUMNS, _rows(run, found, valued))


def _rows(run: Run, found: Comparables, valued: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    names = [name for name, _, _ in FACTS if name in valued.columns]
    facts = valued[names].to_numpy(dtype=object)
    sales = found.sales
    transfers = sales["transfer_id"].map(str) if "transfer_id" in sales.columns else [None] * len(sales)
    heads = [
        [str(key), transfer, int(price), dt.date.fromordinal(int(day)).isoformat(), int(then)]
        for key, transfer, price, day, then in zip(
            sales["property_id"], transfers, sales["price"], sales["sold_on"], sales["then"], strict=True
        )
    ]
    for at, key in enumerate(found.index):
        told = {name: _plain(cell) for name, cell in zip(names, facts[at], strict=True)}
        rows = [
            [*heads[row["sale"]], row["dissimilarity"], row["weight"], row["adjustments"]]
            for row in found.rows(at)
        ]
        yield (
            new_id(), run.town_id, run.pk, key, int(found.values[at]), int(found.indicated[at]),
            json.dumps({name: fact for name, fact in told.items() if fact is not None}), json.dumps(rows),
        )  # fmt: skip


def _plain(cell: object) -> object:
    if isinstance(cell, float | np.floating):
        return round(float(cell), 1) if np.isfinite(cell) else None
    return cell or None
