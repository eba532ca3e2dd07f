"""Writing what a run found, tens of thousands of rows at a time."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

from django.utils import timezone

from assessment.region.ids import new_id
from assessment.roll.services.rows import insert_rows
from valuation.comparables.services import write_comparables
from valuation.income.joining import IncomeJoin
from valuation.runs.models import RatioStudyRecord, Run
from valuation.runs.rules.pipeline import Valuation

_ESTIMATE_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "run_id": "uuid", "property_id": "uuid", "approach": "text",
    "value": "bigint", "low": "bigint", "high": "bigint", "components": "jsonb", "explanation": "jsonb",
}  # fmt: skip
_CONCLUSION_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "run_id": "uuid", "property_id": "uuid", "list_year": "smallint",
    "value": "bigint", "components": "jsonb", "weights": "jsonb", "flags": "jsonb", "reason": "text",
    "concluded_at": "timestamptz",
}  # fmt: skip

COST_REASON = "Cost approach at the adopted schedules; the market model is the check beside it."


def write_results(run: Run, result: Valuation, income: IncomeJoin) -> str:
    """Insert estimates, studies and conclusions; return the hash of the concluded values."""
    valued = result.valued.frame
    parts = [json.dumps(lines) for lines in result.valued.components()]
    words = [json.dumps(lines) for lines in result.valued.explanations()]
    keys, town = list(valued.index), run.town_id
    numbers = valued[["value", "low", "high"]].to_numpy().tolist()
    insert_rows(
        "valuation_estimate",
        _ESTIMATE_COLUMNS,
        (
            (new_id(), town, run.pk, key, "cost", *row, lines, text)
            for key, row, lines, text in zip(keys, numbers, parts, words, strict=True)
        ),
    )
    if len(result.market):
        kind = {"trees": "Boosted trees with earlier neighbours"}.get(
            str(result.market.attrs.get("name")), "Hedonic model"
        )
        text = f"{kind} of {result.market.attrs.get('sales', 0):,} sales"
        rows = result.market[["value", "low", "high"]].to_numpy().tolist()
        insert_rows(
            "valuation_estimate",
            _ESTIMATE_COLUMNS,
            (
                (new_id(), town, run.pk, key, "market", *row, "[]", json.dumps([[text, row[0]]]))
                for key, row in zip(result.market.index, rows, strict=True)
            ),
        )
    if result.comparables is not None:
        write_comparables(run, result.comparables, valued)
    _write_income(run, income)
    concluded = _conclusions(result, income, parts)
    now = timezone.now()
    insert_rows(
        "valuation_conclusion",
        _CONCLUSION_COLUMNS,
        (
            (
                new_id(),
                town,
                run.pk,
                key,
                run.list_year,
                *each,
                now,
            )
            for key, each in zip(keys, concluded, strict=True)
        ),
    )
    held_from, held_to = result.first_held_on, result.last_held_on
    if held_from is None or held_to is None:
        result.studies.clear()
        held_from = held_to = dt.date(run.list_year, 10, 1)
    RatioStudyRecord.objects.bulk_create(
        RatioStudyRecord(
            town_id=town,
            run=run,
            subject=item.subject,
            stratum_kind=item.stratum_kind,
            stratum=item.result.stratum[:60],
            sales_from=held_from,
            sales_to=held_to,
            n=item.result.n,
            trimmed=item.result.trimmed,
            trim_rule=item.result.trim_rule,
            figures={name: figure.as_json() for name, figure in item.result.figures.items()},
            notes=list(item.result.notes),
        )
        for item in result.studies
    )
    hasher = hashlib.sha256()
    for key, (value, lines, *_) in zip(keys, concluded, strict=True):
        hasher.update(f"{key} {value} {lines}\n".encode())
    return hasher.hexdigest()


def _write_income(run: Run, income: IncomeJoin) -> None:
    insert_rows(
        "valuation_estimate",
        _ESTIMATE_COLUMNS,
        (
            (
                new_id(), run.town_id, run.pk, key, "income", each.value, each.low, each.high, "[]",
                json.dumps(each.explanation),
            )
            for key, each in income.by_property.items()
        ),
    )  # fmt: skip


def _conclusions(
    result: Valuation, income: IncomeJoin, parts: list[str]
) -> list[tuple[int, str, str, str, str]]:
    """Return value, lines, weights, flags and reason of each property: cost, or cost and income by weight."""
    valued = result.valued.frame
    plain, reason = json.dumps({"cost": 1.0}), COST_REASON
    columns = zip(
        valued.index,
        valued["value"],
        valued["state_class"],
        valued["group"],
        parts,
        result.flags,
        strict=True,
    )
    rows = []
    for key, value, state_class, group, lines, flags in columns:
        joined = income.by_property.get(key)
        if joined is None:
            rows.append((int(value), lines, plain, json.dumps(flags), reason))
            continue
        ours = income.lines_of(key, json.loads(lines), str(state_class), str(group))
        rows.append(
            (
                joined.concluded, json.dumps(ours), json.dumps(joined.weights),
                json.dumps([*flags, *joined.flags]), joined.reason,
            )
        )  # fmt: skip
    return rows
