"""Reading a stored run for its report, and the sales that the public may see."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from valuation.reports.rules import RunFacts
from valuation.review.judged import list_judged, study_of_run
from valuation.review.models import Closing, Override
from valuation.review.rules.overriding import review_policy
from valuation.runs.models import RatioStudyRecord, Run
from valuation.specs.models import SpecAdoption


def run_facts(run: Run) -> RunFacts:
    """Return everything the report of a run says, as it was stored."""
    base_year = run.base_run.list_year if run.base_run else run.list_year
    adoption = SpecAdoption.objects.filter(town_id=run.town_id, list_year=base_year, spec=run.spec).first()
    closing = Closing.objects.filter(run=run).first()
    reasons = review_policy().reasons
    by_reason: dict[str, list[int]] = {}
    for code, before, after in Override.objects.filter(run=run, state=Override.State.IN_FORCE).values_list(
        "reason_code", "value_before", "value_after"
    ):
        row = by_reason.setdefault(reasons.get(code, code), [0, 0, 0])
        row[0], row[1], row[2] = row[0] + 1, row[1] + before, row[2] + after
    tables = run.tables or {}
    return RunFacts(
        town=run.town.name,
        list_year=run.list_year,
        spec=str(run.spec),
        spec_sha256=run.spec.sha256,
        spec_title=run.spec.title,
        calibrated=run.spec.evidence,
        schedule={name: table for name, table in tables.get("schedule", {}).items() if name != "evidence"},
        settings=run.spec.settings,
        local=tables.get("local", {}).get("evidence", []),
        counts=run.counts,
        stages=run.stages,
        snapshot_sha256=run.snapshot_sha256,
        values_sha256=run.values_sha256,
        code_version=run.code_version,
        seed=run.seed,
        started_at=_moment(run.started_at),
        started_by=run.started_by_name,
        base_run=str(run.base_run) if run.base_run else "",
        adopted_by=adoption.adopted_by_name if adoption else "",
        adopted_on=adoption.adopted_on.isoformat() if adoption else "",
        studies=[
            {
                "subject": row.subject,
                "stratum_kind": row.stratum_kind,
                "stratum": row.stratum,
                "n": row.n,
                "figures": row.figures,
            }
            for row in RatioStudyRecord.objects.filter(run=run, trim_rule="none").order_by(
                "stratum_kind", "stratum", "subject"
            )
        ],
        judged=_judged(run),
        overrides=[(reason, *row) for reason, row in sorted(by_reason.items())],  # type: ignore[misc]
        checks=closing.checks if closing else [],
        accepted=closing.accepted if closing else {},
        closed_by=closing.closed_by_name if closing else "",
        closed_at=_moment(closing.closed_at) if closing else "",
    )


def _judged(run: Run) -> list[dict[str, Any]]:
    """Return the studies of the run's values as they stand, the conclusion first; those under five sales left out."""
    found = (study_of_run(run, name) for name in list_judged(run))
    return [
        {"title": each["judged_title"], "n": each["study"]["n"], "figures": each["study"]}
        for each in found
        if each["study"]
    ]


def _moment(at: dt.datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class PublicSale:
    """A representative sale: where, when, for how much, and what the run concluded; nothing of persons or interiors."""

    neighbourhood: str
    address: str
    state_class: str
    recorded_on: dt.date
    price: int
    value: int


_SALES_SQL = """
SELECT coalesce(nullif(p.neighbourhood, ''), 'none'), p.address, p.state_class, t.recorded_on, t.price, c.value
FROM valuation_conclusion c
JOIN assessment_transfer t ON t.town_id = c.town_id AND t.property_id = c.property_id
JOIN assessment_property p ON p.town_id = c.town_id AND p.id = c.property_id
WHERE c.town_id = %(town)s AND c.run_id = %(run)s AND t.validity = 'usable' AND t.price > 0
  AND t.recorded_on > %(first)s AND t.recorded_on <= %(last)s
ORDER BY 1, t.recorded_on, t.id
"""


def list_public_sales(run: Run) -> list[PublicSale]:
    """Return the usable sales of the twelve months before the valuation day, by neighbourhood (CGS 12-62(c))."""
    last = dt.date(run.list_year, 10, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            _SALES_SQL,
            {"town": run.town_id, "run": run.pk, "first": last.replace(year=last.year - 1), "last": last},
        )
        return [PublicSale(*row) for row in cursor.fetchall()]
