"""Valuation as a job: one call of the service."""

from __future__ import annotations

from typing import Any

from assessment.jobs.registry import RunningJob, job_handler
from assessment.region.actors import Actor
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.region.selectors import get_town

_STAGES = ("facts", "cost", "market", "ratio study", "comparables", "flags", "writing")


@job_handler("valuation_run", title="Valuation run", permission=Permission.RUN_VALUATION)
def run(job: RunningJob) -> dict[str, Any]:
    """Value a town; payload ``year`` and optionally ``spec`` and ``facts`` (a day, or now). Run twice it makes two equal runs."""
    # Here and not above: the web server loads this module when it starts any job, and has no use for pandas.
    from valuation.runs.facts import parse_wanted
    from valuation.runs.services import run_valuation
    from valuation.specs.selectors import find_adopted_spec
    from valuation.specs.services import DEFAULT_NAME, get_spec

    year = int(job.payload["year"])
    facts = parse_wanted(str(job.payload.get("facts", "")))

    def tell(stage: str) -> None:
        job.progress(_STAGES.index(stage) if stage in _STAGES else 0, len(_STAGES), stage)

    with scope(job.actor, towns=[job.town_code], reason=f"valuation of {year}"):
        town = get_town(job.town_code)
        named = job.payload.get("spec")
        spec = None if named else find_adopted_spec(town.code, year)
        spec = spec or get_spec(named or DEFAULT_NAME, actor=Actor.system("shipped models"))
        result = run_valuation(town, year=year, spec=spec, actor=job.actor, facts=facts, tell=tell)
    return {"run": str(result.pk), **result.counts}
